package main

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestARequestAtTheMomentOfParkingIsServed sends requests on many connections
// around the moment at which the gateway parks a silent one, and before the
// first of them, too.
func TestARequestAtTheMomentOfParkingIsServed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const conns, rounds, parkAfter, spread = 400, 5, time.Second, 8 * time.Millisecond
	g, token := readyGateway(t, "ES256", "shutdown: { delay: 0s, deadline: 5s }")
	request := rawRequest("GET", testHost, reading, token)
	var served, failed atomic.Int64
	var clients sync.WaitGroup
	for range conns {
		c, err := dialRaw(g.data)
		if err != nil {
			t.Fatal(err)
		}
		clients.Go(func() {
			defer c.close()
			for range rounds {
				time.Sleep(parkAfter - spread/2 + rand.N(spread))
				status, last, err := c.do(request)
				if err != nil || status != http.StatusOK || last {
					failed.Add(1)
					t.Errorf("status %d, last %v, %v", status, last, err)
					return
				}
				served.Add(1)
			}
		})
	}
	clients.Wait()
	resumed := g.metric(t, "vneid_gateway_connections_parked")
	t.Logf("%d connections, %d requests, %d failed, %.0f parked at the end", conns, served.Load(), failed.Load(), resumed)
	g.stop(t)
}
