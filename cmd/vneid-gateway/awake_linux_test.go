package main

import (
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// keepAwake keeps a processor from falling asleep until stop is called, by work
// that everything else goes before. To wake a virtual processor takes milliseconds
// where others share the machine, and would be taken for the latency of what runs
// on it.
func keepAwake(b *testing.B, processor int) (stop func()) {
	b.Helper()
	var stopped atomic.Bool
	awake, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // and not unlocked: the thread ends with it
		var only unix.CPUSet
		only.Set(processor)
		err := unix.SchedSetaffinity(0, &only)
		if err == nil {
			err = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0)
		}
		awake <- err
		for err == nil && !stopped.Load() {
		}
	}()
	if err := <-awake; err != nil {
		b.Fatal(err)
	}
	return func() {
		stopped.Store(true)
		<-ended
	}
}
