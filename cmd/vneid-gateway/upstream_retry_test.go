package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// moody is an upstream that answers the first request of each connection and
// closes behind the second without a word: to the gateway, a kept connection
// that was closed while its request was under way.
type moody struct {
	mu   sync.Mutex
	seen map[int]bool
}

func (m *moody) answer(r origin.Request) origin.Answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = make(map[int]bool)
	}
	if m.seen[r.Conn] {
		return origin.Answer{End: origin.Close}
	}
	m.seen[r.Conn] = true
	return origin.OK()
}

func TestOnlyAnIdempotentRequestOnAStaleConnectionIsSentAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, site string
		served       bool
	}{
		{http.MethodGet, "tries", true},
		{http.MethodPut, "tries", true}, // without a body
		{http.MethodDelete, "tries", true},
		{http.MethodPost, "tries", false},
		{http.MethodPatch, "tries", false},
		{http.MethodGet, "never", false},
	} {
		t.Run(c.method+" "+c.site, func(t *testing.T) {
			t.Parallel()
			upstream := record(t, new(moody).answer)
			g := publicGateway(t, faultSite{"tries", upstream.URL(), ""}, faultSite{"never", upstream.URL(), "retry: { attempts: 1 }"})
			if a := g.from(t, c.site, request{path: "/first"}); a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
			a := g.from(t, c.site, request{method: c.method, path: "/second"})
			want, stale := 2, 0
			if c.served {
				want, stale = 3, 1
				if a.status != http.StatusOK {
					t.Errorf("%d %s", a.status, a.body)
				}
			} else {
				a.refusedWith(t, http.StatusBadGateway, "upstream_closed")
			}
			if n := len(upstream.Requests()); n != want {
				t.Errorf("the upstream saw %d requests, want %d", n, want)
			}
			if n := g.total(t, "upstream_retries_total", "cause", "stale"); n != float64(stale) {
				t.Errorf("%v retries counted, want %d", n, stale)
			}
			g.leavesNoTrace(t)
			g.stop(t)
		})
	}
}

// An upstream that closes on every other request doubles the load on itself if
// each is sent again. Beyond the budget they fail instead.
func TestRetriesKeepWithinTheirBudget(t *testing.T) {
	t.Parallel()
	const requests, percent = 200, 10
	upstream := record(t, new(moody).answer)
	g := publicGateway(t, faultSite{"s", upstream.URL(), fmt.Sprintf(
		"retry: { attempts: 2, percent: %d, per_second: 0 }\nejection: { after: 0 }\nbreaker: { break_after: 10000 }", percent)})
	c, err := dialRaw(g.data)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for range requests {
		status, last, err := c.do(rawRequest("GET", "s.example", "/", ""))
		if err != nil || last {
			t.Fatalf("last %v, %v", last, err)
		}
		if status != http.StatusOK {
			failed++
		}
	}
	c.close()
	again := g.total(t, "upstream_retries_total", "cause", "stale")
	over := g.total(t, "upstream_retries_total", "cause", "over_budget")
	sent := len(upstream.Requests())
	t.Logf("%d requests, %v sent again, %v not for want of budget, %d failed; the upstream saw %d", requests, again, over, failed, sent)
	if again == 0 || again > float64(sent*percent/100+1) || over == 0 || int(over) != failed || sent != requests+int(again) {
		t.Error("not within the budget")
	}
	g.leavesNoTrace(t)
	g.stop(t)
}

// What was sent with a POST is never sent again, however often connections
// break.
func TestNoPostReachesAnUpstreamTwice(t *testing.T) {
	t.Parallel()
	const requests = 100
	upstreams := []*origin.Recorder{record(t, new(moody).answer), record(t, new(moody).answer)}
	g := publicGateway(t, faultSite{"s", upstreams[0].URL() + ", " + upstreams[1].URL(), "retry: { attempts: 10, percent: 100, per_second: 1000 }"})
	failed := 0
	for i := range requests {
		a := g.from(t, "s", request{method: http.MethodPost, path: fmt.Sprintf("/%d", i)})
		if a.status != http.StatusOK {
			failed++
		}
	}
	seen := make(map[string]int)
	for _, u := range upstreams {
		for _, r := range u.Requests() {
			seen[r.Lines()[0]]++
		}
	}
	for line, n := range seen {
		if n > 1 {
			t.Errorf("%s: %d times", line, n)
		}
	}
	t.Logf("%d requests, %d failed, %d seen", requests, failed, len(seen))
	if failed == 0 || len(seen) < requests-failed {
		t.Error("no connection broke, or requests were answered that nobody saw")
	}
	g.leavesNoTrace(t)
	g.stop(t)
}
