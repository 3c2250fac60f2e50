package listen

import (
	"bufio"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/socket"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// Conn is a client's connection below TLS and HTTP. It counts towards the
// bounds until it is closed, knows whom a PROXY header speaks for, and can be
// parked while its client is silent. Reads must not overlap; the other methods
// may be called concurrently.
type Conn struct {
	net.Conn              // the socket
	bytes    *socket.Conn // moves what is read and written
	listener *Listener
	registry *Registry
	peer     netip.Addr // the other end of the socket

	// Of the goroutine that reads.
	headerDue bool          // a PROXY header may come first
	headerErr error         // it was refused
	rest      *bufio.Reader // what was read behind it

	origin  atomic.Pointer[net.TCPAddr]  // by the PROXY header
	source  atomic.Pointer[netip.Prefix] // what it counts for, if it does
	earlier atomic.Uint64                // requests before it was parked last
	heard   atomic.Bool                  // a byte has come
	awaits  atomic.Bool                  // the read waits for a request's first byte
	closed  atomic.Bool

	// A read deadline reaches the socket when a read begins, since of the two
	// that fasthttp sets for a request one passes without any.
	mu      sync.Mutex
	want    time.Time // as asked for
	set     time.Time // as the socket has it
	reading bool
	resting bool // parked
}

// Of returns the Conn within c, which may be what a [Listener] accepted or a
// wrapper that has a NetConn method; nil if there is none.
func Of(c net.Conn) *Conn {
	for c != nil {
		switch v := c.(type) {
		case *Conn:
			return v
		case interface{ NetConn() net.Conn }:
			c = v.NetConn()
		default:
			return nil
		}
	}
	return nil
}

// NetConn returns the socket. Reading from it bypasses the PROXY header, and
// deadlines that were set are not sure to be there.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// RemoteAddr returns the client's address: that of the PROXY header, once it
// was read from a peer that may send one, else the peer's. It never waits.
func (c *Conn) RemoteAddr() net.Addr {
	if a := c.origin.Load(); a != nil {
		return a
	}
	return c.Conn.RemoteAddr()
}

// TrustsProxy reports whether the listener believes what the client, as
// RemoteAddr names it, says of clients behind it.
func (c *Conn) TrustsProxy() bool {
	if a := c.origin.Load(); a != nil {
		return within(c.listener.cfg.TrustedProxies, addressOf(a))
	}
	return within(c.listener.cfg.TrustedProxies, c.peer)
}

// Earlier returns how many requests the connection had carried when it was
// parked last. A server that saw it come back counts from one again.
func (c *Conn) Earlier() uint64 { return c.earlier.Load() }

// countSource counts the connection for the source of a, and reports whether
// there was room. Sources that speak for many are not bounded.
func (c *Conn) countSource(a netip.Addr) bool {
	r := c.registry
	if r.cfg.MaxPerSource <= 0 || !a.IsValid() || within(c.listener.cfg.TrustedProxies, a) {
		return true
	}
	p := sourceOf(a)
	if !r.sources.take(p) {
		return false
	}
	c.source.Store(&p)
	if c.closed.Load() { // meanwhile: Close may have missed it
		c.uncountSource()
	}
	return true
}

func (c *Conn) uncountSource() {
	if p := c.source.Swap(nil); p != nil {
		c.registry.sources.leave(*p)
	}
}

// Read reads what the client sent behind a PROXY header, if one may come. A
// refused header ends the input.
func (c *Conn) Read(p []byte) (int, error) {
	if c.headerDue {
		if err := c.readHeader(); err != nil {
			return 0, err
		}
	}
	if c.headerErr != nil {
		return 0, c.headerErr
	}
	if c.rest != nil {
		n, err := c.rest.Read(p)
		if c.rest.Buffered() == 0 {
			c.rest = nil
		}
		return n, err
	}
	return c.readSocket(p)
}

// readSocket reads with the deadline in force.
func (c *Conn) readSocket(p []byte) (int, error) {
	c.mu.Lock()
	c.reading = true
	c.apply()
	c.mu.Unlock()
	n, err := c.bytes.Read(p)
	if n > 0 {
		c.speaks()
	}
	c.mu.Lock()
	c.reading = false
	c.mu.Unlock()
	return n, err
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) { return c.bytes.Write(p) }

// speaks notes that bytes came.
func (c *Conn) speaks() {
	if !c.heard.Load() {
		c.heard.Store(true)
	}
	// More of the same request, or TLS record, has the time that was asked for.
	if c.awaits.Load() {
		c.awaits.Store(false)
	}
}

// apply gives the socket its read deadline. The caller holds c.mu.
func (c *Conn) apply() {
	if d := c.deadline(); d != c.set {
		c.set = d
		_ = c.Conn.SetReadDeadline(d) // a closed socket says so when it is read
	}
}

// deadline returns the one that was asked for, or a silent client's if that
// is earlier.
func (c *Conn) deadline() time.Time {
	var pause time.Duration
	switch {
	case c.awaits.Load():
		pause = c.registry.pause()
	case !c.heard.Load() && c.registry.draining.Load():
		pause = drainPause
	}
	if pause == 0 {
		return c.want
	}
	early := time.Now().Add(pause)
	if !c.want.IsZero() && !early.Before(c.want) {
		return c.want
	}
	// The one that the socket has from an earlier request will do, where it ends
	// the silence only a little sooner: a timer less for most requests of a busy
	// connection.
	if sooner := early.Sub(c.set); sooner >= 0 && sooner < pause/8 {
		return c.set
	}
	return early
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.bytes.SetWriteDeadline(t) }

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.closed.Load() {
		return net.ErrClosed
	}
	c.mu.Lock()
	c.want = t
	if c.reading {
		c.apply()
	}
	c.mu.Unlock()
	return nil
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close closes the socket and leaves the count.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	c.uncountSource()
	err := c.Conn.Close()
	c.registry.leave(c)
	return err
}

// CloseWrite ends the sending side where the socket can do so.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}

// checked returns the connection as a server sees it: outer is c, or TLS around
// it.
func (c *Conn) checked(outer net.Conn) net.Conn {
	if t, ok := outer.(wire.TLSConn); ok {
		return wire.NewTLSServerConn(t, c.registry.cfg.Limits)
	}
	return wire.NewServerConn(outer, c.registry.cfg.Limits)
}
