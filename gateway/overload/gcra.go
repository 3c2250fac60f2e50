package overload

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Rate bounds how often something may happen.
type Rate struct {
	// PerSecond is the rate in the long run, in events a second. 0 means that
	// there is no bound; at most [MaxPerSecond].
	PerSecond int
	// Burst is how many may happen at once. Default: PerSecond; at most
	// [MaxBurst], and no more than what comes in a day.
	Burst int
}

// The bounds of a Rate.
const (
	MaxPerSecond = 10_000_000
	MaxBurst     = 10_000_000
)

// maxFill is the longest that a bucket may take to fill up.
const maxFill = 24 * time.Hour

// gcra is the generic cell rate algorithm (ITU-T I.371 annex A.1.1): a token
// bucket whose whole state is one time, the one at which the bucket is full
// again. x/time/rate has a mutex and seven words for it.
//
//	interval   ns between two events in the long run
//	tolerance  ns that events may come ahead of that: (burst - 1) * interval
//
// The interval is rounded up to whole nanoseconds, so that no more than the
// rate is ever let through: at 10 million a second by up to 1% less.
type gcra struct {
	interval  int64
	tolerance int64
}

// newGCRA returns false for a rate without a bound.
func newGCRA(r Rate) (gcra, bool, error) {
	if r.Burst == 0 {
		r.Burst = r.PerSecond
	}
	switch {
	case r.PerSecond < 0 || r.PerSecond > MaxPerSecond:
		return gcra{}, false, fmt.Errorf("%w: PerSecond must be from 0 to %d", ErrConfig, MaxPerSecond)
	case r.Burst < 0 || r.Burst > MaxBurst:
		return gcra{}, false, fmt.Errorf("%w: Burst must be from 0 to %d", ErrConfig, MaxBurst)
	case r.PerSecond == 0:
		return gcra{}, false, nil
	}
	interval := (int64(time.Second) + int64(r.PerSecond) - 1) / int64(r.PerSecond)
	if interval*int64(r.Burst) > int64(maxFill) {
		return gcra{}, false, fmt.Errorf("%w: Burst takes longer than %s to come back", ErrConfig, maxFill)
	}
	return gcra{interval, interval * int64(r.Burst-1)}, true, nil
}

// take takes one event at now out of a bucket that is full again at the given
// time. It returns the new state and 0, or the old one and the ns after which
// the event would be let through.
func (g gcra) take(full, now int64) (after, wait int64) {
	from := max(full, now)
	if ahead := from - now; ahead > g.tolerance {
		return full, ahead - g.tolerance
	}
	return from + g.interval, 0
}

// bucket is a gcra that is shared by many.
type bucket struct {
	rate gcra
	full atomic.Int64
}

func (b *bucket) take(now int64) (wait int64) {
	for {
		full := b.full.Load()
		after, wait := b.rate.take(full, now)
		if wait > 0 {
			return wait
		}
		if b.full.CompareAndSwap(full, after) {
			return 0
		}
	}
}
