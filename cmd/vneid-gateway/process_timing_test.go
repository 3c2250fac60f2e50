package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const (
	// warmToPublic bounds what a verified request on a warm token may cost the
	// process, as a multiple of what a public route costs it.
	warmToPublic = 1.25

	timedConns  = 64
	timedTokens = 1000
	// Many short rounds, each begun by another route, so that noise of the
	// machine meets all alike; their clock ticks are summed.
	timedRounds   = 16
	timedRequests = 150 // of one connection in one round
	// clockTick is the unit of /proc/PID/stat on Linux, whatever the kernel's
	// own is.
	clockTick = 10 * time.Millisecond
)

// BenchmarkProcessCPU measures what a request costs the real binary, limited
// to one core, in µs of CPU time: on a public route, and on a route that wants
// a token, which is warm. It fails where a warm token costs more than
// [warmToPublic] times a public request. CPU time is compared, not elapsed time.
func BenchmarkProcessCPU(b *testing.B) {
	w := newTimedWorld(b)
	for b.Loop() {
		w.measure(b)
	}
	public := w.cost("public")
	// The benchmark's own clock says nothing about the process.
	b.ReportMetric(0, "ns/op")
	for _, r := range w.routes {
		cost := w.cost(r.name)
		b.ReportMetric(cost, r.name+"-cpu-µs/req")
		if r.name == "public" {
			continue
		}
		b.ReportMetric(cost/public, r.name+"-ratio")
		if cost > warmToPublic*public {
			b.Errorf("%s costs %.2f µs of CPU a request, %.2f times the %.2f µs of a public route; at most %.2f is allowed",
				r.name, cost, cost/public, public, warmToPublic)
		}
	}
}

// timedRoute is one kind of request; its connections take turns through the
// requests.
type timedRoute struct {
	name     string
	requests [][]byte
}

type timedWorld struct {
	gateway *process
	routes  []timedRoute
	conns   []*rawConn
	used    map[string]time.Duration // CPU time by route.
	sent    int                      // Requests of each route.
}

// cost returns µs of CPU time a request.
func (w *timedWorld) cost(route string) float64 {
	return float64(w.used[route].Microseconds()) / float64(w.sent)
}

func newTimedWorld(b *testing.B) *timedWorld {
	b.Helper()
	algorithms := []string{"RS256", "ES256", "EdDSA"}
	var keys []*corpus.Key
	for _, alg := range algorithms {
		key, err := corpus.NewKey(alg, "timed-"+alg)
		if err != nil {
			b.Fatal(err)
		}
		keys = append(keys, key)
	}
	issuer, err := backend.Start(b.Context(), backend.Config{Keys: keys})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = issuer.Close() })

	w := &timedWorld{
		gateway: serve(b, ownConfig(issuer.Issuer(), startTimedUpstream(b), "limits: { requests_per_connection: 0 }"), "GOMAXPROCS=1"),
		used:    map[string]time.Duration{},
	}
	w.gateway.awaitReady(b)
	w.routes = []timedRoute{{"public", [][]byte{rawRequest("GET", testHost, openPages, "")}}}
	for _, alg := range algorithms {
		route := timedRoute{name: alg}
		for range timedTokens {
			token, err := issuer.Token(backend.Citizen2, alg)
			if err != nil {
				b.Fatal(err)
			}
			route.requests = append(route.requests, rawRequest("GET", testHost, reading, token))
		}
		w.routes = append(w.routes, route)
	}
	for range timedConns {
		c, err := dialRaw(w.gateway.data)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(c.close)
		w.conns = append(w.conns, c)
	}
	for _, r := range w.routes {
		w.drive(b, r)
	}
	return w
}

// measure adds [timedRounds] rounds over all routes.
func (w *timedWorld) measure(b *testing.B) {
	b.Helper()
	const verified = `vneid_gateway_verifications_total{issuer="vneid",reason="none"}`
	cold := w.gateway.metric(b, verified)
	for round := range timedRounds {
		for i := range w.routes {
			r := w.routes[(round+i)%len(w.routes)]
			before := cpuTime(b, w.gateway.pid)
			w.drive(b, r)
			w.used[r.name] += cpuTime(b, w.gateway.pid) - before
		}
		w.sent += timedConns * timedRequests
	}
	cold = w.gateway.metric(b, verified) - cold
	if total := float64(timedRounds * timedConns * timedRequests * (len(w.routes) - 1)); cold > total/1000 {
		b.Fatalf("%.0f of %.0f tokens were not warm", cold, total)
	}
}

// drive sends the requests of one round over all connections.
func (w *timedWorld) drive(b *testing.B, r timedRoute) {
	b.Helper()
	var clients sync.WaitGroup
	for i, c := range w.conns {
		clients.Go(func() {
			for n := range timedRequests {
				status, _, err := c.do(r.requests[(i*timedRequests+n)%len(r.requests)])
				if err != nil || status != http.StatusOK {
					b.Errorf("%s: status %d, %v", r.name, status, err)
					return
				}
			}
		})
	}
	clients.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// startTimedUpstream serves a small answer with as little CPU as it can.
func startTimedUpstream(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(strings.Repeat("x", 256))
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.Response.SetBodyRaw(body) }}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	b.Cleanup(func() {
		if err := errors.Join(server.Shutdown(), <-ended); err != nil {
			b.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

// cpuTime returns the time that all threads of a process were running, in user
// mode and in the kernel.
func cpuTime(b testing.TB, pid int) time.Duration {
	b.Helper()
	user, kernel := cpuTimes(b, pid)
	return user + kernel
}

// cpuTimes tells the time in user mode from that in the kernel.
func cpuTimes(b testing.TB, pid int) (user, kernel time.Duration) {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("CPU time is known from /proc only:", err)
	}
	// proc(5): the second field, the name, may hold blanks; utime and stime
	// are the 14th and 15th.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	var times [2]time.Duration
	for i, field := range fields[11:13] {
		ticks, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		times[i] = time.Duration(ticks) * clockTick
	}
	return times[0], times[1]
}
