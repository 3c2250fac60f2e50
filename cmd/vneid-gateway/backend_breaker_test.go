package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestBreakerOpensWhileTheBackendIsDownAndBoundsTheFetches(t *testing.T) {
	t.Parallel()
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	const breakFor = 3 * time.Second
	config := strings.Replace(ownConfig(issuer.Issuer(), startSite(t).URL(), "shutdown: { delay: 0s, deadline: 5s }"), "refresh: 1s }",
		"refresh: 1s, unknown_key: { burst: 2, every: 1h } }\n    backend: { break_after: 3, break_for: "+breakFor.String()+" }", 1)
	g := serve(t, config)
	g.awaitReady(t)
	token, err := issuer.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	const (
		opened = `vneid_gateway_backend_breaker_opened_total{call="keys",issuer="vneid"}`
		open   = `vneid_gateway_backend_breaker{call="keys",issuer="vneid",state="open"}`
		closed = `vneid_gateway_backend_breaker{call="keys",issuer="vneid",state="closed"}`
		missed = `vneid_gateway_backend_breaker_refused_total{call="keys",issuer="vneid"}`
	)
	issuer.SetFault(backend.Down())
	issuer.ResetFetches()
	begun := time.Now()
	eventually(t, "open", func() bool { return g.metric(t, opened) == 1 && g.metric(t, open) == 1 })
	// Strangers do not get the backend asked meanwhile.
	for n := range uint64(50) {
		described := corpus.NewToken(issuer.Issuer(), issuer.Audience(), time.Now())
		g.ask(t, underUnknownKey(described, n)).refusedWith(t, http.StatusUnauthorized, "key_unknown")
	}
	eventually(t, "open once more after a probe", func() bool { return g.metric(t, opened) == 2 })
	elapsed := time.Since(begun)
	// Three that fail, then one probe in each time that the breaker is open.
	if n, most := issuer.Fetches(backend.DiscoveryPath), 3+1+int64(elapsed/breakFor); n > most || n < 4 {
		t.Errorf("%d fetches in %s, want 4 to %d", n, elapsed, most)
	}
	if g.metric(t, missed) < 1 {
		t.Error("the breaker refused no call")
	}
	g.ask(t, token).echo(t)

	issuer.SetFault(nil)
	eventually(t, "closed again", func() bool { return g.metric(t, closed) == 1 })
	g.stop(t)
}
