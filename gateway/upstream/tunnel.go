package upstream

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// TunnelObserver is an [Observer] that learns of both directions of a tunnel.
type TunnelObserver interface {
	Observer
	// TunnelDone is called instead of ResponseDone when a tunnel ended, once:
	// with the bytes that either side got from the other, and nil where both
	// ended it in order, else [ErrTunnelIdle], [ErrExpired], [ErrTunnelClosed]
	// or an error of a connection.
	TunnelDone(toUpstream, toClient int64, err error)
}

// halfClosedIdle bounds the silence of a tunnel that one side has ended: what
// the other may still have to say comes soon.
const halfClosedIdle = 30 * time.Second

// tunnel carries bytes between a client and an upstream that have changed the
// protocol (RFC 9110 section 7.8). Nobody looks at them.
//
// Two goroutines carry, each what one side sends. What stops them is a deadline
// in the past on both connections, and nothing else sets a deadline: there is no
// race about it. One timer looks after the tunnel's time.
type tunnel struct {
	registry *Tunnels
	pool     *Pool
	client   net.Conn // for its deadlines; what it sends is read elsewhere
	upstream *conn
	done     Observer
	lifetime lifetime
	timer    *time.Timer

	toUpstream, toClient atomic.Int64
	active               atomic.Int64 // when bytes moved last, in ns since began
	half                 atomic.Bool  // one side has ended
	began                time.Time
	stopped              atomic.Pointer[error]
}

// tunnel makes a tunnel of c and the client's connection, which begins when the
// handler has returned. On an error both are as they were.
func (p *Pool) tunnel(ctx *fasthttp.RequestCtx, r *Request, c *conn, done Observer) error {
	if err := passThrough(ctx); err != nil {
		return err
	}
	r.upgraded = true
	c.in.attend(nil)
	t := &tunnel{
		registry: r.Streaming.Tunnels, pool: p, client: ctx.Conn(), upstream: c, done: done,
		lifetime: lifetime{idle: r.Streaming.TunnelIdle, until: r.Until},
	}
	protocol, idle := r.upgrade, p.timeouts.Idle
	takeOver(ctx, idle, func(client net.Conn) {
		h := &ctx.Response.Header
		h.ResetConnectionClose() // a draining gateway's
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", protocol)
		_ = client.SetWriteDeadline(time.Now().Add(idle))
		if _, err := client.Write(h.Header()); err != nil {
			t.end(err)
			return
		}
		t.run(client)
	}, func() { t.end(errAbandoned) })
	return nil
}

// run carries until both sides have ended, or one has failed.
func (t *tunnel) run(client io.ReadWriter) {
	t.began = time.Now()
	t.upstream.unbound()
	_ = t.client.SetDeadline(time.Time{})
	_ = t.upstream.SetDeadline(time.Time{})
	// Nothing of the timer may run before it is there.
	t.timer = time.AfterFunc(time.Hour, t.watch)
	t.watch()
	t.registry.add(t)
	var up sync.WaitGroup
	up.Go(func() { t.carry(t.upstream.Conn, client, &t.toUpstream) })
	t.carry(clientSide{client, t.client}, t.upstream.br, &t.toClient)
	up.Wait()
	t.stop(nil) // for the timer
	t.timer.Stop()
	t.end(*t.stopped.Load())
}

// end gives everything back and tells the observer.
func (t *tunnel) end(err error) {
	t.pool.drop(t.upstream)
	toUpstream, toClient := t.toUpstream.Load(), t.toClient.Load()
	t.registry.remove(t, toUpstream, toClient, err)
	switch observer := t.done.(type) {
	case nil:
	case TunnelObserver:
		observer.TunnelDone(toUpstream, toClient, err)
	default:
		observer.ResponseDone(toClient, err)
	}
}

// clientSide writes to a hijacked client, and finds below it what can end one
// side of the connection.
type clientSide struct {
	io.Writer
	below net.Conn
}

func (c clientSide) NetConn() net.Conn { return c.below }

// littleBuffer is what a direction holds that carries little, while it waits.
const littleBuffer = 1 << 10

// carry carries from src to dst until src ends, and then ends that side of dst.
// What carries much gets a buffer of copyBuffer bytes for as long as it does.
func (t *tunnel) carry(dst io.Writer, src io.Reader, count *atomic.Int64) {
	var little [littleBuffer]byte
	var large *[copyBuffer]byte
	buf := little[:]
	for {
		n, err := src.Read(buf)
		if n > 0 {
			t.active.Store(int64(time.Since(t.began)))
			if _, err := dst.Write(buf[:n]); err != nil {
				t.stop(err)
				break
			}
			count.Add(int64(n))
			t.active.Store(int64(time.Since(t.began)))
		}
		if errors.Is(err, io.EOF) {
			t.endSide(dst)
			break
		}
		if err != nil {
			t.stop(err)
			break
		}
		switch {
		case n == littleBuffer && large == nil:
			large = copyBuffers.Get().(*[copyBuffer]byte) //nolint:forcetypeassert // the pool holds nothing else
			buf = large[:]
		case n < littleBuffer && large != nil:
			copyBuffers.Put(large)
			large, buf = nil, little[:]
		}
	}
	if large != nil {
		copyBuffers.Put(large)
	}
}

// endSide tells dst that no more comes, or ends the tunnel where it cannot be
// told.
func (t *tunnel) endSide(dst io.Writer) {
	t.half.Store(true)
	t.timer.Reset(0) // the time that is left has changed
	conn, _ := dst.(interface{ NetConn() net.Conn })
	if conn == nil {
		t.stop(io.EOF)
		return
	}
	half, ok := connBelow[interface{ CloseWrite() error }](conn.NetConn())
	if !ok || half.CloseWrite() != nil {
		t.stop(io.EOF)
	}
}

// stop ends the tunnel because of err; the first one counts. It may be called
// at any time.
func (t *tunnel) stop(err error) {
	if t.stopped.CompareAndSwap(nil, &err) {
		_ = t.client.SetDeadline(past)
		_ = t.upstream.SetDeadline(past)
	}
}

// watch ends the tunnel when its time has come, or looks again when it may have.
func (t *tunnel) watch() {
	if t.stopped.Load() != nil {
		return
	}
	now := time.Now()
	left, err := t.lifetime.left(now, t.began.Add(time.Duration(t.active.Load())), t.half.Load())
	if err != nil {
		t.stop(err)
		return
	}
	t.timer.Reset(left)
}

// lifetime is how long a tunnel may last.
type lifetime struct {
	idle  time.Duration
	until time.Time // zero is for ever
}

// left returns how long a tunnel may go on at least that moved bytes last at
// active, or why it may not any more. half says that one side has ended.
func (l lifetime) left(now, active time.Time, half bool) (time.Duration, error) {
	idle := l.idle
	if half {
		idle = min(idle, halfClosedIdle)
	}
	left := active.Add(idle).Sub(now)
	switch {
	case !l.until.IsZero() && !now.Before(l.until):
		return 0, ErrExpired
	case left <= 0:
		return 0, ErrTunnelIdle
	case !l.until.IsZero():
		left = min(left, l.until.Sub(now))
	}
	return left, nil
}
