package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// faultSite is a site in a configuration, served as <name>.example; more is
// lines of YAML.
type faultSite struct {
	name, upstreams, more string
}

// faulted is a gateway in front of upstreams that fail, and who issues its
// tokens.
type faulted struct {
	*process
	issuer *backend.Running
	key    *corpus.Key
	before footprint
}

// publicGateway starts the binary in front of sites that ask for nothing.
func publicGateway(t *testing.T, sites ...faultSite) *faulted {
	t.Helper()
	return faultGateway(t, `rules: [{ paths: ["/**"], access: public }]`, "", sites)
}

// guardedGateway starts the binary in front of sites that want a credential;
// top is what the configuration says besides.
func guardedGateway(t *testing.T, top string, sites ...faultSite) *faulted {
	t.Helper()
	return faultGateway(t, "", top, sites)
}

func faultGateway(t *testing.T, rules, top string, sites []faultSite) *faulted {
	t.Helper()
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	var config strings.Builder
	fmt.Fprintf(&config, `
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
log: { access: { off: true } }
shutdown: { delay: 0s, deadline: 20s }
issuers:
  - name: vneid
    issuer: %s
    leeway: 0s
    jwks: { discovery: true }
    audience: { any_of: [tthc] }
    claims: { account_kind: { claim: account_type, map: { "1": citizen } } }
%s
sites:
`, issuer.Issuer(), top)
	for _, s := range sites {
		fmt.Fprintf(&config, "  - name: %s\n    hosts: [%s.example]\n    upstreams: [%s]\n    issuers: [vneid]\n", s.name, s.name, s.upstreams)
		for line := range strings.Lines(rules + "\n" + s.more) {
			config.WriteString("    " + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	g := serve(t, config.String())
	g.awaitReady(t)
	return &faulted{g, issuer, key, g.footprint(t)}
}

// token returns a good token of a citizen.
func (g *faulted) token(t testing.TB) string {
	t.Helper()
	token, err := g.issuer.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// from asks a site, with GET unless r says otherwise.
func (p *process) from(t testing.TB, site string, r request) answer {
	t.Helper()
	r.host = site + ".example"
	return send(t, p.data, r)
}

// total adds up all lines of a metric that have these labels, in pairs.
func (p *process) total(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	sum := 0.0
	for line := range strings.Lines(get(t, p.admin+"/metrics").body) {
		text, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if text != "vneid_gateway_"+name && !strings.HasPrefix(text, "vneid_gateway_"+name+"{") {
			continue
		}
		matches := true
		for i := 0; i < len(labels); i += 2 {
			matches = matches && strings.Contains(text, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
		}
		var v float64
		if err := json.Unmarshal([]byte(value), &v); err != nil {
			t.Fatal(err)
		}
		if matches {
			sum += v
		}
	}
	return sum
}

// awaitTotal returns when a total is what is wanted.
func (p *process) awaitTotal(t testing.TB, want float64, name string, labels ...string) {
	t.Helper()
	p.awaitThat(t, fmt.Sprintf("%s %q = %v", name, labels, want), func() bool { return p.total(t, name, labels...) == want })
}

// footprint is what a gateway holds that it has to give back.
type footprint struct{ goroutines, files float64 }

func (p *process) footprint(t testing.TB) footprint {
	t.Helper()
	return footprint{p.metric(t, "go_goroutines"), p.metric(t, "process_open_fds")}
}

// footprintSlack is for what is made once, with the first request, and for the
// scrapes themselves.
const footprintSlack = 8

// endsWithoutTrace waits until the gateway holds no more than it did before, but
// for upstream connections that it keeps, and stops it.
func (g *faulted) endsWithoutTrace(t testing.TB) {
	t.Helper()
	before := g.before
	var after footprint
	var kept float64
	g.awaitThat(t, "no request, goroutine or file left over", func() bool {
		after, kept = g.footprint(t), g.total(t, "upstream_connections")
		return g.total(t, "in_flight_requests")+g.total(t, "upstream_requests_in_flight")+g.total(t, "connections") == 0 &&
			after.goroutines <= before.goroutines+footprintSlack && after.files <= before.files+kept+footprintSlack
	})
	t.Logf("goroutines %v before, %v after; files %v before, %v after, %v of them kept connections to upstreams",
		before.goroutines, after.goroutines, before.files, after.files, kept)
	g.stop(t)
}

// record starts an upstream that keeps what it gets.
func record(t testing.TB, answer func(origin.Request) origin.Answer) *origin.Recorder {
	t.Helper()
	r, err := origin.Record(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// respond is an answer that keeps the connection open.
func respond(status, body string) origin.Answer {
	return origin.Answer{Raw: fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)}
}

// switched answers well while it is on, and else as a proxy does whose own
// upstream is gone.
type switched struct{ off atomic.Bool }

func (s *switched) answer(origin.Request) origin.Answer {
	if s.off.Load() {
		return respond("502 Bad Gateway", "ill")
	}
	return origin.OK()
}

// gained returns how many requests each recorder got since the last call.
func gained(seen []int, recorders ...*origin.Recorder) []int {
	gains := make([]int, len(recorders))
	for i, r := range recorders {
		n := len(r.Requests())
		gains[i], seen[i] = n-seen[i], n
	}
	return gains
}

// handle starts an upstream that speaks HTTP by the book.
func handle(t testing.TB, handler http.HandlerFunc) *loopback.Server {
	t.Helper()
	ln, err := loopback.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s := loopback.Serve(ln, handler)
	t.Cleanup(func() { _ = s.Close() })
	return s
}
