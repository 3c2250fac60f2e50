package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// A half of 500 connections are still in the part of a body that is read before
// anything is decided, the others have an upstream's connection each.
func TestFiveHundredSlowWritersDoNotKeepOthersWaiting(t *testing.T) {
	t.Parallel()
	const slow, requests = 500, 200
	r := newRig(t, setup{top: "limits: { header_timeout: 5m, rate_grace: 10m }", site: strings.TrimSpace(defaultSite) + "\n    timeouts: { idle: 1h }"})
	conns := make([]*client, slow)
	for i := range conns {
		conns[i] = r.dial().send(openPost + "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", []int{1, 9000}[i%2]))
	}
	r.eventually("half of them under way", func() bool { return r.metric("in_flight_requests") == slow/2 })
	conn, tok := r.dial(), bearer(r.token())
	for i := range requests {
		conns[i%slow].send("x") // they go on, slowly
		if a := conn.send(request("GET", "/private", tok)).answer("GET"); a.status != 200 {
			t.Fatalf("request %d: %d %s", i, a.status, a.code)
		}
	}
	r.wantMetric(requests, "requests_total", "outcome=allowed")
	r.wantMetric(slow/2, "in_flight_requests")
	for i, c := range conns { // and they do arrive
		if i%2 == 0 {
			_ = c.Close()
			continue
		}
		c.send(strings.Repeat("x", 100000-9000))
	}
	for i, c := range conns {
		if i%2 == 1 {
			if a := c.answer("POST"); a.status != 200 {
				t.Errorf("%d: %d %s", i, a.status, a.code)
			}
		}
	}
}

func TestSlowBodiesAreCutByTheirRate(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{
		top:    "limits: { min_body_rate: 1MiB, rate_grace: 100ms }",
		site:   strings.TrimSpace(defaultSite) + "\n    timeouts: { idle: 1h }",
		answer: origin.Always(origin.OK()),
	})
	conns := make([]*client, 50)
	for i := range conns {
		conns[i] = r.dial().send(openPost + "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 9000))
	}
	for _, c := range conns {
		if a := c.answer("POST"); a.status != 408 || a.code != "request_timeout" || !a.closes {
			t.Errorf("%d %s, closes %v", a.status, a.code, a.closes)
		}
		c.wantEnd()
	}
	r.idle()
	r.wantMetric(50, "requests_total", "reason=request_timeout")
	r.wantMetric(0, "upstream_connections")
}

func TestAClientThatLeavesWhileItsUpstreamThinksIsCounted(t *testing.T) {
	t.Parallel()
	thinking, left := make(chan struct{}), make(chan struct{})
	r := newRig(t, setup{answer: func(origin.Request) origin.Answer {
		close(thinking)
		<-left
		return origin.OK()
	}})
	conn := r.dial().send(openGet + "\r\n")
	<-thinking
	_ = conn.Close()
	r.eventually("gone", func() bool { return r.metric("requests_total", "reason=client_gone") == 1 })
	r.eventually("closed", func() bool { return r.metric("upstream_connections")+r.metric("connections") == 0 })
	close(left)
	if lines := r.log.lines("request"); len(lines) != 1 || fmt.Sprint(lines[0]["reason"]) != "client_gone" {
		t.Errorf("%v", lines)
	}
}
