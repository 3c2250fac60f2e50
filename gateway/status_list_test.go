package gateway

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// statusServer serves one status list of the rig's issuer, of one bit a token.
type statusServer struct {
	*httptest.Server
	rig     atomic.Pointer[rig]
	revoked atomic.Uint32 // bit i: the token at index i
	down    atomic.Bool
}

func startStatusServer(t *testing.T) *statusServer {
	t.Helper()
	s := &statusServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r := s.rig.Load()
		if r == nil || s.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var packed bytes.Buffer
		z := zlib.NewWriter(&packed)
		_, _ = z.Write([]byte{byte(s.revoked.Load()), 0})
		_ = z.Close()
		now := time.Now()
		list := corpus.Token{
			Type: "statuslist+jwt", Issuer: r.backend.Issuer(), Subject: s.URL + q.URL.Path, IssuedAt: now,
			Claims: map[string]any{
				"ttl":         1,
				"status_list": map[string]any{"bits": 1, "lst": base64.RawURLEncoding.EncodeToString(packed.Bytes())},
			},
		}
		raw, err := list.Sign(testKeys()["ES256"])
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "application/statuslist+jwt")
		_, _ = w.Write([]byte(raw))
	}))
	t.Cleanup(s.Close)
	return s
}

// listing is a part of the issuer's configuration that follows the lists of s.
func (s *statusServer) listing(more string) setup {
	return setup{issuer: "revocation: { status_lists: { addresses: [\"" + s.URL + "/lists/\"], refresh: 1s, refresh_min: 1s, refresh_max: 1s, soft_stale: 5m, wait: 10s, " + more + " } }"}
}

// at makes a token refer to a place in a list.
func (s *statusServer) at(path string, index int) func(*corpus.Token) {
	return func(t *corpus.Token) {
		t.Claims = map[string]any{"status": map[string]any{"status_list": map[string]any{"idx": index, "uri": s.URL + path}}}
	}
}

func TestATokenIsWorthWhatItsStatusListSays(t *testing.T) {
	t.Parallel()
	s := startStatusServer(t)
	r := newRig(t, s.listing("when_unknown: refuse"))
	s.rig.Store(r)
	good, other, outside, foreign := r.token(s.at("/lists/1", 0)), r.token(s.at("/lists/1", 1)), r.token(s.at("/lists/1", 99)), r.token(s.at("/else/1", 0))
	for name, c := range map[string]struct {
		token  string
		status int
		code   string
	}{
		"valid":                  {good, 200, ""},
		"beyond the list":        {outside, 401, "claim_invalid"},
		"a list of nobody's":     {foreign, 503, "token_status_unavailable"},
		"without a status":       {r.token(), 200, ""},
		"a status that is other": {r.token(func(t *corpus.Token) { t.Claims = map[string]any{"status": "active"} }), 401, "claim_invalid"},
	} {
		if a := r.get("/private", bearer(c.token)); a.status != c.status || a.code != c.code {
			t.Errorf("%s: %d %s", name, a.status, a.code)
		}
	}
	s.revoked.Store(1 << 0)
	r.eventually("refused", func() bool { return r.get("/private", bearer(good)).code == "token_revoked" })
	if a := r.get("/private", bearer(other)); a.status != 200 {
		t.Errorf("another of the list: %d %s", a.status, a.code)
	}
}

func TestATokenOfAListThatIsNotThereIsRefusedOrLetPassAsConfigured(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]int{"refuse": 503, "allow": 200} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			s := startStatusServer(t)
			s.down.Store(true)
			r := newRig(t, s.listing("when_unknown: "+when))
			s.rig.Store(r)
			tok := r.token(s.at("/lists/1", 0))
			if a := r.get("/private", bearer(tok)); a.status != want || want == 503 && a.code != "token_status_unavailable" {
				t.Errorf("%d %s", a.status, a.code)
			}
			s.down.Store(false)
			r.eventually("there", func() bool { return r.get("/private", bearer(tok)).status == 200 })
			s.revoked.Store(1)
			r.eventually("refused", func() bool { return r.get("/private", bearer(tok)).code == "token_revoked" })
		})
	}
}

func TestAnIssuerWhoseClaimStatusIsSomethingElseCanSaySo(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{issuer: "revocation: { status_lists: { ignore: true } }"})
	tok := r.token(func(t *corpus.Token) { t.Claims = map[string]any{"status": "active"} })
	if a := r.get("/private", bearer(tok)); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
}

func TestWhatWasOpenedWithATokenThatItsListRevokesIsClosed(t *testing.T) {
	t.Parallel()
	address, _ := startChat(t)
	s := startStatusServer(t)
	how := s.listing("when_unknown: refuse")
	how.upstreams = "[http://" + address + "]"
	r := newRig(t, how)
	s.rig.Store(r)
	revoked, stays := r.chat(bearer(r.token(s.at("/lists/1", 0)))), r.chat(bearer(r.token(s.at("/lists/1", 1))))
	s.revoked.Store(1)
	revoked.wantEnd()
	stays.wantEcho("still here")
	_ = stays.Close()
	r.idle()
}

func TestAReloadKeepsStatusLists(t *testing.T) {
	t.Parallel()
	s := startStatusServer(t)
	r := newRig(t, s.listing("when_unknown: refuse"))
	s.rig.Store(r)
	tok := r.token(s.at("/lists/1", 0))
	if a := r.get("/private", bearer(tok)); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.code)
	}
	s.down.Store(true)
	r.reload(s.listing("when_unknown: refuse, max_lists: 5"))
	if a := r.get("/private", bearer(tok)); a.status != 200 {
		t.Errorf("reloaded while the lists are away: %d %s", a.status, a.code)
	}
}
