package gateway

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestHardLimitHoldsForWarmAndColdTokensAlike(t *testing.T) {
	t.Parallel()
	key := testKeys()["EdDSA"]
	synctest.Test(t, func(t *testing.T) {
		g := newPieces(t, piecesConfig, key)
		begun := time.Now()
		sign := func() string {
			described := corpus.NewToken(piecesIssuer, "tthc", begun)
			described.Expires = begun.Add(72 * time.Hour)
			tok, err := described.Sign(key)
			if err != nil {
				t.Fatal(err)
			}
			return tok
		}
		const hardStale = 24 * time.Hour // by default
		time.Sleep(hardStale - time.Nanosecond)
		warm := received(t, request("GET", "/private", bearer(sign())))
		judge(g, warm)
		synctest.Wait() // the verdict is taken in behind our back
		if allowed, code := judge(g, warm); !allowed || g.state.Load().verdicts.Stats().Hits == 0 {
			t.Fatalf("just before the limit: %v %s", allowed, code)
		}
		time.Sleep(time.Nanosecond)
		cold := received(t, request("GET", "/private", bearer(sign())))
		for name, ctx := range map[string]*fasthttp.RequestCtx{"warm": warm, "cold": cold} {
			if allowed, code := judge(g, ctx); allowed || code != "keys_stale" {
				t.Errorf("from the limit on, %s: %v %s", name, allowed, code)
			}
		}
		if missing := g.Missing(); len(missing) != 2 || missing[0] != "keys of issuer vneid: older than hard_stale" ||
			missing[1] != "keys of issuer other: not fetched yet" {
			t.Errorf("%q", missing)
		}
	})
}

func TestRequestWaitsForAnUnknownKeyNoLongerThanConfigured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer, code string
		status       int
	}{
		{"refuse", "key_unknown", 401},
		{"unavailable", "keys_unavailable", 503},
	} {
		t.Run(c.answer, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{keySet: "unknown_key: { wait: 0s, answer: " + c.answer + " }"})
			next, err := corpus.NewKey("ES256", "next")
			if err != nil {
				t.Fatal(err)
			}
			if err := r.backend.AddKey(next); err != nil {
				t.Fatal(err)
			}
			hold := make(chan struct{})
			r.backend.SetFault(func(w http.ResponseWriter, request *http.Request, next http.Handler) {
				select {
				case <-hold:
				case <-request.Context().Done():
				}
				next.ServeHTTP(w, request)
			})
			tok := r.signed(next)
			for range 3 { // all while one fetch is under way
				if a := r.get("/private", bearer(tok)); a.status != c.status || a.code != c.code {
					t.Errorf("%d %s, want %d %s", a.status, a.code, c.status, c.code)
				}
			}
			if a := r.get("/private", bearer(r.token())); a.status != 200 {
				t.Errorf("a known key: %d %s", a.status, a.code)
			}
			r.wantMetric(3, "unknown_key_lookups_total", "issuer=vneid", "outcome=not_in_time")
			r.wantMetric(2, "key_set_fetches_total", "issuer=vneid")
			close(hold)
			r.eventually("the key", func() bool { return r.metric("key_set_keys", "issuer=vneid") == 4 })
			if a := r.get("/private", bearer(tok)); a.status != 200 {
				t.Errorf("after the fetch: %d %s", a.status, a.code)
			}
			r.wantMetric(0, "unknown_key_lookups_total", "issuer=vneid", "outcome=found")
		})
	}
}
