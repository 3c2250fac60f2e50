package overload

import "time"

// line is who waits for a turn, oldest first. It is pure: it neither wakes
// anybody nor reads a clock. Times are in ns on any clock that only goes on.
//
// First come, first served. A line that comes and goes is a burst, in which
// everybody may wait for as long as maxWait. One whose oldest has waited for
// longer than target all through an interval is an overload (the standing queue
// of RFC 8289 section 3.1). Waiting then helps nobody, since whoever waits is
// only replaced by the next: from then on nobody joins whose turn would not
// come within target, and who does not join is refused before he has cost
// anything. It is over when nobody had to be refused for an interval.
//
// Newest first would serve no more here: it pays where a wait comes near the
// patience of clients, and makes each who is passed over wait in vain.
type line struct {
	places []place // a ring
	oldest int
	n      int
	// turns is how many run at once: as many may always wait.
	turns int

	interval int64
	target   int64
	maxWait  int64

	// soon is when the oldest had last not waited for longer than target.
	soon int64
	// refused is when one was last refused in an overload; overloaded tells
	// whether there is one.
	refused    int64
	overloaded bool
	// pace is in what time the line moves on by one, a moving average over
	// about eight of them; last is when it last did, or began.
	pace, last int64
}

// place is one who waits.
type place struct {
	since int64
	seat  int32
}

func newLine(length, turns int, interval, target, maxWait time.Duration) line {
	return line{
		places:   make([]place, length),
		turns:    turns,
		interval: int64(interval),
		target:   int64(target),
		maxWait:  int64(maxWait),
	}
}

// look finds out whether there is an overload.
func (l *line) look(now int64) {
	if l.n == 0 || now-l.places[l.oldest].since <= l.target {
		l.soon = now
	}
	switch {
	case l.overloaded:
		l.overloaded = now-l.refused <= l.interval
	case now-l.soon > l.interval:
		l.overloaded, l.refused = true, now
	}
}

// room is how many may wait.
func (l *line) room() int {
	if !l.overloaded || l.pace == 0 {
		return len(l.places)
	}
	return min(len(l.places), max(l.turns, int(l.target/l.pace)))
}

// join lets a seat wait, unless there is no room.
func (l *line) join(seat int32, now int64) bool {
	l.look(now)
	if l.n >= l.room() {
		l.refused = now
		return false
	}
	if l.n == 0 {
		l.last = now
	}
	l.places[(l.oldest+l.n)%len(l.places)] = place{now, seat}
	l.n++
	return true
}

// late takes out the oldest where it has waited for longer than maxWait.
func (l *line) late(now int64) (seat int32, ok bool) {
	l.look(now)
	if l.n == 0 || now-l.places[l.oldest].since <= l.maxWait {
		return 0, false
	}
	l.refused = now
	return l.leave(), true
}

// next takes out whose turn it is.
func (l *line) next(now int64) (seat int32, ok bool) {
	l.look(now)
	if l.n == 0 {
		return 0, false
	}
	l.pace += (now - l.last - l.pace) / 8
	l.last = now
	return l.leave(), true
}

// leave takes out the oldest.
func (l *line) leave() int32 {
	seat := l.places[l.oldest].seat
	l.oldest = (l.oldest + 1) % len(l.places)
	l.n--
	return seat
}
