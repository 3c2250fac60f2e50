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
	r := buildRig(t, setup{})
	// Nothing runs yet: the upstreams are the test's to replace.
	r.state.Load().sites[0].reach.group = upstream.NewGroup(upstream.GroupConfig{
		Endpoints: []upstream.Endpoint{{Address: "upstream.example:80"}}, MaxConnections: 16,
		Timeouts: upstream.Timeouts{Connect: time.Second, FirstByte: time.Second, Idle: time.Second},
		Dial:     func(context.Context, string, string) (net.Conn, error) { panic("dialling") },
	})
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	r.eventually("ready", func() bool { return len(r.Missing()) == 0 })
	for n := 1; n <= 3; n++ {
		a := r.get("/open/x")
		if a.status != 500 || a.code != "internal_error" {
			t.Errorf("%d %s", a.status, a.code)
		}
		r.wantMetric(float64(n), "panics_total")
		r.wantMetric(0, "in_flight_requests")
	}
}
