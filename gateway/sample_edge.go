package gateway

import (
	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// sampleConnections reads what is counted of the clients' connections.
func (g *Gateway) sampleConnections() metrics.ConnectionSample {
	stats := g.conns.Stats()
	s := metrics.ConnectionSample{
		Open: stats.Open, Parked: stats.Parked, Limit: int64(g.cfg.Limits.Connections), Sources: stats.Sources,
		Refused: make(map[string]uint64, len(stats.Refused)),
	}
	for reason, n := range stats.Refused {
		s.Refused[listen.Refusal(reason).String()] = n
	}
	return s
}

// sampleListeners reads what is counted for each data listener.
func (g *Gateway) sampleListeners() []metrics.ListenerSample {
	var all []metrics.ListenerSample
	for i, l := range g.dataListeners() {
		if l == nil {
			continue
		}
		stats := l.Stats()
		s := metrics.ListenerSample{
			Listener: listenerName(&g.cfg.Listen[i], l), AcceptErrors: stats.AcceptErrors,
			ReloadFailures: stats.ReloadFailures, NotAfter: stats.NotAfter,
			HandshakeFailures: make(map[string]uint64, len(stats.HandshakeFailures)),
		}
		for fault, n := range stats.HandshakeFailures {
			s.HandshakeFailures[listen.HandshakeFault(fault).String()] = n
		}
		all = append(all, s)
	}
	return all
}

func tunnelSample(s upstream.TunnelStats) metrics.TunnelSample {
	return metrics.TunnelSample{
		Open: s.Open, Limit: s.Limit, Opened: s.Opened, Refused: s.Refused,
		Ended:      map[string]uint64{"idle": s.Idle, "expired": s.Expired, "closed": s.Closed},
		ToUpstream: s.BytesToUpstream, ToClient: s.BytesToClient,
	}
}

// upstreamSample reads what is counted for one upstream of a site.
func upstreamSample(site string, u *upstream.Stats) metrics.UpstreamSample {
	s := metrics.UpstreamSample{
		Site: site, Upstream: u.Address, Connections: u.Open, Limit: u.Limit, InFlight: u.InFlight,
		States: map[string]int{
			"up": u.Up, "down": u.Down, "breaker_open": u.BreakerOpen, "breaker_half_open": u.BreakerHalfOpen,
			"ejected": u.Ejected, "returning": u.Returning,
		},
		Requests: u.Requests, Failures: u.Failures,
		DialFailures: make(map[string]uint64, len(u.Dials)),
		Retries:      map[string]uint64{"passed_over": u.PassedOver, "stale": u.Retries, "over_budget": u.OverBudget},
		Ejections:    u.Ejections, BreakerOpened: u.BreakerOpened,
		Checks: u.Checks, FailedChecks: u.FailedChecks, Lookups: u.Lookups, FailedLookups: u.FailedLookups,
	}
	for _, why := range upstream.DialFailures() {
		s.DialFailures[why.String()] = u.Dials[why]
	}
	return s
}
