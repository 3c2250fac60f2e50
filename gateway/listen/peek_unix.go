//go:build unix

package listen

import "syscall"

// canPark tells that a socket can be asked whether it has input.
const canPark = true

// peek is what a look at a socket found.
type peek struct {
	input bool
	first [1]byte
}

// look reports whether there is no use in waiting: the socket has input, or its
// client has gone.
func (p *peek) look(fd uintptr) bool {
	n, _, err := syscall.Recvfrom(int(fd), p.first[:], syscall.MSG_PEEK)
	p.input = n > 0 && err == nil
	return err != syscall.EAGAIN && err != syscall.EINTR
}
