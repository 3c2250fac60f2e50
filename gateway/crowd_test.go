package gateway

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// Three quarters of what may be in flight is taken by others: of the tokens, those
// that are known pass, and those that another is asked about. A new one has to wait
// for better times, and comes through then.
func TestInACrowdOnlyNewTokensAreRefused(t *testing.T) {
	t.Parallel()
	const held = 6
	release := make(chan struct{})
	p := newPortal(t, "", "", setup{
		top: "overload: { least_requests: 8, most_requests: 8 }",
		answer: func(r origin.Request) origin.Answer {
			if bytes.HasPrefix(r.Head, []byte("GET /open/held ")) {
				<-release
			}
			return origin.OK()
		},
	})
	known, fresh := p.legacyToken(), p.legacyToken()
	p.warm(known)
	crowd := make([]*client, held)
	for i := range crowd {
		crowd[i] = p.dial().send(request("GET", "/open/held"))
	}
	p.eventually("crowded", func() bool { return p.metric("in_flight_requests") == held })

	shed := p.metric("shed_total", "class=verification")
	p.want(200, "", "/private", known)
	p.want(200, "", "/private", p.opaque())
	p.want(200, "", "/open/x", "")
	misses := p.metric("verdict_cache_lookups_total", "result=miss")
	for range 3 {
		a := p.get("/private", bearer(fresh))
		if a.status != 503 || a.code != "overloaded" || a.header.Get("Retry-After") == "" {
			t.Errorf("a new token: %d %s, Retry-After %q", a.status, a.code, a.header.Get("Retry-After"))
		}
	}
	if a := p.get("/private", bearer(fresh), "Accept: text/html"); a.status != 503 || !strings.HasPrefix(a.body, "<!doctype html>") {
		t.Errorf("a browser: %d %.40q", a.status, a.body)
	}
	p.wantMetric(shed+4, "shed_total", "class=verification")
	p.wantMetric(misses+4, "verdict_cache_lookups_total", "result=miss")

	close(release)
	for _, c := range crowd {
		if a := c.answer("GET"); a.status != 200 {
			t.Errorf("of the crowd: %d %s", a.status, a.code)
		}
	}
	p.idle()
	p.want(200, "", "/private", fresh)
}
