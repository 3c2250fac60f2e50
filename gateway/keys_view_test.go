package gateway

import (
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestKeyViewTellsWhatEachKeyIsUsedFor(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	r := newRig(t, setup{issuer: "leeway: 0s"})
	begun := time.Now().Truncate(time.Second)
	until := time.Now().Add(10 * time.Minute).Truncate(time.Second)
	busy := r.signed(keys["ES256"], func(t *corpus.Token) { t.Expires = until })
	for range 3 { // cold and warm alike
		r.get("/private", bearer(busy))
	}
	r.get("/private", bearer(r.signed(keys["RS256"])))
	// What was refused proves nothing about a key.
	r.get("/private", bearer(r.faulty(corpus.Forged)))
	r.get("/private", bearer(r.faulty(corpus.Expired)))

	view := r.keys("vneid")
	es, rs, ed := view.key(t, "es-1"), view.key(t, "rs-1"), view.key(t, "ed-1")
	if es.Tokens != 3 || es.Share != 0.75 || rs.Tokens != 1 || rs.Share != 0.25 || ed.Tokens != 0 || ed.Share != 0 {
		t.Errorf("shares: %+v", view.Keys)
	}
	if es.Type != "EC" || len(es.Algorithms) != 1 || es.Algorithms[0] != "ES256" || rs.Type != "RSA" || ed.Type != "OKP" {
		t.Errorf("kinds: %+v", view.Keys)
	}
	if es.FirstSeen.Before(begun) || es.LastSeen.Before(es.FirstSeen) || es.LastSeen.After(time.Now()) || !es.LatestExpiry.Equal(until) {
		t.Errorf("times: %+v, of tokens until %v", es, until)
	}
	if !ed.FirstSeen.IsZero() || !ed.LastSeen.IsZero() || !ed.LatestExpiry.IsZero() {
		t.Errorf("never used: %+v", ed)
	}
	if es.SafeToRetire || rs.SafeToRetire || ed.SafeToRetire {
		t.Errorf("safe to retire: %+v", view.Keys)
	}
	if view.Stale != "" || view.LastFailure != "" || len(view.Purged) != 0 {
		t.Errorf("%+v", view)
	}
	r.wantMetric(1, "key_set_unused_keys", "issuer=vneid")
	r.wantMetric(0, "key_set_retirable_keys", "issuer=vneid")
	if n := len(r.keys("legacy").Keys); n != 1 {
		t.Errorf("legacy has %d keys", n)
	}
}

func TestKeyIsSafeToRetireWhenItsLastTokenHasExpired(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	r := newRig(t, setup{issuer: "leeway: 0s"})
	short := r.signed(keys["ES256"], func(t *corpus.Token) { t.Expires = time.Now().Add(3 * time.Second) })
	if a := r.get("/private", bearer(short)); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.code)
	}
	r.get("/private", bearer(r.signed(keys["RS256"])))
	var es keyInfo
	r.eventually("safe to retire", func() bool {
		es = r.keys("vneid").key(t, "es-1")
		return es.SafeToRetire
	})
	if !time.Now().After(es.LatestExpiry) {
		t.Errorf("safe before its last token's end: %+v", es)
	}
	view := r.keys("vneid")
	if view.key(t, "rs-1").SafeToRetire || view.key(t, "ed-1").SafeToRetire {
		t.Errorf("%+v", view.Keys)
	}
	r.wantMetric(1, "key_set_retirable_keys", "issuer=vneid")
}

// A fetch that brings the same keys forgets nothing of their use.
func TestKeyUsageLivesOnOverARefresh(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	r.get("/private", bearer(r.token()))
	r.refresh()
	if es := r.keys("vneid").key(t, "es-1"); es.Tokens != 1 {
		t.Errorf("%+v", es)
	}
}

func TestSoftLimitIsReportedWhileKeysServe(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	r.wantMetric(0, "key_set_stale", "issuer=vneid", "limit=soft")
	r.state.Load().issuers[0].softStale = 0
	if a := r.get("/private", bearer(r.token())); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
	r.wantMetric(1, "key_set_stale", "issuer=vneid", "limit=soft")
	r.wantMetric(0, "key_set_stale", "issuer=vneid", "limit=hard")
	r.wantMetric(1, "ready")
	if view := r.keys("vneid"); view.Stale != "soft" {
		t.Errorf("%q", view.Stale)
	}
}
