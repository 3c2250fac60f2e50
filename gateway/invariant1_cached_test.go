package gateway

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestInvariant1CachedVerdictEndsAtExpiry(t *testing.T) {
	t.Parallel()
	key := testKeys()["EdDSA"]
	synctest.Test(t, func(t *testing.T) {
		g := newPieces(t, piecesConfig, key)
		described := corpus.NewToken(piecesIssuer, "tthc", time.Now())
		described.Expires = time.Now().Add(time.Minute)
		tok, err := described.Sign(key)
		if err != nil {
			t.Fatal(err)
		}
		ctx := received(t, request("GET", "/private", bearer(tok)))
		judge(g, ctx)
		synctest.Wait() // the verdict is taken in behind our back
		time.Sleep(time.Minute - time.Nanosecond)
		if allowed, code := judge(g, ctx); !allowed {
			t.Fatalf("just before exp: %s", code)
		}
		stats := g.state.Load().verdicts.Stats()
		if stats.Hits != 1 {
			t.Fatalf("not a hit: %+v", stats)
		}
		// RFC 7519 section 4.1.4: from exp on.
		time.Sleep(time.Nanosecond)
		if allowed, code := judge(g, ctx); allowed || code != "token_expired" {
			t.Errorf("at exp: %v %s", allowed, code)
		}
	})
}

func TestInvariant1CachedVerdictIsNoDecision(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token(func(t *corpus.Token) { t.AccountLevel = 1 })
	r.warm(tok)
	verified := r.metric("verifications_total")
	for range 3 {
		if a := r.get("/level2/x", bearer(tok)); a.status != 403 || a.code != "account_level_insufficient" {
			t.Errorf("level 2 with a warm token of level 1: %d %s", a.status, a.code)
		}
		if a := r.get("/officer/create", bearer(tok)); a.status != 403 || a.code != "citizen_account_creation_removed" {
			t.Errorf("removed route with a warm token: %d %s", a.status, a.code)
		}
		if a := r.get("/level1", bearer(tok)); a.status != 200 {
			t.Errorf("level 1: %d %s", a.status, a.code)
		}
	}
	r.wantMetric(verified, "verifications_total")
}

func TestInvariant1CachedVerdictIsNotSharedBetweenSites(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{sites: `
  - name: hue
    hosts: [hue.example]
    upstreams: UPSTREAMS
    issuers: [legacy]`})
	tok := r.token()
	r.warm(tok)
	c := r.dial().send("GET /x HTTP/1.1\r\nHost: hue.example\r\n" + bearer(tok) + "\r\n\r\n")
	if a := c.answer("GET"); a.status != 401 || a.code != "issuer_not_accepted" {
		t.Errorf("a warm token at a site that does not accept its issuer: %d %s", a.status, a.code)
	}
}

func TestInvariant4AKeyThatIsGoneTakesItsTokensWithIt(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	r := newRig(t, setup{})
	gone, stays := r.signed(keys["ES256"]), r.signed(keys["RS256"])
	r.warm(gone)
	r.warm(stays)
	r.backend.SetKeys(keys["RS256"])
	r.refresh()
	before := r.reached()
	if a := r.get("/private", bearer(gone)); a.status != 401 || a.code != "key_unknown" {
		t.Errorf("token of a withdrawn key: %d %s", a.status, a.code)
	}
	if r.reached() != before {
		t.Error("it reached the upstream")
	}
	if a := r.get("/private", bearer(stays)); a.status != 200 {
		t.Errorf("token of a key that stays: %d %s", a.status, a.code)
	}
	// A forger's key under the same kid must not bring the old verdicts back.
	twin, err := keys["ES256"].Twin()
	if err != nil {
		t.Fatal(err)
	}
	r.backend.SetKeys(keys["RS256"], twin)
	r.refresh()
	if a := r.get("/private", bearer(gone)); a.status != 401 || a.code != "signature_invalid" {
		t.Errorf("under another key of the same kid: %d %s", a.status, a.code)
	}
}

// revocations flips for all tokens at once.
type revocations struct{ revoked atomic.Bool }

func (r *revocations) Revoked(c *token.Claims, k *token.Key) bool {
	return r.revoked.Load() && c != nil && k != nil
}

func TestInvariant5ARevocationHoldsForCachedVerdictsAtOnce(t *testing.T) {
	t.Parallel()
	hook := &revocations{}
	r := newRig(t, setup{revocations: hook})
	warm := r.token()
	r.warm(warm)
	before := r.reached()
	hook.revoked.Store(true)
	for _, tok := range []string{warm, r.token()} {
		if a := r.get("/private", bearer(tok)); a.status != 401 || a.code != "token_revoked" {
			t.Errorf("%d %s", a.status, a.code)
		}
	}
	if r.reached() != before {
		t.Error("a revoked token reached the upstream")
	}
	// A token refused as revoked is not cached as good or bad.
	hook.revoked.Store(false)
	if a := r.get("/private", bearer(warm)); a.status != 200 {
		t.Errorf("after the hook let go: %d %s", a.status, a.code)
	}
	// Public routes look at no credential, a revoked one included.
	hook.revoked.Store(true)
	if a := r.get("/open/x", bearer(warm)); a.status != 200 {
		t.Errorf("public: %d %s", a.status, a.code)
	}
}
