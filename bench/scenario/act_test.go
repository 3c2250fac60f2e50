package scenario

import (
	"context"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/stand"
)

// rotating is a rotation at the beginning of a load, at an issuer that takes orders below a path.
func rotating(t *testing.T, path string) (*actors, *rotation, *backend.Running) {
	t.Helper()
	issuer, err := backend.Start(t.Context(), backend.Config{Control: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := issuer.Close(); err != nil {
			t.Error(err)
		}
	})
	key, err := corpus.NewKey("EdDSA", "rotated")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	c := newCourse(1)
	h := &c.moments[0]
	a := &actors{
		scenario: &Scenario{Actions: []Action{{Do: DoRotateKey, Name: "rotation"}}}, course: c, issuerName: "vneid",
		hands:   Hands{Issuers: map[string]stand.Control{"vneid": {URL: issuer.URL() + path, Client: client}}},
		rotated: []corpus.JWK{key.PublicJWK()}, undo: make([]func(context.Context) error, 1), refused: make([]*ruling, 1),
	}
	r := &rotation{
		requests: make([]attack.Request, 1), millionth: 1_000_000,
		published: func() span { return span{time.Duration(h.beginLo.Load()), time.Duration(h.beginHi.Load())} },
	}
	return a, r, issuer
}

// publishes says whether the key set has the new key.
func publishes(t *testing.T, issuer *backend.Running) bool {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, issuer.URL()+backend.KeySetPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(raw), `"rotated"`)
}

func TestARotatedKeyIsWithdrawnAfterTheLoad(t *testing.T) {
	t.Parallel()
	a, tokens, issuer := rotating(t, "")
	a.start(t.Context())
	if tokens.instead(0, a.course.now()) != nil {
		t.Error("a token comes under a key that is not published")
	}
	a.course.begin(time.Now())
	a.running.Wait()
	if !publishes(t, issuer) || tokens.instead(0, a.course.now()) == nil {
		t.Error("the key is not published, or no token comes under it")
	}
	if r := a.wait(t.Context())[0]; !r.Done || r.Error != "" {
		t.Errorf("%+v", r)
	}
	if publishes(t, issuer) {
		t.Error("the key is there after the load")
	}
}

func TestWhatTheBenchFailedToDoBindsTheTargetToNothing(t *testing.T) {
	t.Parallel()
	a, tokens, _ := rotating(t, "/nobody")
	a.start(t.Context())
	a.course.begin(time.Now())
	r, h := a.wait(t.Context())[0], &a.course.moments[0]
	if r.Done || !strings.Contains(r.Error, ErrAction.Error()) {
		t.Errorf("%+v", r)
	}
	if h.beginLo.Load() == math.MaxInt64 || h.beginHi.Load() != math.MaxInt64 {
		t.Errorf("it began from %d to %d, want never for certain", h.beginLo.Load(), h.beginHi.Load())
	}
	if tokens.instead(0, time.Hour) != nil {
		t.Error("a token comes under a key that was not published")
	}
	// A revocation that failed may be in force here and there: either answer is right.
	rule := h.revocation(false)
	for status, expected := range map[int]bool{200: true, 401: false} {
		if taken, _ := judge(expected, false, []*ruling{rule}, time.Hour, time.Hour, status, nil); !taken {
			t.Errorf("%d is wrong", status)
		}
	}
}

func TestWhatARevokedTokenGetsIsLookedAtAsCloselyAsAllElse(t *testing.T) {
	t.Parallel()
	h := &newCourse(1).moments[0]
	if !h.revocation(false).met(401, nil) || h.revocation(true).met(401, nil) || !h.revocation(true).met(401, []byte("token_revoked")) {
		t.Error("the code is looked at where it is not to be, or not where it is")
	}
}
