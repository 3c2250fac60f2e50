package overload

import "time"

// limit is how many requests may be in flight, moved by how late the process
// is with its own work. It is pure. Lateness is all that it looks at: a request
// that waits for a slow upstream costs the gateway nothing and makes nothing
// late.
//
// A window of observations is late where most of them are later than target;
// single ones always are, after a collection of garbage say.
//
//	late:  limit = max(floor, 4/5 * min(limit, peak))
//	calm:  limit = min(ceiling, 17/16 * limit)   where peak came near it
//	calm for a second:  limit = min(ceiling, 3/2 * limit)
//
// peak is the most that were seen in flight in the window: a limit that is not
// reached would have to shrink for long before it had an effect. What was a
// limit for the processor is none any more when it has been idle for a while:
// many may then wait for their upstreams.
type limit struct {
	floor, ceiling int64
	target         time.Duration

	now   int64
	begun time.Time
	seen  int
	late  int
	peak  int64
	calm  int // windows
}

const (
	limitWindow     = 100 * time.Millisecond
	limitWindowSeen = 4
	limitRecovery   = 10 // windows
)

// observe takes in that the process was so late, with so many in flight. It
// returns whether this was the end of a window, and whether that was late.
func (l *limit) observe(late time.Duration, inFlight int64, now time.Time) (ended, overloaded bool) {
	if l.seen == 0 {
		l.begun = now
	}
	l.seen++
	if late > l.target {
		l.late++
	}
	l.peak = max(l.peak, inFlight)
	if l.seen < limitWindowSeen || now.Sub(l.begun) < limitWindow {
		return false, false
	}
	overloaded = 2*l.late > l.seen
	l.move(overloaded)
	l.seen, l.late, l.peak = 0, 0, 0
	return true, overloaded
}

func (l *limit) move(overloaded bool) {
	switch {
	case overloaded:
		l.calm = 0
		l.now = max(l.floor, min(l.now, l.peak)*4/5)
		return
	case l.calm >= limitRecovery:
		l.now += l.now/2 + 1
	case l.peak >= l.now*3/4:
		l.now += l.now/16 + 1
	}
	l.calm++
	l.now = min(l.now, l.ceiling)
}
