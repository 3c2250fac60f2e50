package main

import (
	"io"
	"net/http"
	"testing"
)

const (
	refusedTotal  = `vneid_gateway_connections_refused_total{reason="total"}`
	refusedSource = `vneid_gateway_connections_refused_total{reason="source"}`
)

func TestConnectionsBeyondTheTotalAreClosedAtOnce(t *testing.T) {
	t.Parallel()
	const most, surplus = 6, 5
	g := startEdge(t, edgeConfig{more: "limits: { connections: 6, connections_per_source: 0 }"})
	kept := make([]*edgeConn, most)
	for i := range kept {
		kept[i] = g.dial(t, "").serves()
	}
	for range surplus {
		g.dial(t, "").ended()
	}
	if n := g.metric(t, refusedTotal); n != surplus {
		t.Errorf("%v counted, want %d", n, surplus)
	}
	for _, c := range kept {
		c.serves()
	}
	// One that leaves makes room for one.
	_ = kept[0].Close()
	g.awaitThat(t, "room", func() bool { return g.metric(t, "vneid_gateway_connections") == most-1 })
	kept[0] = g.dial(t, "").serves()
	g.dial(t, "").ended()
	for _, c := range kept {
		_ = c.Close()
	}
	t.Logf("%d connections served, %v closed at once", most+1, g.metric(t, refusedTotal))
	g.finish(t)
}

func TestConnectionsOfOneAddressAreBoundedAndThoseOfTrustedProxiesAreNot(t *testing.T) {
	t.Parallel()
	const most, surplus, proxied = 3, 4, 12
	const one, other, proxy = "127.0.0.1", "127.0.0.2", "127.0.0.3"
	g := startEdge(t, edgeConfig{
		listen: `[{ address: "127.0.0.1:0", trusted_proxies: [127.0.0.3/32] }]`,
		more:   "limits: { connections_per_source: 3 }",
	})
	var kept []*edgeConn
	for range most {
		kept = append(kept, g.dial(t, one).serves())
	}
	for range surplus {
		g.dial(t, one).ended()
	}
	for range most {
		kept = append(kept, g.dial(t, other).serves())
	}
	g.dial(t, other).ended()
	for range proxied {
		kept = append(kept, g.dial(t, proxy).serves())
	}
	if n := g.metric(t, refusedSource); n != surplus+1 {
		t.Errorf("%v counted, want %d", n, surplus+1)
	}
	if n := g.metric(t, "vneid_gateway_connection_sources"); n != 2 {
		t.Errorf("%v sources, want 2", n)
	}
	for _, c := range kept {
		c.serves()
		_ = c.Close()
	}
	g.awaitThat(t, "room", func() bool { return g.metric(t, "vneid_gateway_connection_sources") == 0 })
	_ = g.dial(t, one).serves().Close()
	t.Logf("%d connections served, %v closed at once", len(kept)+1, g.metric(t, refusedSource))
	g.finish(t)
}

func TestAConnectionCarriesAsManyRequestsAsItMayWhetherItRestsOrNot(t *testing.T) {
	t.Parallel()
	const most = 3
	g := startEdge(t, edgeConfig{more: "limits: { requests_per_connection: 3 }"})
	hurried := g.dial(t, "")
	for i := range most {
		a, last := hurried.send(edgeGet).answerLast()
		if a.echo(t); last != (i == most-1) {
			t.Errorf("request %d: last %v", i+1, last)
		}
	}
	hurried.ended()

	rested := g.dial(t, "")
	for i := range most {
		// A client that is silent for a second is parked, and its buffers given back.
		g.awaitThat(t, "parked", func() bool { return g.metric(t, "vneid_gateway_connections_parked") == 1 })
		a, last := rested.send(edgeGet).answerLast()
		if a.echo(t); last != (i == most-1) {
			t.Errorf("request %d behind a pause: last %v", i+1, last)
		}
	}
	rested.ended()
	g.finish(t)
}

func TestRequestsBeyondTheConnectionsOfAnUpstreamAreRefused(t *testing.T) {
	t.Parallel()
	const most, surplus = 2, 5
	asked, answer := make(chan struct{}, most), make(chan struct{})
	g := startEdge(t, edgeConfig{
		site: "    max_upstream_connections: 2",
		upstream: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			select {
			case <-answer:
			case <-r.Context().Done():
			}
			_, _ = io.WriteString(w, "done")
		}),
	})
	busy := make([]*edgeConn, most)
	for i := range busy {
		busy[i] = g.dial(t, "").send(edgeGet)
		<-asked
	}
	c := g.dial(t, "")
	for range surplus {
		a, last := c.send(edgeGet).answerLast()
		a.refusedWith(t, http.StatusServiceUnavailable, "upstream_saturated")
		if last {
			t.Error("a refusal for want of connections closed the client's")
		}
		if a.header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
	if n := g.refusals(t, "upstream_saturated"); n != surplus {
		t.Errorf("%v counted, want %d", n, surplus)
	}
	if n := g.sum(t, "vneid_gateway_upstream_connections"); n != most {
		t.Errorf("%v connections to the upstream", n)
	}
	close(answer)
	for _, b := range busy {
		if a := b.answer(); a.status != http.StatusOK || a.body != "done" {
			t.Errorf("%d %s", a.status, a.body)
		}
		_ = b.Close()
	}
	g.awaitThat(t, "room", func() bool { return g.sum(t, "vneid_gateway_upstream_requests_in_flight") == 0 })
	if a := c.send(edgeGet).answer(); a.status != http.StatusOK {
		t.Errorf("after the others: %d %s", a.status, a.body)
	}
	_ = c.Close()
	t.Logf("%d requests served, %d refused", most+1, surplus)
	g.finish(t)
}
