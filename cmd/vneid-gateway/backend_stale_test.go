package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// The limits are the least that can be configured. The backend goes away, and
// comes back when both are past.
func TestStaleKeysServeUntilTheHardLimitAndAreBackByThemselves(t *testing.T) {
	t.Parallel()
	const (
		soft = `vneid_gateway_key_set_stale{issuer="vneid",limit="soft"}`
		hard = `vneid_gateway_key_set_stale{issuer="vneid",limit="hard"}`
		age  = `vneid_gateway_key_set_age_seconds{issuer="vneid"}`
	)
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{newPartyKey(t)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	p := describeParty(t, issuer.Backend, "vneid",
		"refresh: 1s, refresh_max: 1s, soft_stale: 10s, hard_stale: 16s", "break_for: 100ms")
	g := serve(t, partyConfig(startSite(t).URL(), p))
	g.awaitReady(t)
	p.serves(t, g)
	if g.metric(t, soft) != 0 || g.metric(t, hard) != 0 {
		t.Error("stale from the start")
	}
	if err := issuer.Refuse(0); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()

	eventually(t, "soft", func() bool { return g.metric(t, soft) == 1 })
	if since := time.Since(gone); since < 8*time.Second {
		t.Errorf("soft after %s", since)
	}
	p.serves(t, g)
	if view := g.keys(t, "vneid"); view.Stale != "soft" || view.LastFailure == "" {
		t.Errorf("/keys: %+v", view)
	}
	if a := get(t, g.admin+"/readyz"); a.status != http.StatusOK || g.metric(t, hard) != 0 {
		t.Errorf("between the limits: %d %s", a.status, a.body)
	}

	g.awaitStatus(t, http.StatusServiceUnavailable)
	if a := get(t, g.admin+"/readyz"); !strings.Contains(a.body, "keys of issuer vneid: older than hard_stale, last attempt: ") {
		t.Errorf("/readyz: %s", a.body)
	}
	for _, token := range []string{p.token, p.fresh(t)} { // warm and cold
		g.ask(t, token).refusedWith(t, http.StatusServiceUnavailable, "keys_stale")
	}
	if g.metric(t, hard) != 1 || g.metric(t, soft) != 1 || g.metric(t, age) < 16 || g.metric(t, "vneid_gateway_ready") != 0 {
		t.Errorf("hard %.0f, soft %.0f, age %.1f", g.metric(t, hard), g.metric(t, soft), g.metric(t, age))
	}
	if view := g.keys(t, "vneid"); view.Stale != "hard" || len(view.Keys) != 1 {
		t.Errorf("/keys: %+v", view)
	}

	if err := issuer.Accept(); err != nil {
		t.Fatal(err)
	}
	g.awaitReady(t)
	p.serves(t, g)
	if g.metric(t, hard) != 0 || g.metric(t, soft) != 0 || g.keys(t, "vneid").Stale != "" {
		t.Error("still stale")
	}
	g.stop(t)
}
