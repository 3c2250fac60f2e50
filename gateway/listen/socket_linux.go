package listen

import (
	"fmt"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func reusePort(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

// Of a TCP header (RFC 9293 section 3.1), where a filter of a TCP socket
// begins to count.
const (
	flagsOffset = 13
	flagSYN     = 0x02
	flagACK     = 0x10
)

// noSYN drops the segments that open a connection and passes all others, those
// that complete a handshake among them. Accepted connections inherit it, which
// have no use for a SYN either.
var noSYN = []bpf.Instruction{
	bpf.LoadAbsolute{Off: flagsOffset, Size: 1},
	bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: flagSYN | flagACK},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: flagSYN, SkipTrue: 1},
	bpf.RetConstant{Val: 0xffffffff},
	bpf.RetConstant{Val: 0},
}

// holdOff makes a listening socket deaf to new connections. To steer them to
// the other sockets of a SO_REUSEPORT group at once would be better, but a
// classic program for the group (SO_ATTACH_REUSEPORT_CBPF) chooses by index,
// and no process can ask for its own; an extended one needs a map that all
// processes share and the privilege to load it.
func holdOff(raw syscall.RawConn) error {
	assembled, err := bpf.Assemble(noSYN)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(assembled))
	for i, in := range assembled {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	}); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("SO_ATTACH_FILTER: %w", failed)
	}
	return nil
}

// waiting returns how many connections wait to be accepted.
func waiting(raw syscall.RawConn) int {
	n := 0
	_ = raw.Control(func(fd uintptr) {
		// Of a listening socket this field is the length of its queue.
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO); err == nil {
			n = int(info.Unacked)
		}
	})
	return n
}
