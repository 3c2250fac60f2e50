//go:build (amd64 || arm64) && !race

package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// short says that there is a short way.
const short = true

// receive reads what there is, once; false where there is nothing yet.
func (t *transfer) receive(fd uintptr) bool {
	for {
		n, errno := call(unix.SYS_RECVFROM, fd, t.p, unix.MSG_DONTWAIT)
		switch errno {
		case 0:
			t.n = n
			return true
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default:
			t.err = errno
			return true
		}
	}
}

// send writes all of it; false where the socket takes no more for now.
func (t *transfer) send(fd uintptr) bool {
	for t.n < len(t.p) {
		n, errno := call(unix.SYS_SENDTO, fd, t.p[t.n:], unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch errno {
		case 0:
			t.n += n
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default:
			t.err = errno
			return true
		}
	}
	return true
}

// call is recvfrom(2) or sendto(2) without an address. It must not block: the
// scheduler is not told of it.
func call(trap, fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	//nolint:gosec // The kernel takes an address.
	n, _, errno := unix.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
	return int(n), errno
}
