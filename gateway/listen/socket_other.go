//go:build !linux

package listen

import (
	"errors"
	"syscall"
)

// Only Linux spreads connections over the sockets of a group.
func reusePort(uintptr) error { return errors.ErrUnsupported }

func holdOff(syscall.RawConn) error { return nil }

func waiting(syscall.RawConn) int { return 0 }
