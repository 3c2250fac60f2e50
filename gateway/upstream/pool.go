package upstream

import (
	"context"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Pool is one address of an upstream: the connections to it, and its standing.
// All methods are safe for concurrent use. Idle connections are kept in one stack
// for each processor, the warmest on top, so that no lock is shared by all
// requests.
type Pool struct {
	standing

	member   *member
	address  string
	open     Dialer
	limits   limits
	timeouts Timeouts
	host     []byte // for Request.UpstreamHost
	shards   []shard
	closed   atomic.Bool
	stop     context.CancelFunc // of its health checks, nil where there are none

	_ [64]byte // what every request writes lies apart from what it reads

	connections atomic.Int64
	inFlight    atomic.Int64
}

// Dialer opens a connection. It must honour the context's deadline.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// limits bounds what goes to one address.
type limits struct {
	connections int64
	inFlight    int64 // 0 is no bound
}

type shard struct {
	mu   sync.Mutex
	idle []kept   // the oldest first
	_    [32]byte // a cache line of its own for each lock
}

type kept struct {
	c     *conn
	since time.Time
}

// idleTimeout bounds how long a kept connection lies unused. Upstreams close
// theirs after 5s (Apache httpd, Node) to 75s (nginx): one that was closed is
// found when it is taken. What is found nowhere is one that a firewall forgot.
const idleTimeout = 60 * time.Second

// call is what one exchange asks of a pool.
type call struct {
	// hint picks the stack that is tried first.
	hint uint64
	// until is when the exchange has to be over, zero for no bound.
	until time.Time
	// renew asks for a connection that was not kept.
	renew bool
	// from and to are the ends of the client's connection, for SendProxy.
	from, to net.Addr
}

// take returns a connection whose read deadline is set to the time for the
// first byte from now on: a kept one that is still good, or a new one. The
// errors are ErrSaturated, ErrTimeout where the whole exchange ran out of time,
// and ErrUnreachable.
func (p *Pool) take(k *call, now time.Time) (*conn, error) {
	if n := p.inFlight.Add(1); p.limits.inFlight > 0 && n > p.limits.inFlight {
		p.inFlight.Add(-1)
		return nil, ErrSaturated
	}
	n := uint64(len(p.shards))
	first := k.hint % n
	for i := range n {
		for !k.renew {
			c := p.pop(int((first+i)%n), now)
			if c == nil {
				break
			}
			c.reused, c.until = true, k.until
			// In this order: a socket cannot be asked behind its deadline.
			if c.extendRead(now, p.timeouts.FirstByte) == nil && c.fresh() {
				return c, nil
			}
			p.discard(c)
		}
	}
	return p.connect(k, int(first), now)
}

// connect opens a connection for a request that counts as in flight.
func (p *Pool) connect(k *call, shard int, now time.Time) (c *conn, err error) {
	defer func() {
		// Also where a Dialer panics.
		if c == nil {
			p.connections.Add(-1)
			p.inFlight.Add(-1)
		}
	}()
	for p.connections.Add(1) > p.limits.connections {
		// A kept connection makes room for a new one.
		if !k.renew || !p.discardOne(now) {
			return nil, ErrSaturated
		}
		p.connections.Add(-1)
	}
	deadline := now.Add(p.timeouts.Connect)
	if !k.until.IsZero() && k.until.Before(deadline) {
		deadline = k.until
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	l, err := p.member.endpoint.dial(ctx, p.open, p.address, k.from, k.to)
	if err != nil {
		failure := dialFailure(err)
		p.member.dials[failure].Add(1)
		switch {
		case deadline.Equal(k.until) && failure == DialTimeout:
			return nil, ErrTimeout
		case failure == DialLocal:
			return nil, errLocal
		}
		return nil, ErrUnreachable
	}
	c = newConn(l, shard)
	c.once, c.until = p.member.endpoint.SendProxy != 0, k.until
	_ = c.extendRead(time.Now(), p.timeouts.FirstByte)
	return c, nil
}

// pop removes the warmest idle connection of a stack. Those that lie too long
// are closed: one below the warmest at a time, all where the warmest does.
func (p *Pool) pop(i int, now time.Time) *conn {
	s := &p.shards[i]
	s.mu.Lock()
	last := len(s.idle) - 1
	if last < 0 {
		s.mu.Unlock()
		return nil
	}
	if now.Sub(s.idle[last].since) > idleTimeout {
		stale := s.idle
		s.idle = nil
		s.mu.Unlock()
		p.discardAll(stale)
		return nil
	}
	warmest := s.idle[last].c
	s.idle[last] = kept{}
	s.idle = s.idle[:last]
	var stale *conn
	if last > 0 && now.Sub(s.idle[0].since) > idleTimeout {
		stale = s.idle[0].c
		copy(s.idle, s.idle[1:])
		s.idle[last-1] = kept{}
		s.idle = s.idle[:last-1]
	}
	s.mu.Unlock()
	if stale != nil {
		p.discard(stale)
	}
	return warmest
}

// put ends the use of c and keeps it for another exchange, or closes it where
// that would be wrong.
func (p *Pool) put(c *conn, now time.Time) {
	if !c.reusable() {
		p.drop(c)
		return
	}
	s := &p.shards[c.shard]
	s.mu.Lock()
	s.idle = append(s.idle, kept{c, now})
	s.mu.Unlock()
	p.inFlight.Add(-1)
	// After the append: Close either finds c, or is seen here.
	if p.closed.Load() {
		p.closeIdle()
	}
}

// drop ends the use of c and closes it.
func (p *Pool) drop(c *conn) {
	c.cut()
	p.connections.Add(-1)
	p.inFlight.Add(-1)
}

// discard closes c, which is not in use.
func (p *Pool) discard(c *conn) {
	_ = c.Close()
	p.connections.Add(-1)
}

// discardOne closes one idle connection, if there is any.
func (p *Pool) discardOne(now time.Time) bool {
	for i := range p.shards {
		if c := p.pop(i, now); c != nil {
			p.discard(c)
			return true
		}
	}
	return false
}

func (p *Pool) discardAll(idle []kept) {
	for _, k := range idle {
		p.discard(k.c)
	}
}

// Close closes the idle connections now and the others when their exchange
// ends.
func (p *Pool) Close() {
	p.closed.Store(true)
	p.closeIdle()
}

func (p *Pool) closeIdle() {
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		idle := s.idle
		s.idle = nil
		s.mu.Unlock()
		p.discardAll(idle)
	}
}

func newShards() []shard { return make([]shard, runtime.GOMAXPROCS(0)) }
