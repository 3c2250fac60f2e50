package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
)

// fetched returns when the key set was fetched and taken in twice more: the one
// that was under way, and one that began since.
func (h *home) fetched(t *testing.T, g *process) {
	t.Helper()
	fetches := func() float64 { return g.metric(t, `vneid_gateway_key_set_fetches_total{issuer="vneid"}`) }
	before := fetches()
	eventually(t, "fetched", func() bool { return fetches() >= before+2 && g.keys(t, "vneid").LastFailure == "" })
}

func TestAPurgedKeyStaysOutOverEveryFetchUntilItIsAllowed(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	g := h.serve(t)
	g.awaitReady(t)
	purged, other := h.token(t, "ES256"), h.token(t, "EdDSA")
	g.ask(t, purged).echo(t)
	g.ask(t, purged).echo(t)
	g.ask(t, other).echo(t)
	hits := g.metric(t, `vneid_gateway_verdict_cache_lookups_total{result="hit"}`)
	for _, token := range []string{"", operatorToken + "x"} {
		if a := send(t, g.admin, request{method: http.MethodDelete, path: "/keys/vneid/es256", token: token}); a.status != http.StatusUnauthorized {
			t.Errorf("whoever has no token: %d %s", a.status, a.body)
		}
	}
	g.ask(t, purged).echo(t)
	if n := g.metric(t, `vneid_gateway_verdict_cache_lookups_total{result="hit"}`); n <= hits {
		t.Error("the token is not warm")
	}

	if a := g.changeKey(t, http.MethodDelete, "vneid", "es256"); a.status != http.StatusOK || strings.TrimSpace(a.body) != `{"purged":1}` {
		t.Fatalf("%d %s", a.status, a.body)
	}
	// The next request, though its verdict is in memory.
	g.ask(t, purged).refusedWith(t, http.StatusUnauthorized, "key_unknown")
	for range 2 { // while the backend goes on publishing it
		h.fetched(t, g)
		for _, token := range []string{purged, h.token(t, "ES256")} {
			g.ask(t, token).refusedWith(t, http.StatusUnauthorized, "key_unknown")
		}
		g.ask(t, other).echo(t)
	}
	if n := g.metric(t, `vneid_gateway_key_set_purged_keys{issuer="vneid"}`); n != 1 {
		t.Errorf("%.0f purged keys", n)
	}
	if a := g.changeKey(t, http.MethodPut, "vneid", "es256"); a.status != http.StatusOK || strings.TrimSpace(a.body) != `{"allowed":1}` {
		t.Fatalf("%d %s", a.status, a.body)
	}
	g.awaitKey(t, "vneid", "es256", true)
	g.ask(t, purged).echo(t)
	for _, action := range []string{`"action":"purge"`, `"action":"allow"`} {
		g.awaitThat(t, "an audit line with "+action, func() bool { return strings.Contains(g.output(), action) })
	}
	g.stop(t)
}

func TestAKeyThatIsWithdrawnTakesItsWarmTokensWithIt(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	g := h.serve(t)
	g.awaitReady(t)
	gone, stays := h.token(t, "ES256"), h.token(t, "EdDSA")
	for range 3 {
		g.ask(t, gone).echo(t)
		g.ask(t, stays).echo(t)
	}
	if err := h.issuer.RemoveKey("es256"); err != nil {
		t.Fatal(err)
	}
	g.awaitKey(t, "vneid", "es256", false)
	g.ask(t, gone).refusedWith(t, http.StatusUnauthorized, "key_unknown")
	g.ask(t, stays).echo(t)
	g.stop(t)
}

func TestTheKeyViewTellsOfEveryKeyToProgramsBrowsersAndPrometheus(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	g := h.serve(t)
	g.awaitReady(t)
	busy := h.token(t, "ES256")
	for range 3 {
		g.ask(t, busy).echo(t)
	}
	g.ask(t, h.token(t, "RS256")).echo(t)

	view := g.keys(t, "vneid")
	if !slices.Equal(view.ids(), []string{"eddsa", "es256", "rs256"}) {
		t.Fatalf("%+v", view)
	}
	ed, es, rs := view.Keys[0], view.Keys[1], view.Keys[2]
	if !slices.Equal(es.Algorithms, []string{"ES256"}) || es.Tokens != 3 || es.Share != 0.75 || rs.Tokens != 1 || rs.Share != 0.25 || ed.Tokens != 0 {
		t.Errorf("%+v", view)
	}
	if es.FirstSeen.IsZero() || es.LastSeen.Before(es.FirstSeen) || !ed.FirstSeen.IsZero() || es.SafeToRetire || ed.SafeToRetire {
		t.Errorf("%+v", view)
	}

	page := send(t, g.admin, request{path: "/keys", header: map[string]string{"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}})
	if page.status != http.StatusOK || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %s", page.status, page.header.Get("Content-Type"))
	}
	for _, want := range []string{"<table", "vneid", "es256", "eddsa", "rs256", "75"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}

	metrics := get(t, g.admin+"/metrics").body
	for name, want := range map[string]float64{"keys": 3, "unused_keys": 1, "retirable_keys": 0, "purged_keys": 0} {
		if n := g.metric(t, "vneid_gateway_key_set_"+name+`{issuer="vneid"}`); n != want {
			t.Errorf("%s: %.0f, want %.0f", name, n, want)
		}
	}
	for _, kid := range []string{"kid=", "es256", "eddsa", "rs256"} {
		if strings.Contains(metrics, kid) {
			t.Errorf("a metric names %s", kid)
		}
	}
	h.issuer.SetFault(backend.Down())
	eventually(t, "the last failure told", func() bool { return g.keys(t, "vneid").LastFailure == "unreachable" })
	g.stop(t)
}
