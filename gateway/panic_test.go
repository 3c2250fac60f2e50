package gateway

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

func TestPanicOnTheWayToAnUpstreamLeavesNoExchangeBehind(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	// No request is under way: the upstreams are the test's to replace.
	r.state.Load().sites[0].upstreams = upstream.NewGroup(upstream.GroupConfig{
		Addresses: []string{"upstream.example:80"}, MaxConnections: 16,
		Timeouts: upstream.Timeouts{Connect: time.Second, FirstByte: time.Second, Idle: time.Second},
		Dial:     func(context.Context, string, string) (net.Conn, error) { panic("dialling") },
	})
	for n := 1; n <= 3; n++ {
		a := r.get("/open/x")
		if a.status != 500 || a.code != "internal_error" {
			t.Errorf("%d %s", a.status, a.code)
		}
		r.wantMetric(float64(n), "panics_total")
		r.wantMetric(0, "in_flight_requests")
	}
}
