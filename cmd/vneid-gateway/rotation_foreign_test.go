package main

import (
	"net/http"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
)

// rotationWorld is a provider that rotates, and a gateway that knows its keys.
func rotationWorld(t *testing.T, jwks string) (*foreign.Provider, *process) {
	t.Helper()
	provider := startProvider(t)
	g := serve(t, foreignConfig(t, provider, jwks, "", foreign.Audience("ES256")))
	g.awaitReady(t)
	return provider, g
}

func foreignToken(t *testing.T, provider *foreign.Provider) string {
	t.Helper()
	token, err := provider.Token(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestForeignIssuerRotatesAndNobodyNotices(t *testing.T) {
	t.Parallel()
	provider, g := rotationWorld(t, "discovery: true, refresh: 1h")
	old := foreignToken(t, provider)
	g.ask(t, old).echo(t)
	fetches := func() float64 { return g.metric(t, `vneid_gateway_key_set_fetches_total{issuer="foreign"}`) }
	before := fetches()
	if err := provider.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := foreignToken(t, provider)
	g.ask(t, fresh).echo(t) // the first request under the new key
	g.ask(t, old).echo(t)
	if n := fetches() - before; n != 1 {
		t.Errorf("the rotation took %.0f fetches", n)
	}
	if n := g.metric(t, `vneid_gateway_unknown_key_lookups_total{issuer="foreign",outcome="found"}`); n != 1 {
		t.Errorf("%.0f searches found a key", n)
	}

	// The operator needs no fetch to end the old key.
	if a := g.changeKey(t, http.MethodDelete, "foreign", "foreign-es256"); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	g.ask(t, old).refusedWith(t, http.StatusUnauthorized, "key_unknown")
	g.ask(t, fresh).echo(t)
	g.stop(t)
}

func TestTokensOfAForeignKeyEndWithIt(t *testing.T) {
	t.Parallel()
	provider, g := rotationWorld(t, "discovery: true, refresh: 1s")
	old := foreignToken(t, provider)
	g.ask(t, old).echo(t)
	if err := provider.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := foreignToken(t, provider)
	g.ask(t, fresh).echo(t)
	if err := provider.DropOld(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.awaitKey(t, "foreign", "foreign-es256", false)
	g.ask(t, old).refusedWith(t, http.StatusUnauthorized, "key_unknown")
	g.ask(t, fresh).echo(t)
	g.stop(t)
}
