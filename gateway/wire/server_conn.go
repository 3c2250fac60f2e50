package wire

import (
	"crypto/tls"
	"io"
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
	idler  Idler       // nil: the inner connection cannot be parked
	inside bool        // the last Read ended inside a request
	linger atomic.Bool // the same, for Close, which may come from any goroutine
	parked atomic.Bool // the next Close gives the inner connection back
	closed atomic.Bool
}

// Idler is an inner connection that can be had back while its client is
// silent between two requests. A server such as fasthttp holds a read buffer, a
// write buffer, a request context and the grown stack of a goroutine for each
// open connection, tens of KiB, and with streamed bodies its
// ReduceMemoryUsage gives hardly any of it up. To such a server a parked
// connection looks like one that its client has closed; the inner connection
// lives on, and comes back in a new [ServerConn].
type Idler interface {
	net.Conn
	// Await says that the next Read waits for the first byte of a request
	// (true), or that this Read has returned (false). While it waits the Read
	// may end with a timeout at any time.
	Await(waits bool)
	// Park takes the connection over, after a Read that awaited a request has
	// ended with a timeout. Requests is how many were read whole. It is
	// called once at most, instead of Close, and must not block.
	Park(requests uint64)
}

// NewServerConn returns a checking connection around c, whose bytes are plain
// HTTP. For a TLS connection use [NewTLSServerConn], or fasthttp will not know
// that requests came over TLS.
func NewServerConn(c net.Conn, lim Limits) *ServerConn {
	s := &ServerConn{Conn: c}
	s.idler, _ = c.(Idler)
	s.lim = lim.withDefaults()
	s.begin()
	return s
}

// Read reads the next bytes that passed. Its errors are, once the first is
// met for ever: an [*Error] behind the last byte before a violation,
// [io.ErrUnexpectedEOF] where the input ends inside a request, and those of the
// inner connection. A timeout may be followed by further reads; but around an
// [Idler], one before the first byte of a request becomes [io.EOF], for ever.
func (s *ServerConn) Read(p []byte) (int, error) {
	awaits := s.idler != nil && s.state == stStart && s.err == nil
	if awaits {
		s.idler.Await(true)
	}
	n, err := s.read(s.Conn, p)
	if awaits {
		s.idler.Await(false)
		if n == 0 && err != nil && isTimeout(err) {
			s.err = io.EOF
			s.parked.Store(true)
			return 0, io.EOF
		}
	}
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
// while no Read is in progress. Requests is the number of that request on the
// connection, from 1: what was read behind it is of the old protocol, and must
// not be taken for the new one, even if it is whole.
//
// It fails with [ErrBusy] when the request is not read to its end, or when its
// client went on without waiting for the 101 response, and with the sticky error
// after a failure. A fasthttp handler finds it as
// ctx.Conn().(interface{ PassThrough(requests uint64) error }), before it
// hijacks, and gives it ctx.ConnRequestNum().
func (s *ServerConn) PassThrough(requests uint64) error { return s.passThrough(requests) }

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
//
// An [Idler] whose client was silent for too long is parked instead, whoever
// closes first: the server that saw the end of input, or its shutdown.
func (s *ServerConn) Close() error {
	if s.parked.Load() {
		if !s.closed.Swap(true) {
			s.idler.Park(s.whole)
		}
		return nil
	}
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
