package gateway

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const (
	portalClient = "gateway"
	portalSecret = "secret-of-the-gateway"
)

// portal is a gateway with a third issuer, one that is asked about its tokens.
type portal struct {
	*rig
	issuer *backend.Running
}

// newPortal starts a gateway whose site takes tokens of the issuer portal; more
// are further fields of its introspection, keys is its jwks section, "" for none.
func newPortal(tb testing.TB, more, keys string, s setup) *portal {
	tb.Helper()
	p := &portal{issuer: startPortal(tb)}
	if s.site == "" {
		s.site = portalSite
	}
	s.issuer = portalConfig(tb, p.issuer, more, keys)
	p.rig = newRig(tb, s)
	return p
}

func startPortal(tb testing.TB) *backend.Running {
	tb.Helper()
	return startBackend(tb, backend.Config{
		Keys:    []*corpus.Key{testKeys()["ES256"]},
		Clients: []backend.Client{{ID: portalClient, Secret: portalSecret}},
	})
}

// portalSite has one rule of each kind.
const portalSite = `
    issuers: [portal, legacy]
    identity_headers: [subject, account_kind, account_level, issuer, auth_time, token_id]
    rules:
      - { paths: [/open/**], access: public }
      - { paths: [/level2/**], account_level: 2 }
      - { paths: [/api/cam/**], deny: route_denied }`

// portalConfig follows another issuer in the list of issuers.
func portalConfig(tb testing.TB, issuer *backend.Running, more, keys string) string {
	tb.Helper()
	secret := filepath.Join(tb.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(portalSecret), 0o600); err != nil {
		tb.Fatal(err)
	}
	if more != "" {
		more = ", " + more
	}
	if keys != "" {
		keys = "jwks: { url: " + issuer.Issuer() + backend.KeySetPath + ", refresh: 24h, soft_stale: 30h, hard_stale: 48h }"
	}
	return `
  - name: portal
    issuer: ` + issuer.Issuer() + `
    ` + keys + `
    introspection: { url: ` + issuer.Issuer() + backend.IntrospectPath + `, client_id: ` + portalClient +
		`, client_secret_file: ` + secret + more + ` }
    audience: { any_of: [tthc] }
    leeway: 0s
    backend: { timeout: 20s, break_after: 1000 }
    claims:
      account_kind: { claim: account_type, map: { "1": citizen, "2": organisation } }
      account_level: { claim: account_level }
      personal_number: preferred_username`
}

// opaque issues an opaque token of a citizen with level 2, with changes.
func (p *portal) opaque(changes ...func(*corpus.Token)) string {
	p.tb.Helper()
	described := p.describe(changes...)
	raw, err := p.issuer.Issue(described)
	if err != nil {
		p.tb.Fatal(err)
	}
	return raw
}

func (p *portal) describe(changes ...func(*corpus.Token)) corpus.Token {
	described := corpus.NewToken(p.issuer.Issuer(), p.issuer.Audience(), time.Now())
	for _, change := range changes {
		change(&described)
	}
	return described
}

// jwt signs a token of the portal.
func (p *portal) jwt(changes ...func(*corpus.Token)) string {
	p.tb.Helper()
	raw, err := p.describe(changes...).Sign(testKeys()["ES256"])
	if err != nil {
		p.tb.Fatal(err)
	}
	return raw
}

// asked returns how often the issuer was asked about tokens.
func (p *portal) asked() int64 { return p.issuer.Fetches(backend.IntrospectPath) }

// want makes a request and checks its answer; code "" means that it passes.
func (p *portal) want(status int, code, target, tok string) {
	p.tb.Helper()
	if a := p.get(target, bearer(tok)); a.status != status || a.code != code {
		p.tb.Errorf("%s: %d %s, want %d %s", target, a.status, a.code, status, code)
	}
}

// becomes asks until the answer is the one that is wanted.
func (p *portal) becomes(status int, code, tok string) {
	p.tb.Helper()
	p.eventually(decimal(status)+" "+code, func() bool {
		a := p.get("/private", bearer(tok))
		return a.status == status && a.code == code
	})
}
