//go:build !race

package upstream_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

func TestAnExchangeAllocatesNothing(t *testing.T) {
	for name, raw := range map[string][]byte{
		"length":   usualAnswer,
		"no field": []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"),
		"chunked":  []byte("HTTP/1.1 200 OK\r\nConnection: X-A\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"),
		"interim":  []byte("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"),
	} {
		e := newExchanger(t, newGroup(t, echoless(t, raw)))
		e.r.TrustProxy = true
		e.r.CredentialCookie = []byte("session")
		e.do(t)
		if n := testing.AllocsPerRun(500, func() { e.do(t) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestBalancingAndJudgingAllocateNothing(t *testing.T) {
	for _, balance := range []upstream.Balance{upstream.LeastInFlight, upstream.RoundRobin} {
		group := upstream.NewGroup(upstream.GroupConfig{
			Endpoints:      endpoints(echoless(t, usualAnswer), echoless(t, usualAnswer), echoless(t, usualAnswer)),
			MaxConnections: 1000, MaxInFlight: 100, Balance: balance,
			Timeouts: upstream.Timeouts{Connect: time.Minute, FirstByte: time.Minute, Idle: time.Minute, Total: time.Minute},
			Eject:    upstream.EjectConfig{After: 5, GatewayErrors: true, Base: time.Second, Max: time.Minute, Percent: 50, Return: time.Second},
			Breaker:  upstream.BreakerConfig{After: 20, For: time.Second},
			Retry:    upstream.RetryConfig{Attempts: 2, Percent: 20, PerSecond: 10},
			Dial:     (&net.Dialer{}).DialContext,
		})
		t.Cleanup(group.Close)
		e := newExchanger(t, group)
		for range 50 {
			e.do(t)
		}
		if n := testing.AllocsPerRun(500, func() { e.do(t) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func TestARefusalForWantOfUpstreamsAllocatesNothing(t *testing.T) {
	e := unavailable(t, 4)
	if n := testing.AllocsPerRun(500, func() {
		if _, err := e.group.Do(&e.ctx, &e.r, nil); !errors.Is(err, upstream.ErrUnavailable) {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
