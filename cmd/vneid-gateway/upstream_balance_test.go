package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

func TestTwoChoicesLeaveABusyUpstreamAlone(t *testing.T) {
	t.Parallel()
	const held, sequential = 8, 60
	var releases [3]chan struct{}
	var recorders [3]*origin.Recorder
	var urls []string
	for i := range recorders {
		releases[i] = make(chan struct{})
		recorders[i] = record(t, func(r origin.Request) origin.Answer {
			if strings.HasPrefix(string(r.Head), "GET /held ") {
				<-releases[i]
			}
			return origin.OK()
		})
		urls = append(urls, recorders[i].URL())
	}
	g := publicGateway(t, faultSite{"s", strings.Join(urls, ", "), ""})
	release := sync.OnceFunc(func() { close(releases[0]) })
	defer release()
	var clients sync.WaitGroup
	for range held {
		clients.Go(func() {
			if a := g.from(t, "s", request{path: "/held"}); a.status != http.StatusOK {
				t.Errorf("a held request: %d %s", a.status, a.body)
			}
		})
	}
	g.awaitTotal(t, held, "upstream_requests_in_flight")
	close(releases[1])
	close(releases[2])
	at := func(i int) float64 {
		return g.total(t, "upstream_requests_in_flight", "upstream", recorders[i].Address())
	}
	g.awaitThat(t, "two are idle", func() bool { return at(1)+at(2) == 0 })
	if at(0) == 0 {
		t.Error("the first upstream got none of the requests that were held")
	}
	seen := make([]int, 3)
	spread := gained(seen, recorders[:]...)
	for range sequential {
		if a := g.from(t, "s", request{path: "/"}); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	got := gained(seen, recorders[:]...)
	t.Logf("%d requests at a time: %v; %d one by one while the first was busy: %v", held, spread, sequential, got)
	if got[0] != 0 || got[1] == 0 || got[2] == 0 || got[1]+got[2] != sequential {
		t.Error("not so")
	}
	release()
	clients.Wait()
	g.leavesNoTrace(t)
	g.stop(t)
}

func TestRoundRobinGivesEachUpstreamItsTurn(t *testing.T) {
	t.Parallel()
	var recorders []*origin.Recorder
	var urls []string
	for range 3 {
		r := record(t, origin.Always(origin.OK()))
		recorders, urls = append(recorders, r), append(urls, r.URL())
	}
	g := publicGateway(t, faultSite{"s", strings.Join(urls, ", "), "balance: round_robin"})
	for range 30 {
		if a := g.from(t, "s", request{path: "/"}); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	got := gained(make([]int, 3), recorders...)
	t.Logf("30 requests: %v", got)
	if !slices.Equal(got, []int{10, 10, 10}) {
		t.Error("not in turn")
	}
	g.leavesNoTrace(t)
	g.stop(t)
}

func TestHealthChecksTakeAnUpstreamOutAndBack(t *testing.T) {
	t.Parallel()
	const requests = 20
	var ill [2]atomic.Bool
	var served [2]atomic.Int64
	var addresses, urls []string
	for i := range ill {
		s := handle(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				served[i].Add(1)
			} else if ill[i].Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		addresses, urls = append(addresses, s.Address()), append(urls, s.URL())
	}
	const checks = `balance: round_robin
health_check: { path: /healthz, interval: 100ms, timeout: 5s, healthy: 2, unhealthy: %d }
ejection: { slow_return: 0s }`
	g := publicGateway(t, faultSite{"s", strings.Join(urls, ", "), fmt.Sprintf(checks, 2)},
		faultSite{"patient", strings.Join(urls, ", "), fmt.Sprintf(checks, 100)})
	ask := func(first, second int64) {
		t.Helper()
		for i := range served {
			served[i].Store(0)
		}
		for range requests {
			if a := g.from(t, "s", request{path: "/"}); a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		t.Logf("%d requests: %d and %d", requests, served[0].Load(), served[1].Load())
		if served[0].Load() != first || served[1].Load() != second {
			t.Errorf("want %d and %d", first, second)
		}
	}
	ask(requests/2, requests/2)
	ill[0].Store(true)
	g.awaitTotal(t, 1, "upstream_addresses", "site", "s", "upstream", addresses[0], "state", "down")
	ask(0, requests)
	ill[1].Store(true)
	g.awaitTotal(t, 2, "upstream_addresses", "site", "s", "state", "down")
	if n := g.total(t, "upstream_addresses", "site", "patient", "state", "down"); n != 0 {
		t.Errorf("%v are out that may fail more checks", n)
	}
	a := g.from(t, "s", request{path: "/"})
	a.refusedWith(t, http.StatusServiceUnavailable, "upstream_unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	ill[0].Store(false)
	ill[1].Store(false)
	g.awaitTotal(t, 2, "upstream_addresses", "site", "s", "state", "up")
	ask(requests/2, requests/2)
	if bad := g.total(t, "upstream_health_checks_total", "site", "s", "result", "bad"); bad < 4 {
		t.Errorf("%v bad checks", bad)
	}
	g.leavesNoTrace(t)
	g.stop(t)
}

func TestFailuresEjectAnUpstreamAndItComesBackSlowly(t *testing.T) {
	t.Parallel()
	const requests = 400
	var bad [2]switched
	var recorders []*origin.Recorder
	var sites []faultSite
	for i, ejection := range []string{
		"{ after: 3, share: 50, for: 1h, at_most: 1h }",
		"{ after: 3, share: 50, for: 100ms, slow_return: 10m }",
	} {
		ill, well := record(t, bad[i].answer), record(t, origin.Always(origin.OK()))
		recorders = append(recorders, ill, well)
		sites = append(sites, faultSite{
			"s" + strconv.Itoa(i), ill.URL() + ", " + well.URL(), "balance: round_robin\nejection: " + ejection,
		})
	}
	g := publicGateway(t, sites...)
	c, err := dialRaw(g.data)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(site string, n int) (failed int) {
		t.Helper()
		for range n {
			status, last, err := c.do(rawRequest("GET", site+".example", "/", ""))
			if err != nil || last || status != http.StatusOK && status != http.StatusBadGateway {
				t.Fatalf("status %d, last %v, %v", status, last, err)
			}
			if status != http.StatusOK {
				failed++
			}
		}
		return failed
	}
	for i := range bad {
		site := "s" + strconv.Itoa(i)
		bad[i].off.Store(true)
		if failed := ask(site, 6); failed != 3 {
			t.Errorf("%s: %d of 6 requests failed, want 3: the upstream's own answer is passed on", site, failed)
		}
		bad[i].off.Store(false)
		if n := g.total(t, "upstream_ejections_total", "site", site, "upstream", recorders[2*i].Address()); n != 1 {
			t.Errorf("%s: %v ejections", site, n)
		}
	}
	seen := make([]int, 4)
	gained(seen, recorders...)
	out := ask("s0", requests)
	g.awaitTotal(t, 1, "upstream_addresses", "site", "s1", "state", "returning")
	out += ask("s1", requests)
	got := gained(seen, recorders...)
	t.Logf("%d requests while ejected: %v; %d while returning: %v", requests, got[:2], requests, got[2:])
	if out != 0 || got[0] != 0 || got[1] != requests {
		t.Errorf("an ejected upstream is used, or %d requests failed", out)
	}
	// A tenth of its half of the requests.
	if got[2] == 0 || got[2] > requests/4 || got[2]+got[3] != requests {
		t.Error("an upstream that returns gets too much or nothing")
	}
	if n := g.total(t, "upstream_addresses", "site", "s0", "state", "ejected"); n != 1 {
		t.Errorf("%v ejected", n)
	}
	c.close()
	g.leavesNoTrace(t)
	g.stop(t)
}

func TestAnOpenBreakerRefusesWithoutTouchingTheUpstream(t *testing.T) {
	t.Parallel()
	const requests = 500
	// A response that can be read in two ways; one that is whole, whatever its
	// status, opens no breaker.
	broken := respond("200 OK\r\nContent-Length: 9", "ill")
	ill := record(t, origin.Always(broken))
	var off atomic.Bool
	mended := record(t, func(origin.Request) origin.Answer {
		if off.Load() {
			return broken
		}
		return origin.OK()
	})
	const breaks = "ejection: { after: 0 }\nbreaker: { break_after: 3, break_for: %s }"
	g := publicGateway(t,
		faultSite{"out", ill.URL(), fmt.Sprintf(breaks, "10m")}, faultSite{"back", mended.URL(), fmt.Sprintf(breaks, "100ms")})
	for range 3 {
		g.from(t, "out", request{path: "/"}).refusedWith(t, http.StatusBadGateway, "upstream_response_malformed")
	}
	touched, connections := len(ill.Requests()), ill.Connections()
	a := g.from(t, "out", request{path: "/"})
	a.refusedWith(t, http.StatusServiceUnavailable, "upstream_unavailable")
	if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after <= 500 || after > 600 {
		t.Errorf("Retry-After %q, with 10 minutes to go", a.header.Get("Retry-After"))
	}
	c, err := dialRaw(g.data)
	if err != nil {
		t.Fatal(err)
	}
	for range requests {
		if status, last, err := c.do(rawRequest("POST", "out.example", "/", "")); status != http.StatusServiceUnavailable || last || err != nil {
			t.Fatalf("status %d, last %v, %v", status, last, err)
		}
	}
	c.close()
	t.Logf("%d requests refused; the upstream saw %d requests on %d connections before, %d on %d after",
		requests+1, touched, connections, len(ill.Requests()), ill.Connections())
	if touched != 3 || len(ill.Requests()) != touched || ill.Connections() != connections {
		t.Error("the upstream was touched")
	}
	if open := g.total(t, "upstream_addresses", "site", "out", "state", "breaker_open"); open != 1 {
		t.Errorf("%v breakers open", open)
	}
	if n := g.total(t, "requests_total", "site", "out", "reason", "upstream_unavailable"); n != requests+1 {
		t.Errorf("%v refusals counted", n)
	}

	off.Store(true)
	for range 3 {
		g.from(t, "back", request{path: "/"})
	}
	off.Store(false)
	g.awaitThat(t, "the breaker lets a trial through", func() bool {
		return g.from(t, "back", request{path: "/"}).status == http.StatusOK
	})
	if n := g.total(t, "upstream_breaker_opened_total", "site", "back"); n != 1 {
		t.Errorf("it opened %v times", n)
	}
	g.leavesNoTrace(t)
	g.stop(t)
}
