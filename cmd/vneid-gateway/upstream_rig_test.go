package main

import (
	"fmt"
	"net/http"
	"strconv"
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
	// goroutines and files are what it held before any request.
	goroutines, files float64
}

const publicRules = `rules: [{ paths: ["/**"], access: public }]`

// publicGateway starts the binary in front of sites that ask for nothing.
func publicGateway(t *testing.T, sites ...faultSite) *faulted {
	t.Helper()
	return faultGateway(t, publicRules, "", sites)
}

// guardedGateway starts the binary in front of sites that want a credential;
// top is what the configuration says besides.
func guardedGateway(t *testing.T, top string, sites ...faultSite) *faulted {
	t.Helper()
	return faultGateway(t, "", top, sites)
}

func faultGateway(t *testing.T, rules, top string, sites []faultSite) *faulted {
	t.Helper()
	return faultGatewayBy(t, func(config string) *process { return serve(t, config) }, rules, top, sites)
}

// faultGatewayBy lets launch start the binary.
func faultGatewayBy(t *testing.T, launch func(config string) *process, rules, top string, sites []faultSite) *faulted {
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
	g := launch(config.String())
	g.awaitReady(t)
	return &faulted{g, issuer, key, g.metric(t, "go_goroutines"), g.metric(t, "process_open_fds")}
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
func (g *faulted) from(t testing.TB, site string, r request) answer {
	t.Helper()
	r.host = site + ".example"
	return send(t, g.data, r)
}

// total adds up the series of a metric that have these labels, in pairs.
func (g *faulted) total(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	var set []string
	for i := 0; i < len(labels); i += 2 {
		set = append(set, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
	}
	return g.sum(t, "vneid_gateway_"+name, set...)
}

// awaitTotal returns when a total is what is wanted.
func (g *faulted) awaitTotal(t *testing.T, want float64, name string, labels ...string) {
	t.Helper()
	g.awaitThat(t, fmt.Sprintf("%s %q = %v", name, labels, want), func() bool { return g.total(t, name, labels...) == want })
}

// footprintSlack is for what is made once, with the first request, and for the
// scrapes themselves.
const footprintSlack = 8

// leavesNoTrace waits until the gateway holds no more than it did before, but for
// upstream connections that it keeps. It is to have held no more memory than its
// ceiling at any time.
func (g *faulted) leavesNoTrace(t *testing.T) {
	t.Helper()
	var now map[string]float64
	var open, kept float64
	defer func() {
		t.Logf("goroutines %v before, %v after; files %v before, %v after, %v of them kept connections to upstreams; %v requests, tunnels and clients; peak resident set %d MiB",
			g.goroutines, now["go_goroutines"], g.files, now["process_open_fds"], kept, open, residentPeak(t, g.pid)>>20)
	}()
	eventually(t, "without a request, goroutine or file left over", func() bool {
		now = g.totals(t)
		open = now["vneid_gateway_in_flight_requests"] + now["vneid_gateway_connections"] + now["vneid_gateway_tunnels"] +
			now["vneid_gateway_upstream_requests_in_flight"]
		kept = now["vneid_gateway_upstream_connections"]
		return open == 0 && now["go_goroutines"] <= g.goroutines+footprintSlack && now["process_open_fds"] <= g.files+kept+footprintSlack
	})
	if n := now["vneid_gateway_panics_total"]; n != 0 {
		t.Errorf("%v panics", n)
	}
	if peak := residentPeak(t, g.pid); peak > residentCeiling {
		t.Errorf("it held up to %d MiB", peak>>20)
	}
}

// totals adds up the series of each metric, in one scrape.
func (g *faulted) totals(t *testing.T) map[string]float64 {
	t.Helper()
	all := make(map[string]float64)
	for line := range strings.Lines(get(t, g.admin+"/metrics").body) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		name, _, _ := strings.Cut(line[:max(at, 0)], "{")
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64)
		if err != nil {
			t.Fatal(err)
		}
		all[name] += value
	}
	return all
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
