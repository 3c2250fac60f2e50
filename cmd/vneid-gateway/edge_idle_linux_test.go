package main

import (
	"sync"
	"testing"
)

const (
	idleSecured = 1000
	// idleSecuredBytes bounds what one costs under TLS: RSS, that is without the
	// kernel's buffers. About 12 KiB are usual.
	idleSecuredBytes = 32 << 10
)

// TestAThousandIdleConnectionsUnderTLSCostAtMost32KiBEach holds connections open
// that have each carried a request, and looks at the memory of the process once
// it has settled. It is not parallel: the handshakes would keep others waiting.
func TestAThousandIdleConnectionsUnderTLSCostAtMost32KiBEach(t *testing.T) {
	raiseFileLimit(t, idleSecured+1000)
	g, _, config := startHTTPS(t, "")
	open := func(n int) []*edgeSecured {
		t.Helper()
		const clients = 8
		conns := make([]*edgeSecured, n)
		var group sync.WaitGroup
		for first := range clients {
			group.Go(func() {
				for i := first; i < n; i += clients {
					c, err := secure(t, g.addresses[0], "", config)
					if err != nil {
						t.Error(err)
						return
					}
					if a, last := c.send(edgeGet).answerLast(); a.status != 200 || last {
						t.Errorf("%d, last %v", a.status, last)
					}
					conns[i] = c
				}
			})
		}
		group.Wait()
		if t.Failed() {
			t.FailNow()
		}
		return conns
	}
	// A first round makes everything that is made once.
	for _, c := range open(64) {
		_ = c.Close()
	}
	settled := g.settles(t, func(int) bool { return true })
	conns := open(idleSecured)
	each := func(rss int) int { return (rss - settled) / idleSecured }
	rss := g.settles(t, func(rss int) bool { return each(rss) <= idleSecuredBytes })
	t.Logf("%d idle connections under TLS: RSS from %d KiB to %d KiB, %d bytes each (%d allowed)",
		idleSecured, settled>>10, rss>>10, each(rss), idleSecuredBytes)
	if each(rss) > idleSecuredBytes {
		t.Error("too much")
	}
	if n := g.metric(t, "vneid_gateway_connections_parked"); n != idleSecured {
		t.Errorf("%v are parked", n)
	}
	for i, c := range conns {
		if i%100 == 0 {
			c.serves() // they have survived
		}
		_ = c.Close()
	}
	g.finish(t)
}
