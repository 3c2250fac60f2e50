package logout_test

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

const (
	issuer   = "https://sso.example/realms/citizen"
	clientID = "tthc"
	lifetime = 40 * time.Minute
	leeway   = 30 * time.Second
	event    = "http://schemas.openid.net/event/backchannel-logout"
	session  = "08a5019c-17e1-4977-8f42-65a12843ea02"
	subject  = "248289761001"
)

// noon is when every test begins.
var noon = time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC)

// intake keeps what it was given, unless it fails.
type intake struct {
	mu      sync.Mutex
	entries []revocation.Entry
	calls   int
	fails   error
	during  func(ctx context.Context)
}

func (i *intake) Accept(ctx context.Context, entries ...revocation.Entry) error {
	if i.during != nil {
		i.during(ctx)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls++
	if i.fails != nil {
		return i.fails
	}
	i.entries = append(i.entries, entries...)
	return nil
}

// taken returns the entries since the last call.
func (i *intake) taken() []revocation.Entry {
	i.mu.Lock()
	defer i.mu.Unlock()
	taken := i.entries
	i.entries = nil
	return taken
}

// keySet is a token.KeySource of one key, unless it fails.
type keySet struct {
	key   *token.Key
	fails error
}

func (k *keySet) Key(kid, alg string) (*token.Key, error) {
	if k.fails != nil {
		return nil, k.fails
	}
	if kid != k.key.ID() || !k.key.Serves(alg) {
		return nil, token.ErrKeyUnknown
	}
	return k.key, nil
}

// world is an issuer that logs people out, and the handler that it tells.
type world struct {
	tb     testing.TB
	signer *corpus.Key
	keys   *keySet
	intake *intake
	now    time.Time
	log    strings.Builder
	cfg    logout.Config
	*logout.Handler
}

func newWorld(tb testing.TB, change func(*logout.Config)) *world {
	tb.Helper()
	signer, err := corpus.NewKey("EdDSA", "issuer-key")
	if err != nil {
		tb.Fatal(err)
	}
	public, _, err := token.ParseKeySet(corpus.KeySetJSON(signer), token.KeySetOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := token.NewVerifier(token.Profile{
		Issuer: issuer, Algorithms: []string{"EdDSA", "RS256"}, Audience: []string{"api"}, Leeway: leeway,
	})
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{tb: tb, signer: signer, keys: &keySet{key: public[0]}, intake: &intake{}, now: noon}
	w.cfg = logout.Config{
		Name: "vneid", Verifier: verifier, Keys: w.keys, Audience: []string{clientID}, Intake: w.intake,
		Lifetime: func(of string) time.Duration {
			if of != issuer {
				tb.Errorf("the lifetime of %q was asked", of)
			}
			return lifetime
		},
		Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Now: func() time.Time { return w.now },
	}
	if change != nil {
		change(&w.cfg)
	}
	if w.Handler, err = logout.New(w.cfg); err != nil {
		tb.Fatal(err)
	}
	return w
}

// claims are a logout token's.
type claims = map[string]any

// good returns those of a token that is good now, but for what is given; nil
// takes a claim away.
func (w *world) good(changes ...claims) claims {
	all := claims{
		"iss": issuer, "aud": clientID, "iat": w.now.Unix(), "exp": w.now.Add(2 * time.Minute).Unix(), "jti": "bWJq",
		"sub": subject, "sid": session, "events": claims{event: claims{}},
	}
	for _, c := range changes {
		maps.Copy(all, c)
	}
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

func (w *world) sign(typ string, c claims) string {
	w.tb.Helper()
	signed, err := corpus.Token{Type: typ, Claims: c}.Sign(w.signer)
	if err != nil {
		w.tb.Fatal(err)
	}
	return signed
}

// post has the handler answer a form.
func (w *world) post(body string) *httptest.ResponseRecorder {
	w.tb.Helper()
	request := httptest.NewRequest(http.MethodPost, "/logout/vneid", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, request)
	if recorder.Header().Get("Cache-Control") != "no-store" {
		w.tb.Error("the answer may be stored")
	}
	return recorder
}

func form(raw string) string { return url.Values{"logout_token": {raw}}.Encode() }

// log out posts a token of those claims.
func (w *world) logOut(changes ...claims) *httptest.ResponseRecorder {
	w.tb.Helper()
	return w.post(form(w.sign("logout+jwt", w.good(changes...))))
}

// want expects an outcome and nothing else since the last call.
func (w *world) want(before logout.Stats, outcome logout.Outcome) {
	w.tb.Helper()
	after := w.Stats()
	for _, o := range logout.Outcomes() {
		n := uint64(0)
		if o == outcome {
			n = 1
		}
		if got := after.Requests[o] - before.Requests[o]; got != n {
			w.tb.Errorf("%s counted %d times, want %d", o, got, n)
		}
	}
}
