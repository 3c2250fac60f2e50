package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// party is one of the issuers of a gateway, with a backend of its own.
type party struct {
	*backend.Backend
	name string
	// jwks, bounds and introspection are the fields of its sections jwks, backend
	// and introspection.
	jwks, bounds, introspection string
	token                       string // warm, once the gateway has seen it
}

// newParty starts an issuer with one key. Its key set has an address, which more
// fields follow.
func newParty(t *testing.T, name, more, bounds string) *party {
	t.Helper()
	running, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{newPartyKey(t)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	return describeParty(t, running.Backend, name, more, bounds)
}

func newPartyKey(t *testing.T) *corpus.Key {
	t.Helper()
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func describeParty(t *testing.T, b *backend.Backend, name, more, bounds string) *party {
	t.Helper()
	p := &party{Backend: b, name: name, jwks: "url: " + b.Issuer() + backend.KeySetPath + ", " + more, bounds: bounds}
	p.token = p.fresh(t)
	return p
}

// fresh returns a token that nobody has seen.
func (p *party) fresh(t testing.TB) string {
	t.Helper()
	token, err := p.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// partyConfig is a configuration with these issuers and a site that takes the
// tokens of all of them.
func partyConfig(upstream string, parties ...*party) string {
	var issuers strings.Builder
	var names []string
	for _, p := range parties {
		fmt.Fprintf(&issuers, `
  - name: %s
    issuer: %s
    jwks: { %s }
    backend: { %s }
    introspection: { %s }
    audience: { any_of: [tthc] }`, p.name, p.Issuer(), p.jwks, p.bounds, p.introspection)
		names = append(names, p.name)
	}
	return fmt.Sprintf(`
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
issuers:%s
sites:
  - name: hanoi
    hosts: [%s]
    upstreams: ["%s"]
    issuers: [%s]
shutdown: { delay: 0s, deadline: 5s }
`, &issuers, testHost, upstream, strings.Join(names, ", "))
}

// serves checks that the issuer's tokens pass, warm and cold.
func (p *party) serves(t *testing.T, g *process) {
	t.Helper()
	g.ask(t, p.token).echo(t)
	g.ask(t, p.fresh(t)).echo(t)
}

// failures returns how many of the issuer's fetches failed for a reason.
func (p *party) failures(t testing.TB, g *process, reason string) float64 {
	t.Helper()
	return g.metric(t, `vneid_gateway_key_set_fetch_failures_total{issuer="`+p.name+`",reason="`+reason+`"}`)
}

// gauge returns a metric that has the issuer as its only label.
func (p *party) gauge(t testing.TB, g *process, name string) float64 {
	t.Helper()
	return g.metric(t, `vneid_gateway_`+name+`{issuer="`+p.name+`"}`)
}

// within fails where n fetches were more than there may be in a time, with at
// least a pause between two.
//
//	1 + elapsed / (0.9 pause)
func (p *party) within(t testing.TB, n int64, elapsed, pause time.Duration) {
	t.Helper()
	if most := 1 + int64(elapsed/(pause*9/10)); n > most {
		t.Errorf("%s: %d fetches in %s, more than %d", p.name, n, elapsed, most)
	}
}
