package wire

import "net"

// ClientConn is a connection to an upstream on which only well-framed
// responses are seen. It is a [net.Conn]; everything but Read is the inner
// connection's. It belongs to one exchange at a time: Read, Expect, Idle and
// Started must not be called concurrently.
type ClientConn struct {
	net.Conn
	checker
}

// NewClientConn returns a checking connection around c. lim.MaxTargetBytes is
// not used. No response is expected until [ClientConn.Expect].
func NewClientConn(c net.Conn, lim Limits) *ClientConn {
	k := &ClientConn{Conn: c}
	k.lim = lim.withDefaults()
	k.isResponse = true
	return k
}

// Expect announces that a request with this method is about to be written, so
// that one final response to it is expected, after at most 16 interim ones.
// upgrade says that the request asks for another protocol, so that a 101
// response is in order. It fails with [ErrBusy] while a response is outstanding
// and with the sticky error after a failure: the connection is to be closed.
func (k *ClientConn) Expect(method []byte, upgrade bool) error {
	if k.err != nil {
		return k.err
	}
	if k.state != stIdle {
		return ErrBusy
	}
	// RFC 9110 section 9.1: methods are case-sensitive.
	k.answersHead = string(method) == "HEAD"
	k.answersConnect = string(method) == "CONNECT"
	k.wantsUpgrade = upgrade
	k.interim = 0
	k.begin()
	return nil
}

// Read reads the next bytes that passed. Its errors are, once the first is
// met for ever: an [*Error] with status 502 behind the last byte before a
// violation, [io.ErrUnexpectedEOF] where the input ends before the response
// does, [io.EOF] at the end of a response that the end of the connection
// delimits or when no response is expected, and those of the inner connection.
// A timeout may be followed by further reads. A byte that arrives while no
// response is expected is [ErrSurplus].
//
// After a 101 response, or a 2xx response to CONNECT, bytes pass unchecked.
func (k *ClientConn) Read(p []byte) (int, error) { return k.read(k.Conn, p) }

// Idle tells that the last expected response was read to its end, nothing
// behind it was read, and the connection has not failed: it may be pooled. A
// reader between the ClientConn and its user may still hold bytes of that
// response. Bytes that arrive later are found by the next Read alone, which takes
// them for the next response if one is expected by then: a pool looks at the
// socket before it hands a connection out.
func (k *ClientConn) Idle() bool { return k.state == stIdle && k.err == nil }

// Started tells that bytes of the outstanding response, interim responses
// included, were read. A request of which no response started on a pooled
// connection may never have been seen by the upstream.
func (k *ClientConn) Started() bool {
	return k.state != stIdle && (k.state != stStart || k.interim > 0)
}

// NetConn returns the inner connection. Reading from it bypasses the checks.
func (k *ClientConn) NetConn() net.Conn { return k.Conn }
