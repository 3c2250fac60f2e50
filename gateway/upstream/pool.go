package upstream

import (
	"context"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Pool keeps the connections to one upstream address. All methods are safe for
// concurrent use. Idle connections are kept in one stack for each processor,
// the warmest on top, so that no lock is shared by all requests.
type Pool struct {
	address  string
	dial     Dialer
	max      int64
	timeouts Timeouts
	open     atomic.Int64
	closed   atomic.Bool
	host     []byte // for Request.UpstreamHost
	shards   []shard
	dialFail atomic.Uint64
}

// Dialer opens a connection. It must honour the context's deadline.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

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

func newPool(address string, dial Dialer, maxConns int, t Timeouts) *Pool {
	return &Pool{
		address: address,
		// RFC 9110 section 4.2.3: the default port is left out.
		host:     []byte(strings.TrimSuffix(address, ":80")),
		dial:     dial,
		max:      int64(maxConns),
		timeouts: t,
		shards:   make([]shard, runtime.GOMAXPROCS(0)),
	}
}

// take returns a connection whose read deadline is set to the time for the
// first byte from now on: a kept one that is still good, or a new one. hint
// picks the stack that is tried first.
func (p *Pool) take(hint uint64, now time.Time) (*conn, error) {
	n := uint64(len(p.shards))
	first := hint % n
	for i := range n {
		for {
			c := p.pop(int((first+i)%n), now)
			if c == nil {
				break
			}
			// In this order: a socket cannot be asked behind its deadline.
			if c.extendRead(now, p.timeouts.FirstByte) == nil && c.fresh() {
				return c, nil
			}
			p.drop(c)
		}
	}
	if p.open.Add(1) > p.max {
		p.open.Add(-1)
		return nil, ErrSaturated
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.timeouts.Connect)
	defer cancel()
	raw, err := p.dial(ctx, "tcp", p.address)
	if err != nil {
		p.open.Add(-1)
		p.dialFail.Add(1)
		return nil, ErrUnreachable
	}
	c := newConn(raw, int(first))
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
		p.dropAll(stale)
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
		p.drop(stale)
	}
	return warmest
}

// put keeps c for another exchange, or closes it where that would be wrong.
func (p *Pool) put(c *conn, now time.Time) {
	if !c.reusable() {
		p.drop(c)
		return
	}
	s := &p.shards[c.shard]
	s.mu.Lock()
	s.idle = append(s.idle, kept{c, now})
	s.mu.Unlock()
	// After the append: Close either finds c, or is seen here.
	if p.closed.Load() {
		p.closeIdle()
	}
}

// drop closes c.
func (p *Pool) drop(c *conn) {
	_ = c.Close()
	p.open.Add(-1)
}

func (p *Pool) dropAll(idle []kept) {
	for _, k := range idle {
		p.drop(k.c)
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
		p.dropAll(idle)
	}
}

// Stats is a snapshot of a pool's counters.
type Stats struct {
	// Address is the upstream's host and port.
	Address string
	// Open counts connections, idle ones included; there may be Limit.
	Open, Limit int64
	// DialFailures counts connections that could not be opened.
	DialFailures uint64
}

// Stats returns the pool's counters.
func (p *Pool) Stats() Stats {
	return Stats{Address: p.address, Open: p.open.Load(), Limit: p.max, DialFailures: p.dialFail.Load()}
}
