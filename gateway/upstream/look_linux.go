package upstream

import (
	"encoding/binary"
	"net"
	"syscall"
)

// look looks at a client's socket without reading from it: what a client sent
// ahead, the next request or a TLS record, must stay where it is.
type look struct{ raw syscall.RawConn }

func newLook(c net.Conn) *look {
	if socket, ok := connBelow[syscall.Conn](c); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			return &look{raw}
		}
	}
	return &look{}
}

// States of a TCP connection, as in the first byte of the kernel's tcp_info.
const (
	tcpClose     = 7 // reset
	tcpCloseWait = 8 // the peer has ended its side
)

// gone reports whether the client has closed the connection or ended its side of
// it, which from here look the same (RFC 9293 section 3.6). The connection's
// state tells so even behind bytes that nobody has read yet, such as TLS's
// close_notify, where a peek at the socket would find those bytes only.
func (l *look) gone() bool {
	if l.raw == nil {
		return false
	}
	var state int
	var failed error
	if err := l.raw.Control(func(fd uintptr) {
		state, failed = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
	}); err != nil {
		return true // closed on our side
	}
	if failed != nil {
		return false // not TCP
	}
	// What was asked for are the first four bytes of a structure.
	var first [4]byte
	binary.NativeEndian.PutUint32(first[:], uint32(state))
	return first[0] == tcpClose || first[0] == tcpCloseWait
}
