package gateway

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// listener is one data listener: it bounds the open connections, and lets
// fasthttp see only well-framed requests.
type listener struct {
	net.Listener
	conns   *connCounter
	limits  wire.Limits
	trusted []netip.Prefix
}

func (g *Gateway) listen(c *config.Listener) (*listener, error) {
	trusted := make([]netip.Prefix, len(c.TrustedProxies))
	for i, cidr := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil {
			return nil, err
		}
		trusted[i] = prefix.Masked()
	}
	ln, err := net.Listen("tcp", c.Address)
	if err != nil {
		return nil, err
	}
	return &listener{Listener: ln, conns: &g.conns, trusted: trusted, limits: wire.Limits{
		MaxHeadBytes:   int(g.cfg.Limits.HeaderBytes),
		MaxHeaderCount: g.cfg.Limits.HeaderCount,
		MaxTargetBytes: int(g.cfg.Limits.TargetBytes),
	}}, nil
}

// checked returns the listener with the framing checks around each connection.
func (l *listener) checked() net.Listener { return wire.NewListener(l, l.limits) }

// Accept waits for a connection within the bound; one beyond it is closed at
// once.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if counted := l.conns.admit(c, l.trusted); counted != nil {
			return counted, nil
		}
		_ = c.Close()
	}
}

// connCounter counts the open connections of all data listeners.
type connCounter struct {
	max     int64
	refused prometheus.Counter
	open    atomic.Int64
	mu      sync.Mutex
	all     map[*countedConn]struct{}
}

// admit counts c, or returns nil at the bound.
func (n *connCounter) admit(c net.Conn, trusted []netip.Prefix) *countedConn {
	if n.open.Add(1) > n.max {
		n.open.Add(-1)
		n.refused.Inc()
		return nil
	}
	counted := &countedConn{Conn: c, counter: n, trusted: trusted}
	n.mu.Lock()
	if n.all == nil {
		n.all = make(map[*countedConn]struct{})
	}
	n.all[counted] = struct{}{}
	n.mu.Unlock()
	return counted
}

// wait returns when no connection is open, or with ctx's error.
func (n *connCounter) wait(ctx context.Context) error {
	tick := time.NewTicker(waitTick)
	defer tick.Stop()
	for n.open.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// waitTick is how often wait looks.
const waitTick = 20 * time.Millisecond

// closeAll closes every open connection.
func (n *connCounter) closeAll() {
	n.mu.Lock()
	all := make([]*countedConn, 0, len(n.all))
	for c := range n.all {
		all = append(all, c)
	}
	n.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

// countedConn leaves the count when it is closed, once.
type countedConn struct {
	net.Conn
	counter *connCounter
	trusted []netip.Prefix
	closed  atomic.Bool
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	if !c.closed.Swap(true) {
		c.counter.open.Add(-1)
		c.counter.mu.Lock()
		delete(c.counter.all, c)
		c.counter.mu.Unlock()
	}
	return c.Conn.Close()
}

// CloseWrite ends the sending side where the connection can do so.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}

// NetConn returns the inner connection.
func (c *countedConn) NetConn() net.Conn { return c.Conn }
