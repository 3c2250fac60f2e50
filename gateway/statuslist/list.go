package statuslist

import (
	"sync/atomic"
	"time"
)

// list is one list that tokens refer to: its current edition, and the fetch that is to bring the next. One goroutine
// keeps it, see Lists.keep.
type list struct {
	uri   string
	begun time.Time
	// pinned lists are held though no token refers to them.
	pinned bool

	current atomic.Pointer[edition]
	used    atomic.Int64 // when a token last referred to it, in Unix seconds

	// flight is the fetch that is asked for or under way, nil where there is none. Who makes it wakes the keeper.
	flight atomic.Pointer[flight]
	wake   chan struct{}
	// last is when the last fetch ended, in Unix nanoseconds, 0 for never; failed, whether it failed.
	last   atomic.Int64
	failed atomic.Bool
	reason string // of the last failure, for the keeper alone
}

// flight is one fetch that requests wait for.
type flight struct{ done chan struct{} }

// newList returns a list whose first fetch is asked for.
func newList(uri string, pinned bool, now time.Time) *list {
	li := &list{uri: uri, begun: now, pinned: pinned, wake: make(chan struct{}, 1)}
	li.used.Store(now.Unix())
	li.flight.Store(&flight{done: make(chan struct{})})
	return li
}

// use notes that a token refers to the list. Only the first of a second writes: all requests read it.
func (li *list) use(now time.Time) {
	if second := now.Unix(); li.used.Load() < second {
		li.used.Store(second)
	}
}

// idle reports whether nothing has referred to the list for that long.
func (li *list) idle(after time.Duration, now time.Time) bool {
	return !li.pinned && now.Sub(time.Unix(li.used.Load(), 0)) > after
}

// ask has the list fetched again though it is not due, unless the last fetch was less than spacing ago, or failed: then
// the keeper tries again in its own time. It returns what to wait for, nil where nothing is under way.
func (li *list) ask(spacing time.Duration, now time.Time) *flight {
	if f := li.flight.Load(); f != nil {
		return f
	}
	if li.failed.Load() || now.Sub(time.Unix(0, li.last.Load())).Abs() < spacing {
		return nil
	}
	f := &flight{done: make(chan struct{})}
	if !li.flight.CompareAndSwap(nil, f) {
		return li.flight.Load()
	}
	select {
	case li.wake <- struct{}{}:
	default: // The keeper will see it anyhow.
	}
	return f
}

// takeOff returns the fetch that was asked for, or makes one that others can wait for.
func (li *list) takeOff() *flight {
	f := &flight{done: make(chan struct{})}
	for {
		if asked := li.flight.Load(); asked != nil {
			return asked
		}
		if li.flight.CompareAndSwap(nil, f) {
			return f
		}
	}
}

// land ends the fetch. Whoever asks from now on asks for another.
func (li *list) land(f *flight, err error, now time.Time) {
	li.failed.Store(err != nil)
	li.last.Store(now.UnixNano())
	li.flight.Store(nil)
	close(f.done)
}

// abandon lets all go who wait for a fetch that nobody will make.
func (li *list) abandon() {
	f := &flight{done: make(chan struct{})}
	close(f.done)
	if asked := li.flight.Swap(f); asked != nil {
		close(asked.done)
	}
}
