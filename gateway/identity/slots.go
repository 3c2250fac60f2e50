package identity

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// ErrSaturated means that the backend was not asked, because too many calls
// were under way or waiting.
var ErrSaturated = errors.New("identity: too many calls at one time")

// waitersPerSlot bounds how many calls wait for each that may be made at one
// time.
const waitersPerSlot = 16

// slots bounds the calls at one time. Calls about tokens that nothing is known
// of get three quarters of the slots at most: a flood of random tokens leaves
// the rest to those that are known to be good.
type slots struct {
	all, strangers chan struct{} // hold what is taken
	patience       time.Duration
	waiters        int64

	waiting   [2]atomic.Int64 // of strangers, of known ones
	saturated atomic.Uint64
}

func newSlots(n int, patience time.Duration) *slots {
	return &slots{
		all:       make(chan struct{}, n),
		strangers: make(chan struct{}, max(1, n-n/4)),
		patience:  patience,
		waiters:   int64(n) * waitersPerSlot,
	}
}

// take waits for a slot, for patience at the longest, and returns how to give
// it back. Errors are ErrSaturated and ctx's.
func (s *slots) take(ctx context.Context, known bool) (giveBack func(), err error) {
	waiting := &s.waiting[0]
	if known {
		waiting = &s.waiting[1]
	}
	if waiting.Add(1) > s.waiters {
		waiting.Add(-1)
		s.saturated.Add(1)
		return nil, ErrSaturated
	}
	defer waiting.Add(-1)
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	wait := func(slot chan struct{}) error {
		select {
		case slot <- struct{}{}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			s.saturated.Add(1)
			return ErrSaturated
		}
	}
	if known {
		if err := wait(s.all); err != nil {
			return nil, err
		}
		return func() { <-s.all }, nil
	}
	if err := wait(s.strangers); err != nil {
		return nil, err
	}
	if err := wait(s.all); err != nil {
		<-s.strangers
		return nil, err
	}
	return func() { <-s.all; <-s.strangers }, nil
}
