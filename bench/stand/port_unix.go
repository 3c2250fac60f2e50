//go:build unix

package stand

import (
	"context"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// holdPort binds a free loopback port that several processes can listen on, and does not listen itself: as long as it
// is held nobody else is given it, and connections go to those who listen.
func holdPort(context.Context) (address string, release func(), err error) {
	syscall.ForkLock.RLock()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return "", nil, os.NewSyscallError("socket", err)
	}
	fail := func(call string, err error) (string, func(), error) {
		_ = unix.Close(fd)
		return "", nil, os.NewSyscallError(call, err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fail("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fail("bind", err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		return fail("getsockname", err)
	}
	port := at.(*unix.SockaddrInet4).Port // That is what it was bound to.
	return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String(), func() { _ = unix.Close(fd) }, nil
}
