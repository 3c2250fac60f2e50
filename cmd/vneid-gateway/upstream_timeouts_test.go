package main

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// listenMute takes connections and never says anything.
func listenMute(t testing.TB) (address string) {
	t.Helper()
	ln, err := loopback.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(io.Discard, conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	return ln.Addr().String()
}

func TestEachTimeLimitOfAnExchangeHasItsAnswer(t *testing.T) {
	t.Parallel()
	mute := record(t, origin.Always(origin.Answer{}))
	halting := record(t, origin.Always(origin.Answer{Raw: []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")}))
	dying := record(t, origin.Always(origin.Answer{End: origin.Close}))
	cases := []struct {
		name, upstream, timeouts string
		status                   int
		code, dialFailure        string
		sent                     *origin.Recorder
	}{
		{"nobody listens", "http://" + reserve(t), "{}", http.StatusBadGateway, "upstream_unreachable", "refused", nil},
		{"no socket there", "unix:/nonexistent/site.sock", "{}", http.StatusBadGateway, "upstream_unreachable", "refused", nil},
		{"connect, the handshake included", "https://" + listenMute(t), "{ connect: 100ms }", http.StatusBadGateway, "upstream_unreachable", "timeout", nil},
		{"total while connecting", "https://" + listenMute(t), "{ connect: 1m, total: 100ms }", http.StatusGatewayTimeout, "upstream_timeout", "timeout", nil},
		{"first byte", mute.URL(), "{ first_byte: 100ms }", http.StatusGatewayTimeout, "upstream_timeout", "", mute},
		{"total before the head", mute.URL(), "{ first_byte: 1m, total: 300ms }", http.StatusGatewayTimeout, "upstream_timeout", "", mute},
		{"idle in a short body", halting.URL(), "{ idle: 100ms }", http.StatusGatewayTimeout, "upstream_timeout", "", halting},
		{"total in a short body", halting.URL(), "{ idle: 1m, total: 300ms }", http.StatusGatewayTimeout, "upstream_timeout", "", halting},
		{"closed without an answer", dying.URL(), "{}", http.StatusBadGateway, "upstream_closed", "", dying},
	}
	var sites []faultSite
	for i, c := range cases {
		sites = append(sites, faultSite{"s" + strconv.Itoa(i), c.upstream, "timeouts: " + c.timeouts})
	}
	g := publicGateway(t, sites...)
	for i, c := range cases {
		site := "s" + strconv.Itoa(i)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			before := 0
			if c.sent != nil {
				before = len(c.sent.Requests())
			}
			a := g.from(t, site, request{method: method, path: "/"})
			t.Logf("%s, %s: %d %s", c.name, method, a.status, c.code)
			a.refusedWith(t, c.status, c.code)
			if c.sent != nil && len(c.sent.Requests()) != before+1 {
				t.Errorf("%s, %s: sent %d times", c.name, method, len(c.sent.Requests())-before)
			}
		}
		if n := g.total(t, "requests_total", "site", site, "reason", c.code); n != 2 {
			t.Errorf("%s: %v requests with its reason", c.name, n)
		}
		if c.dialFailure != "" {
			if n := g.total(t, "upstream_dial_failures_total", "site", site, "reason", c.dialFailure); n != 2 {
				t.Errorf("%s: %v dial failures with reason %s", c.name, n, c.dialFailure)
			}
		}
		if n := g.total(t, "upstream_failures_total", "site", site); n != 2 && !strings.HasPrefix(c.name, "total while connecting") {
			t.Errorf("%s: %v failures held against the upstream", c.name, n)
		}
	}
	g.leavesNoTrace(t)
	g.stop(t)
}

// A request that found no connection to its upstream goes to another: nothing of
// it was sent.
func TestAnUpstreamThatTakesNoConnectionIsPassedOver(t *testing.T) {
	t.Parallel()
	const requests = 20
	well := record(t, origin.Always(origin.OK()))
	nobody := reserve(t)
	g := publicGateway(t, faultSite{"s", "http://" + nobody + ", " + well.URL(), "balance: round_robin\nejection: { after: 0 }\nbreaker: { break_after: 10000 }"})
	for range requests {
		if a := g.from(t, "s", request{method: http.MethodPost, path: "/"}); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	passed := g.total(t, "upstream_retries_total", "upstream", nobody, "cause", "passed_over")
	t.Logf("%d requests, %v of them passed over, %d arrived", requests, passed, len(well.Requests()))
	if passed < requests/2 || len(well.Requests()) != requests {
		t.Error("it was never tried")
	}
	g.leavesNoTrace(t)
	g.stop(t)
}

func TestNoMoreConnectionsThanAllowedGoToAnUpstream(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	held := record(t, func(origin.Request) origin.Answer {
		<-release
		return origin.OK()
	})
	g := publicGateway(t, faultSite{"s", held.URL(), "max_upstream_connections: 2"})
	done := sync.OnceFunc(func() { close(release) })
	defer done()
	var clients sync.WaitGroup
	for range 2 {
		clients.Go(func() {
			if a := g.from(t, "s", request{path: "/"}); a.status != http.StatusOK {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	g.awaitTotal(t, 2, "upstream_requests_in_flight")
	g.from(t, "s", request{path: "/"}).refusedWith(t, http.StatusServiceUnavailable, "upstream_saturated")
	if n := g.total(t, "upstream_connections"); n != 2 {
		t.Errorf("%v connections", n)
	}
	done()
	clients.Wait()
	g.leavesNoTrace(t)
	g.stop(t)
}
