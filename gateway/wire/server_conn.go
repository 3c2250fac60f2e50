package wire

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"
)

// ServerConn is a client's connection on which only well-framed requests are
// seen. It is a [net.Conn]; everything but Read and Close is the inner
// connection's. Reads must not overlap; other methods may be called
// concurrently with a Read as far as the inner connection allows it.
type ServerConn struct {
	net.Conn
	checker
	inside bool        // the last Read ended inside a request
	linger atomic.Bool // the same, for Close, which may come from any goroutine
	closed atomic.Bool
}

// NewServerConn returns a checking connection around c, whose bytes are plain
// HTTP. For a TLS connection use [NewTLSServerConn], or fasthttp will not know
// that requests came over TLS.
func NewServerConn(c net.Conn, lim Limits) *ServerConn {
	s := &ServerConn{Conn: c}
	s.lim = lim.withDefaults()
	s.begin()
	return s
}

// Read reads the next bytes that passed. Its errors are, once the first is
// met for ever: an [*Error] behind the last byte before a violation,
// [io.ErrUnexpectedEOF] where the input ends inside a request, and those of the
// inner connection. A timeout may be followed by further reads.
func (s *ServerConn) Read(p []byte) (int, error) {
	n, err := s.read(s.Conn, p)
	if inside := !s.mayEnd(); inside != s.inside {
		s.inside = inside
		s.linger.Store(inside)
	}
	return n, err
}

// NetConn returns the inner connection. Reading from it bypasses the checks.
func (s *ServerConn) NetConn() net.Conn { return s.Conn }

// PassThrough ends checking after the request that was read last, for a
// connection that changes its protocol (RFC 9110 section 7.8). To be called
// when the upstream agreed and before the bytes of the new protocol are read,
// while no Read is in progress. It fails with [ErrBusy] when the request is not
// read to its end, or when its client went on without waiting for the 101
// response, and with the sticky error after a failure. A fasthttp handler finds
// it as ctx.Conn().(interface{ PassThrough() error }), before it hijacks.
func (s *ServerConn) PassThrough() error { return s.passThrough() }

// Bounds of the wait in Close.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 1 << 20
)

// Close closes the inner connection. After a refusal or inside a request (its
// body was not wanted), and where the inner connection can be closed one way
// (TCP, TLS), it first ends the sending side and throws away what the client
// still sends, for at most half a second and 1 MiB: closing with unread input
// resets the connection, and the client may lose the response that says why
// (RFC 9112 section 9.6). Nobody looks at the bytes.
func (s *ServerConn) Close() error {
	if !s.closed.Swap(true) && (s.Refusal() != nil || s.linger.Load()) {
		s.discard()
	}
	return s.Conn.Close()
}

func (s *ServerConn) discard() {
	half, ok := s.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if s.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	var discarded [8 << 10]byte
	for total := 0; total < lingerBytes; {
		n, err := s.Conn.Read(discarded[:])
		if err != nil {
			return
		}
		total += n
	}
}

// TLSConn is what is needed of a TLS connection; *tls.Conn has it.
type TLSConn interface {
	net.Conn
	Handshake() error
	ConnectionState() tls.ConnectionState
}

// TLSServerConn is a [ServerConn] around a TLS connection. By its methods
// fasthttp recognises TLS: it runs the handshake, and RequestCtx.IsTLS and
// TLSConnectionState work.
type TLSServerConn struct {
	*ServerConn
	tls TLSConn
}

// NewTLSServerConn returns a checking connection around c, whose decrypted
// bytes are HTTP.
func NewTLSServerConn(c TLSConn, lim Limits) *TLSServerConn {
	return &TLSServerConn{ServerConn: NewServerConn(c, lim), tls: c}
}

// Handshake runs the TLS handshake if it has not been run.
func (s *TLSServerConn) Handshake() error { return s.tls.Handshake() }

// ConnectionState returns the state of the TLS connection.
func (s *TLSServerConn) ConnectionState() tls.ConnectionState { return s.tls.ConnectionState() }

// ErrorOf returns why c was refused, nil if it was not or if c is not a
// checking connection. It looks through wrappers that have a NetConn method.
// It is meant for fasthttp's ErrorHandler, with ctx.Conn(), for the errors that
// fasthttp does not wrap; the refusal may then be that of a pipelined request
// behind the one that failed. It may be called at any time.
func ErrorOf(c net.Conn) *Error {
	for c != nil {
		if k, ok := c.(interface{ Refusal() *Error }); ok {
			return k.Refusal()
		}
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		c = inner.NetConn()
	}
	return nil
}
