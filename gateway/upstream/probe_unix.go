//go:build unix

package upstream

import (
	"io"
	"net"
	"syscall"
)

// probe looks at a socket without reading from it. What it needs is made once,
// so that looking allocates nothing.
type probe struct {
	raw   syscall.RawConn
	peek  func(fd uintptr) bool
	quiet bool
}

// newProbe prepares looking at c, which may be of any kind: quietNow then
// always reports true for one that is no socket (a pipe in a test).
func newProbe(c net.Conn) *probe {
	p := &probe{}
	if socket, ok := c.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			p.raw, p.peek = raw, p.peekSocket
		}
	}
	return p
}

// quietNow reports whether the socket is open with nothing to read. A kept
// connection of which that is not true was closed by the upstream, or holds
// bytes that nobody asked for.
func (p *probe) quietNow() bool {
	if p.raw == nil {
		return true
	}
	p.quiet = false
	// Fails when the connection is closed or its read deadline has passed.
	return p.raw.Read(p.peek) == nil && p.quiet
}

// peekSocket never lets RawConn.Read wait: it always reports to be done.
func (p *probe) peekSocket(fd uintptr) bool {
	var one [1]byte
	_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	p.quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	return true
}

// readNow reads what is there, without waiting for more.
func (r *records) readNow(p []byte) (int, error) {
	if r.raw == nil || len(p) == 0 {
		return 0, errNothingYet
	}
	var (
		n   int
		err error
	)
	// Fails when the connection is closed or its read deadline has passed.
	closed := r.raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), p)
		for err == syscall.EINTR {
			n, err = syscall.Read(int(fd), p)
		}
		return true
	})
	switch {
	case closed != nil:
		return 0, closed
	case err == syscall.EAGAIN || err == syscall.EWOULDBLOCK:
		return 0, errNothingYet
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
