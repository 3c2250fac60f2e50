package attack

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// send and receive are write(2) and read(2) of sockets that do not block. They spare what the kernel does for files, and
// what Go's scheduler does before a call that might block: together about half a microsecond a request.

func send(fd int, p []byte) (int, error) {
	return transfer(unix.SYS_SENDTO, fd, p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

func receive(fd int, p []byte) (int, error) {
	return transfer(unix.SYS_RECVFROM, fd, p, unix.MSG_DONTWAIT)
}

func transfer(call uintptr, fd int, p []byte, flags uintptr) (int, error) {
	//nolint:gosec // The kernel takes an address.
	n, _, errno := unix.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EAGAIN:
		return 0, unix.EAGAIN // a constant: no allocation
	}
	return 0, errno
}
