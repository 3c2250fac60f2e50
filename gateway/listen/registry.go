package listen

import (
	"context"
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/socket"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// Config bounds the connections of all listeners of a [Registry] together.
type Config struct {
	// MaxConnections bounds the open connections, parked ones included.
	// Required, at least 1.
	MaxConnections int

	// MaxPerSource bounds the open connections of one source: an IPv4 address,
	// or an IPv6 network of 64 bits, which one customer has. Optional. Zero
	// means no bound.
	MaxPerSource int

	// Limits bounds each request's head.
	Limits wire.Limits

	// ParkAfter is how long a client may be silent before its connection is
	// parked. Optional. Defaults to 1s.
	ParkAfter time.Duration

	// Serve serves a connection whose client speaks again, and closes it; it
	// is called in a goroutine of that connection. fasthttp's
	// Server.ServeConn is made for it. Optional. Without it nothing is parked,
	// and a silent client keeps its buffers.
	Serve func(net.Conn)

	// Sockets are those that the service manager passed. Optional.
	Sockets *Sockets
}

// Registry knows the open connections of its listeners. Its methods are safe
// for concurrent use.
type Registry struct {
	cfg      Config
	open     atomic.Int64
	parked   atomic.Int64
	accepted atomic.Uint64
	resumed  atomic.Uint64
	refused  [refusals]atomic.Uint64
	draining atomic.Bool
	sources  sources
	seed     maphash.Seed
	shards   [shards]connShard
}

const shards = 64

type connShard struct {
	mu  sync.Mutex
	all map[*Conn]struct{}
	_   [48]byte // keeps neighbours off this cache line
}

// NewRegistry returns a registry without connections.
func NewRegistry(c Config) *Registry {
	if c.ParkAfter <= 0 {
		c.ParkAfter = time.Second
	}
	seed := maphash.MakeSeed()
	r := &Registry{cfg: c, seed: seed}
	for i := range r.shards {
		r.shards[i].all = make(map[*Conn]struct{})
	}
	r.sources.init(seed, c.MaxPerSource)
	return r
}

// admit counts a connection that l accepted, or returns nil at a bound; the
// caller then closes c.
func (r *Registry) admit(c net.Conn, l *Listener) *Conn {
	r.accepted.Add(1)
	if r.open.Add(1) > int64(r.cfg.MaxConnections) {
		r.open.Add(-1)
		r.refused[RefusedTotal].Add(1)
		return nil
	}
	peer := addressOf(c.RemoteAddr())
	conn := &Conn{Conn: c, bytes: socket.New(c), listener: l, registry: r, peer: peer}
	if within(l.cfg.Proxy.From, peer) {
		// Its own address stands for all its clients; the header says whose
		// connection this is.
		conn.headerDue = true
	} else if !conn.countSource(peer) {
		r.open.Add(-1)
		r.refused[RefusedSource].Add(1)
		return nil
	}
	s := r.shard(conn)
	s.mu.Lock()
	s.all[conn] = struct{}{}
	s.mu.Unlock()
	return conn
}

func (r *Registry) shard(c *Conn) *connShard {
	return &r.shards[maphash.Comparable(r.seed, c)%shards]
}

// leave forgets a connection that was admitted, once.
func (r *Registry) leave(c *Conn) {
	s := r.shard(c)
	s.mu.Lock()
	delete(s.all, c)
	s.mu.Unlock()
	r.open.Add(-1)
}

// each calls do for every connection that is open all the while.
func (r *Registry) each(do func(*Conn)) {
	var all []*Conn
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		all = all[:0]
		for c := range s.all {
			all = append(all, c)
		}
		s.mu.Unlock()
		for _, c := range all {
			do(c)
		}
	}
}

// drainPause is how long a silent client may still begin a request once idle
// connections are being closed: the request behind an accepted connection may
// be on its way.
const drainPause = 250 * time.Millisecond

// CloseIdle closes the connections of clients that are silent: parked ones at
// once, those that have sent nothing yet or nothing since their last response
// after 250 ms of further silence, and from now on every one that falls
// silent. What a client sent before its connection was closed is served. It
// does not wait; see [Registry.Wait].
func (r *Registry) CloseIdle() {
	r.draining.Store(true)
	r.each((*Conn).hurry)
}

// CloseAll closes every open connection, whatever it does.
func (r *Registry) CloseAll() {
	r.each(func(c *Conn) { _ = c.Close() })
}

// waitTick is how often Wait looks.
const waitTick = 10 * time.Millisecond

// Wait returns when no connection is open, or with ctx's error.
func (r *Registry) Wait(ctx context.Context) error {
	tick := time.NewTicker(waitTick)
	defer tick.Stop()
	for r.open.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// pause is how long a read may wait for the first byte of a request, zero
// where there is no bound.
func (r *Registry) pause() time.Duration {
	switch {
	case r.draining.Load():
		return drainPause
	case r.cfg.Serve == nil || !canPark:
		return 0
	}
	return r.cfg.ParkAfter
}

// addressOf returns a peer's address, the zero Addr where it has none (a unix
// socket).
func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, p := range networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
