package upstream

import (
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// counters are what is counted of one upstream.
type counters struct {
	requests     atomic.Uint64
	failures     atomic.Uint64
	dials        [dialFailures]atomic.Uint64
	passedOver   atomic.Uint64
	retries      atomic.Uint64
	overBudget   atomic.Uint64
	ejections    atomic.Uint64
	opened       atomic.Uint64
	checks       atomic.Uint64
	failedChecks atomic.Uint64
	lookups      atomic.Uint64
	failedLookup atomic.Uint64
}

// Stats is a snapshot of what is known of one upstream, all its addresses
// together.
type Stats struct {
	// Address is the upstream's Name: its host and port, or socket.
	Address string
	// Addresses counts those in use. Each of them is in exactly one of: Up;
	// Down, as its health checks say; Open or HalfOpen, as its breaker says;
	// Ejected; Returning, on its way from there to its whole part.
	Addresses, Up, Down, BreakerOpen, BreakerHalfOpen, Ejected, Returning int
	// Open counts connections, idle ones included; there may be Limit.
	Open, Limit int64
	// InFlight counts requests, tunnels included; there may be InFlightLimit,
	// where that is not 0.
	InFlight, InFlightLimit int64
	// Requests counts what was sent, a request sent twice twice. Failures
	// counts what speaks against the upstream, dialling included.
	Requests, Failures uint64
	// Dials counts connections that could not be opened, for each reason.
	Dials DialCounts
	// PassedOver counts requests that went to another address because a
	// connection to this upstream could not be opened. Retries counts those
	// sent again because a kept connection to it was closed, OverBudget those
	// that were not for want of budget.
	PassedOver, Retries, OverBudget uint64
	// Ejections counts, and BreakerOpened how often a breaker opened.
	Ejections, BreakerOpened uint64
	// Checks counts health checks, Lookups those of the name.
	Checks, FailedChecks, Lookups, FailedLookups uint64
}

// Stats returns what is known of each upstream, in the configured order.
func (g *Group) Stats() []Stats {
	g.changing.Lock()
	defer g.changing.Unlock()
	now := g.clock()
	stats := make([]Stats, len(g.members))
	for i, m := range g.members {
		stats[i] = m.stats(now)
	}
	return stats
}

// stats is called with changing held.
func (m *member) stats(now time.Duration) Stats {
	s := Stats{
		Address:   m.endpoint.Name,
		Addresses: len(m.pools),
		Requests:  m.requests.Load(), Failures: m.failures.Load(),
		PassedOver: m.passedOver.Load(), Retries: m.retries.Load(), OverBudget: m.overBudget.Load(),
		Ejections: m.ejections.Load(), BreakerOpened: m.opened.Load(),
		Checks: m.checks.Load(), FailedChecks: m.failedChecks.Load(),
		Lookups: m.lookups.Load(), FailedLookups: m.failedLookup.Load(),
	}
	for i := range m.dials {
		s.Dials[i] = m.dials[i].Load()
	}
	for _, p := range m.pools {
		s.add(p)
		s.Limit += p.limits.connections
		s.InFlightLimit += p.limits.inFlight
		*s.state(p, now)++
	}
	for _, p := range m.drained {
		s.add(p)
	}
	return s
}

func (s *Stats) add(p *Pool) {
	s.Open += p.connections.Load()
	s.InFlight += p.inFlight.Load()
}

// state returns the counter of the state that p is in.
func (s *Stats) state(p *Pool, now time.Duration) *int {
	breaker := p.breakerState()
	switch {
	case p.doubt.Load()&down != 0:
		return &s.Down
	case breaker == gobreaker.StateOpen:
		return &s.BreakerOpen
	case breaker == gobreaker.StateHalfOpen:
		return &s.BreakerHalfOpen
	case p.ejected(now):
		return &s.Ejected
	case p.weight(now) < fullWeight:
		return &s.Returning
	}
	return &s.Up
}
