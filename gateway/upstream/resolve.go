package upstream

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// ResolveConfig says how the names of upstreams are looked up again.
type ResolveConfig struct {
	// Interval is how often, a tenth more or less. 0 is never: names are looked
	// up when a connection is opened, and an upstream is one address.
	Interval time.Duration
	// Resolver looks names up. Default net.DefaultResolver.
	Resolver Resolver
}

// Resolver is what net.Resolver does.
type Resolver interface {
	// LookupNetIP returns the addresses of host. network is "ip".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	// maxAddresses bounds the addresses of one name; of more, the lowest are
	// used.
	maxAddresses = 64
	// lookupTimeout bounds one look-up.
	lookupTimeout = 10 * time.Second
)

// Run looks names up and asks for health until ctx ends, and then returns. It
// is to be called once at most; a group works without it, too.
func (g *Group) Run(ctx context.Context) {
	var running sync.WaitGroup
	g.changing.Lock()
	for _, p := range *g.pools.Load() {
		g.watch(ctx, &running, p)
	}
	g.changing.Unlock()
	for _, m := range g.members {
		if name := m.endpoint.name(); name != "" && g.resolve.Interval > 0 {
			running.Go(func() { g.follow(ctx, &running, m, name) })
		}
	}
	running.Wait()
}

// watch starts p's health checks, with changing held.
func (g *Group) watch(ctx context.Context, running *sync.WaitGroup, p *Pool) {
	if g.health == nil {
		return
	}
	ctx, p.stop = context.WithCancel(ctx)
	running.Go(func() { p.watch(ctx, g.health) })
}

// name is the name that is to be looked up, or "". RFC 6761 section 6.3: what
// localhost is does not change.
func (e *Endpoint) name() string {
	host := e.hostname()
	if e.Network != "tcp" || strings.EqualFold(host, "localhost") || strings.Contains(host, "%") {
		return ""
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return host
}

// follow keeps m at the addresses that its name has.
func (g *Group) follow(ctx context.Context, running *sync.WaitGroup, m *member, name string) {
	_, port, err := net.SplitHostPort(m.endpoint.Address)
	if err != nil {
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		addresses := g.lookUp(ctx, name, port)
		if ctx.Err() != nil {
			return
		}
		m.lookups.Add(1)
		if len(addresses) == 0 {
			// The last answer stays: a name that is gone says nothing about who
			// listened there.
			m.failedLookup.Add(1)
		} else {
			g.move(ctx, running, m, addresses)
		}
		timer.Reset(g.resolve.Interval - g.resolve.Interval/10 + rand.N(g.resolve.Interval/5))
	}
}

// lookUp returns the addresses of name, sorted, each with port.
func (g *Group) lookUp(ctx context.Context, name, port string) []string {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := g.resolve.Resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil
	}
	found = slices.Clone(found)
	for i := range found {
		found[i] = found[i].Unmap()
	}
	slices.SortFunc(found, netip.Addr.Compare)
	found = slices.Compact(found)
	addresses := make([]string, 0, min(len(found), maxAddresses))
	for _, a := range found[:min(len(found), maxAddresses)] {
		addresses = append(addresses, net.JoinHostPort(a.String(), port))
	}
	return addresses
}

// move makes m's addresses those given. Connections to those that are gone are
// closed, those in use behind their exchange.
func (g *Group) move(ctx context.Context, running *sync.WaitGroup, m *member, addresses []string) {
	g.changing.Lock()
	defer g.changing.Unlock()
	m.drained = slices.DeleteFunc(m.drained, func(p *Pool) bool { return p.connections.Load() == 0 })
	if g.closed || slices.EqualFunc(m.pools, addresses, func(p *Pool, address string) bool { return p.address == address }) {
		return
	}
	pools := make([]*Pool, len(addresses))
	for i, address := range addresses {
		at := slices.IndexFunc(m.pools, func(p *Pool) bool { return p.address == address })
		if at >= 0 {
			pools[i] = m.pools[at]
			continue
		}
		pools[i] = g.newPool(m, address)
		g.watch(ctx, running, pools[i])
	}
	gone := slices.DeleteFunc(slices.Clone(m.pools), func(p *Pool) bool { return slices.Contains(pools, p) })
	m.pools = pools
	all := make([]*Pool, 0, len(*g.pools.Load()))
	for _, other := range g.members {
		all = append(all, other.pools...)
	}
	g.pools.Store(&all)
	for _, p := range gone {
		if p.stop != nil {
			p.stop()
		}
		p.Close()
		m.drained = append(m.drained, p)
	}
}
