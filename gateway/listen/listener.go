package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ListenerConfig configures one listener.
type ListenerConfig struct {
	// Address is the TCP address to listen on. Required, unless Inherited is
	// set.
	Address string

	// Inherited names a socket that the service manager passed (systemd.socket,
	// FileDescriptorName=); it is used instead of one of the process's own.
	// Optional.
	Inherited string

	// ReusePort lets further processes of the same user listen on the same
	// address (SO_REUSEPORT), so that one can take over from another. Optional.
	ReusePort bool

	// KeepAlive configures TCP keep-alive probes. Optional. The zero value
	// probes after 15s of silence.
	KeepAlive net.KeepAliveConfig

	// TrustedProxies lists the networks of proxies whose forwarding fields are
	// believed. They speak for many, so that MaxPerSource does not bind them.
	// Optional.
	TrustedProxies []netip.Prefix

	// Proxy configures the PROXY protocol. Optional. Default: off.
	Proxy ProxyProtocol

	// TLS configures TLS. Optional. Default: plain HTTP.
	TLS *TLS
}

// Listener accepts connections for an HTTP server: counted, spoken for by their
// PROXY header, under TLS, and checked by package wire, in this order from the
// socket outwards. Nothing is read from a connection before the server reads
// it, so that no client holds Accept up. It is a net.Listener, whose Close is
// idempotent.
type Listener struct {
	registry *Registry
	cfg      ListenerConfig
	socket   net.Listener
	tls      *certificates // nil: plain

	accepted     atomic.Uint64
	acceptErrors atomic.Uint64
	closing      chan struct{}
	close        func() error
}

// Listen opens a listener whose connections count in r. Errors are those of
// the system, [ErrNotInherited], [ErrCertificate] and [ErrClientCA]. The caller
// closes the listener.
func (r *Registry) Listen(ctx context.Context, c ListenerConfig) (*Listener, error) {
	l := &Listener{registry: r, cfg: c, closing: make(chan struct{})}
	if c.TLS != nil {
		var err error
		if l.tls, err = newCertificates(*c.TLS); err != nil {
			return nil, err
		}
	}
	var err error
	if c.Inherited != "" {
		l.socket, err = r.cfg.Sockets.take(c.Inherited)
	} else {
		l.socket, err = bind(ctx, &c)
	}
	if err != nil {
		return nil, err
	}
	l.close = sync.OnceValue(func() error {
		close(l.closing)
		return l.socket.Close()
	})
	return l, nil
}

func bind(ctx context.Context, c *ListenerConfig) (net.Listener, error) {
	lc := net.ListenConfig{KeepAliveConfig: c.KeepAlive}
	// Go listens with MPTCP where it can, and such a socket takes no filter: see
	// Quiesce.
	lc.SetMultipathTCP(false)
	if c.KeepAlive == (net.KeepAliveConfig{}) {
		lc.KeepAliveConfig.Enable = true
	}
	if c.ReusePort {
		lc.Control = func(_, _ string, raw syscall.RawConn) error {
			var failed error
			if err := raw.Control(func(fd uintptr) { failed = reusePort(fd) }); err != nil {
				return err
			}
			if failed != nil {
				return fmt.Errorf("SO_REUSEPORT: %w", failed)
			}
			return nil
		}
	}
	return lc.Listen(ctx, "tcp", c.Address)
}

// Addr returns where the socket listens.
func (l *Listener) Addr() net.Addr { return l.socket.Addr() }

// Close closes the socket. Connections that nobody has accepted yet are reset,
// unless the service manager holds the socket, too; see [Listener.Quiesce].
func (l *Listener) Close() error { return l.close() }

// Accept waits for a connection within the bounds; one beyond them is closed at
// once. A want of files or memory is waited out: fasthttp takes every error for
// the end of the listener.
func (l *Listener) Accept() (net.Conn, error) {
	var wait time.Duration
	for {
		c, err := l.socket.Accept()
		if err != nil {
			if !passing(err) {
				return nil, err
			}
			l.acceptErrors.Add(1)
			if wait = min(max(2*wait, 5*time.Millisecond), time.Second); !l.sleep(wait) {
				return nil, net.ErrClosed
			}
			continue
		}
		l.accepted.Add(1)
		wait = 0
		conn := l.registry.admit(c, l)
		if conn == nil {
			_ = c.Close()
			continue
		}
		if l.tls == nil {
			return conn.checked(conn), nil
		}
		return conn.checked(&secured{Conn: tls.Server(conn, l.tls.config), raw: conn}), nil
	}
}

// sleep reports whether the listener is still open after d.
func (l *Listener) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.closing:
		return false
	}
}

// passing tells a shortage that may end from the end of the listener.
func passing(err error) bool {
	for _, shortage := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, shortage) {
			return true
		}
	}
	return false
}
