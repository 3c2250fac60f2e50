package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// newAsked starts an issuer that has a key set and is asked about opaque tokens;
// more are further fields of its introspection.
func newAsked(t *testing.T, bounds, more string) (*party, *backend.Running) {
	t.Helper()
	const id, secret = "gateway", "secret-of-the-gateway"
	running, err := backend.Start(t.Context(), backend.Config{
		Keys: []*corpus.Key{newPartyKey(t)}, Clients: []backend.Client{{ID: id, Secret: secret}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	p := describeParty(t, running.Backend, "portal", "refresh: 1s", bounds)
	p.introspection = fmt.Sprintf("url: %s%s, client_id: %s, client_secret_file: %s, %s",
		p.Issuer(), backend.IntrospectPath, id, secretFile(t, []byte(secret)), more)
	return p, running
}

// opaque issues a token that lives for a time.
func (p *party) opaque(t *testing.T, life time.Duration) string {
	t.Helper()
	described := corpus.NewToken(p.Issuer(), p.Audience(), time.Now())
	described.Expires = time.Now().Add(life)
	token, err := p.Issue(described)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestStrangeTokensThatTheIssuerFailsOverDoNotKeepItsKeysFromBeingFetched(t *testing.T) {
	t.Parallel()
	p, _ := newAsked(t, "break_after: 3, break_for: 1s", "max_age: 1s, inactive_age: 0s")
	g := serve(t, partyConfig(startSite(t).URL(), p))
	g.awaitReady(t)
	breaker := func(call, state string) float64 {
		return g.metric(t, `vneid_gateway_backend_breaker{call="`+call+`",issuer="portal",state="`+state+`"}`)
	}
	opaque := p.opaque(t, time.Hour)
	g.ask(t, opaque).echo(t)
	if err := p.SetFaultAt(backend.IntrospectPath, backend.Status(http.StatusInternalServerError), 0); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		g.ask(t, fmt.Sprintf("stranger-%d", n)).refusedWith(t, http.StatusServiceUnavailable, "introspection_unavailable")
	}
	if breaker("introspection", "closed") != 0 || breaker("keys", "closed") != 1 {
		t.Error("the breaker of introspection is not open, or that of keys not closed")
	}
	fetches := p.gauge(t, g, "key_set_fetches_total")
	eventually(t, "keys fetched", func() bool { return p.gauge(t, g, "key_set_fetches_total") >= fetches+2 })
	if n := p.failures(t, g, "breaker_open") + p.failures(t, g, "status"); n != 0 {
		t.Errorf("%.0f fetches failed", n)
	}
	p.serves(t, g)
	if err := p.SetFaultAt(backend.IntrospectPath, nil, 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "asked again", func() bool { return g.ask(t, opaque).status == http.StatusOK })
	if breaker("introspection", "closed") != 1 {
		t.Error("the breaker is not closed")
	}
	if asked, limit := p.gauge(t, g, "introspection_calls_total"), p.gauge(t, g, "introspection_calls_limit"); asked < 5 || limit != 64 {
		t.Errorf("%.0f questions, at most %.0f at one time", asked, limit)
	}
	g.stop(t)
}

func TestOpaqueTokensMayHaveTwoDotsAndFaultyJWTsAreNotAskedAbout(t *testing.T) {
	t.Parallel()
	p, _ := newAsked(t, "", "")
	g := serve(t, partyConfig(startSite(t).URL(), p))
	g.awaitReady(t)
	const dotted = "portal.7b1f3c20-8b57.1a2b3c"
	jwt := strings.Split(p.token, ".")
	faulty := jwt[0] + "." + jwt[1][1:] + "." + jwt[2]
	for _, raw := range []string{dotted, faulty} { // both are good, if it is asked
		if err := p.IssueAs(raw, corpus.NewToken(p.Issuer(), p.Audience(), time.Now())); err != nil {
			t.Fatal(err)
		}
	}
	p.ResetFetches()
	g.ask(t, faulty).refusedWith(t, http.StatusUnauthorized, "token_malformed")
	g.ask(t, p.token).echo(t)
	if n := p.Fetches(backend.IntrospectPath); n != 0 {
		t.Errorf("asked %d times about JWTs", n)
	}
	g.ask(t, dotted).echo(t)
	g.ask(t, dotted+"4").refusedWith(t, http.StatusUnauthorized, "token_inactive")
	if n := p.Fetches(backend.IntrospectPath); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	g.stop(t)
}

func TestOpaqueTokensWhileTheirIssuerIsGoneAreTreatedAsConfigured(t *testing.T) {
	t.Parallel()
	const used = `vneid_gateway_introspections_total{issuer="portal",outcome="used_while_away"}`
	for _, policy := range []string{"refuse", "use_cached_until_exp"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			p, server := newAsked(t, "break_for: 100ms", "max_age: 1s, when_unavailable: "+policy)
			g := serve(t, partyConfig(startSite(t).URL(), p))
			g.awaitReady(t)
			known, stranger, short := p.opaque(t, time.Hour), p.opaque(t, time.Hour), p.opaque(t, 8*time.Second)
			eventually(t, "kept, behind the requests' back", func() bool {
				g.ask(t, known).echo(t)
				g.ask(t, short).echo(t)
				return g.metric(t, "vneid_gateway_verdict_cache_entries") >= 2
			})
			if err := server.Refuse(0); err != nil {
				t.Fatal(err)
			}
			if policy == "refuse" {
				eventually(t, "refused", func() bool { return g.ask(t, known).status == http.StatusServiceUnavailable })
				g.ask(t, known).refusedWith(t, http.StatusServiceUnavailable, "introspection_unavailable")
			} else {
				eventually(t, "used while its issuer is gone", func() bool {
					g.ask(t, known).echo(t)
					return g.metric(t, used) > 0
				})
				eventually(t, "refused from its exp on", func() bool { return g.ask(t, short).status != http.StatusOK })
				g.ask(t, known).echo(t)
			}
			g.ask(t, stranger).refusedWith(t, http.StatusServiceUnavailable, "introspection_unavailable")
			p.serves(t, g) // JWTs are verified under keys in memory
			if err := server.Accept(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "asked again", func() bool { return g.ask(t, stranger).status == http.StatusOK })
			g.ask(t, known).echo(t)
			g.stop(t)
		})
	}
}
