package main

import (
	"net/http"
	"strconv"
	"testing"
)

// rateBurst is how many requests of one kind may come at once; a rate of one a
// second adds hardly any during a test.
const rateBurst = 5

// spends sends requests until some were refused for a rate, and returns how
// many.
func (c *edgeConn) spends(t *testing.T, request string) (refused float64) {
	t.Helper()
	served := 0
	for sent := 0; refused < 3; sent++ {
		a, last := c.send(request).answerLast()
		if last {
			t.Fatal("the connection was not to be closed")
		}
		if a.status == http.StatusOK {
			served++
		} else {
			a.refusedWith(t, http.StatusTooManyRequests, "rate_limited")
			if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 1 {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
			refused++
		}
		if sent == 100*rateBurst {
			t.Fatalf("%d served", served)
		}
	}
	if served < rateBurst {
		t.Errorf("%d were served of a burst of %d", served, rateBurst)
	}
	return refused
}

// TestRatesAreBoundedBySiteClientAndSource has a site for each, so that one
// cannot stand for another.
func TestRatesAreBoundedBySiteClientAndSource(t *testing.T) {
	t.Parallel()
	site := func(name, limit string) string {
		return `
  - name: ` + name + `
    hosts: [` + name + `.gov.vn]
    upstreams: ["UPSTREAM"]
    issuers: [vneid]
    rules: [{ paths: [/**], access: public }, { paths: [` + reading + `] }]
    rate_limits: { ` + limit + `: { per_second: 1, burst: 5 } }`
	}
	g := startEdge(t, edgeConfig{sites: site("hue", "site") + site("danang", "client") + site("cantho", "source")})
	open := func(host string) string { return string(rawRequest(http.MethodGet, host, openPages, "")) }
	signed := func(host, client string) string {
		return string(rawRequest(http.MethodGet, host, reading, g.tokenOf(t, client)))
	}
	one, other := g.dial(t, "127.0.0.1"), g.dial(t, "127.0.0.2")
	passes := func(c *edgeConn, request string) {
		t.Helper()
		c.send(request).answer().echo(t)
	}
	limited := func(name, limit string, want float64) {
		t.Helper()
		if n := g.metric(t, `vneid_gateway_rate_limited_total{limit="`+limit+`",site="`+name+`"}`); n != want {
			t.Errorf("%v counted for the %s of %s, want %v", n, limit, name, want)
		}
		if n := g.sum(t, "vneid_gateway_requests_total", `site="`+name+`"`, `reason="rate_limited"`); n != want {
			t.Errorf("%v requests of %s were rate_limited, want %v", n, name, want)
		}
	}

	n := one.spends(t, open("hue.gov.vn"))
	n += other.spendsNothing(t, open("hue.gov.vn")) // for all alike
	limited("hue", "site", n)

	n = one.spends(t, signed("danang.gov.vn", "cong-dvc"))
	n += other.spendsNothing(t, signed("danang.gov.vn", "cong-dvc")) // another token and address of the same client
	passes(one, signed("danang.gov.vn", "kiosk"))
	passes(one, open("danang.gov.vn")) // of nobody
	limited("danang", "client", n)

	n = one.spends(t, open("cantho.gov.vn"))
	n += one.spendsNothing(t, signed("cantho.gov.vn", "kiosk")) // another client at the same address
	passes(other, open("cantho.gov.vn"))
	limited("cantho", "source", n)

	passes(one, edgeGet) // a site without any
	if n := g.sum(t, "vneid_gateway_rate_limit_crowded_total"); n != 0 {
		t.Errorf("%v crowded", n)
	}
	_, _ = one.Close(), other.Close()
	t.Logf("%v requests over a rate", g.refusals(t, "rate_limited"))
	g.finish(t)
}

// spendsNothing sends a request that finds nothing left of a burst, or what a
// second has brought of it, and returns how many were refused: 1 in the end.
func (c *edgeConn) spendsNothing(t *testing.T, request string) float64 {
	t.Helper()
	for range rateBurst {
		a := c.send(request).answer()
		if a.status != http.StatusOK {
			a.refusedWith(t, http.StatusTooManyRequests, "rate_limited")
			return 1
		}
	}
	t.Errorf("a burst of its own")
	return 0
}
