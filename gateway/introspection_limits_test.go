package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// An issuer may have dots in its opaque tokens. What begins with a JOSE header is
// a JWT, however it is made, and gets no second chance by it.
func TestATokenWithTwoDotsIsOpaqueUnlessItHasAJOSEHeader(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "", "", setup{sites: `
  - name: hue
    hosts: [hue.example]
    upstreams: UPSTREAMS
    issuers: [vneid, legacy]`})
	const raw = "portal.7b1f3c20-8b57.1a2b3c"
	if err := p.issuer.IssueAs(raw, p.describe()); err != nil {
		t.Fatal(err)
	}
	p.want(200, "", "/private", raw)
	p.want(401, "token_inactive", "/private", "portal.7b1f3c20-8b57.000000")
	if n := p.asked(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	encode := base64.RawURLEncoding.EncodeToString
	jwt := strings.Split(p.jwt(), ".")
	p.issuer.ResetFetches()
	for name, c := range map[string]struct{ code, tok string }{
		"signature not base64url": {"token_malformed", jwt[0] + "." + jwt[1] + ".*"},
		"padded signature":        {"token_malformed", strings.Join(jwt, ".") + "="},
		"claims cut off":          {"token_malformed", jwt[0] + "." + jwt[1][:len(jwt[1])-4] + "." + jwt[2]},
		"claims not JSON":         {"token_malformed", jwt[0] + "." + encode([]byte("claims")) + "." + jwt[2]},
		"header padded":           {"token_malformed", base64.URLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + jwt[1] + "." + jwt[2]},
		"alg twice":               {"token_malformed", encode([]byte(`{"alg":"none","alg":"ES256"}`)) + "." + jwt[1] + "." + jwt[2]},
		"alg none":                {"token_algorithm_not_allowed", encode([]byte(`{"alg":"none"}`)) + "." + jwt[1] + "." + jwt[2]},
		"crit":                    {"token_critical_header", encode([]byte(`{"alg":"ES256","crit":["x"]}`)) + "." + jwt[1] + "." + jwt[2]},
	} {
		// Good as an opaque token, if its issuer were asked.
		if err := p.issuer.IssueAs(c.tok, p.describe()); err != nil {
			t.Fatal(err)
		}
		a := p.get("/private", bearer(c.tok))
		if a.status != 401 || a.code != c.code {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.code, c.code)
		}
	}
	if n := p.asked(); n != 0 {
		t.Errorf("asked %d times about faulty JWTs", n)
	}
	// Where nobody can be asked, nobody is.
	a := p.dial().send("GET /x HTTP/1.1\r\nHost: hue.example\r\n" + bearer("a.b.c") + "\r\n\r\n").answer("GET")
	if a.status != 401 || a.code != "token_malformed" || p.asked() != 0 {
		t.Errorf("%d %s", a.status, a.code)
	}
}

// Whoever sends tokens over which the issuer stumbles must not keep its keys from
// being fetched, nor the other way round.
func TestKeysAndIntrospectionHaveABreakerEach(t *testing.T) {
	t.Parallel()
	issuer := startPortal(t)
	config := strings.Replace(portalConfig(t, issuer, "tokens: all, inactive_age: 0s", "keys"),
		"break_after: 1000", "break_after: 2, break_for: 10m", 1)
	p := &portal{rig: newRig(t, setup{site: portalSite, issuer: config}), issuer: issuer}
	refresher := p.state.Load().issuers[1].refresher
	state := func(call string) string {
		for _, s := range identity.BreakerStates() {
			if p.metric("backend_breaker", "issuer=portal", "call="+call, "state="+s) == 1 {
				return s
			}
		}
		return ""
	}
	want := func(keys, introspection string) {
		t.Helper()
		if k, i := state("keys"), state("introspection"); k != keys || i != introspection {
			t.Errorf("keys %s, introspection %s, want %s and %s", k, i, keys, introspection)
		}
	}
	want("closed", "closed")
	if err := p.issuer.SetFaultAt(backend.IntrospectPath, backend.Status(500), 0); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		p.want(503, "introspection_unavailable", "/private", "stranger-"+decimal(n))
	}
	want("closed", "open")
	p.wantMetric(1, "backend_breaker_opened_total", "issuer=portal", "call=introspection")
	p.wantMetric(1, "backend_breaker_refused_total", "issuer=portal", "call=introspection")
	if err := refresher.Refresh(t.Context()); err != nil {
		t.Errorf("keys are not fetched: %v", err)
	}
	p.wantMetric(0, "backend_breaker_refused_total", "issuer=portal", "call=keys")
	if err := p.issuer.SetFaultAt(backend.IntrospectPath, nil, 0); err != nil {
		t.Fatal(err)
	}
	p.issuer.SetFault(backend.Status(500))
	for range 2 {
		_ = refresher.Refresh(t.Context())
	}
	want("open", "open")
}

func TestQuestionsToAnIssuerAreExported(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "concurrency: 1", "", setup{})
	p.wantMetric(1, "introspection_calls_limit", "issuer=portal")
	hold := make(chan struct{})
	p.issuer.SetFault(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
		next.ServeHTTP(w, r)
	})
	answers := make(chan answer, 2)
	for range 2 {
		c := p.dial().send(request("GET", "/private", bearer(p.opaque())))
		go func() {
			a, _ := c.tryAnswer("GET")
			answers <- a
		}()
	}
	p.eventually("one under way and one waiting", func() bool {
		return p.metric("introspection_calls_in_flight", "issuer=portal") == 1 &&
			p.metric("introspection_calls_waiting", "issuer=portal") == 1
	})
	close(hold)
	for range 2 {
		if a := <-answers; a.status != 200 {
			t.Errorf("%d %s", a.status, a.code)
		}
	}
	p.wantMetric(2, "introspection_calls_total", "issuer=portal")
	p.wantMetric(0, "introspection_retries_total", "issuer=portal")
	p.eventually("none under way", func() bool {
		return p.metric("introspection_calls_in_flight", "issuer=portal")+p.metric("introspection_calls_waiting", "issuer=portal") == 0
	})
}
