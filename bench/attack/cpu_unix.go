//go:build unix

package attack

import (
	"time"

	"golang.org/x/sys/unix"
)

// processCPU is how long this process has used processors.
func processCPU() (time.Duration, bool) {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0, false
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), true
}
