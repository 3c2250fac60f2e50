package overload

import (
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

func newTestLine(length int) *line {
	l := newLine(length, 1, 100*time.Millisecond, 5*time.Millisecond, 100*time.Millisecond)
	return &l
}

func TestLineServesInOrderOfArrival(t *testing.T) {
	t.Parallel()
	l := newTestLine(3)
	for round := range int64(5) { // the ring turns
		for seat := range int32(3) {
			if !l.join(seat, round*ms) {
				t.Fatal("no room")
			}
		}
		if l.join(9, round*ms) {
			t.Fatal("room beyond the length")
		}
		for want := range int32(3) {
			if got, ok := l.next(round * ms); !ok || got != want {
				t.Fatalf("%d %v, want %d", got, ok, want)
			}
		}
		if _, ok := l.next(round * ms); ok {
			t.Fatal("somebody left in an empty line")
		}
	}
}

func TestNobodyWaitsInLineForLongerThanMaxWait(t *testing.T) {
	t.Parallel()
	l := newTestLine(8)
	l.join(1, 0)
	l.join(2, ms)
	if _, ok := l.late(100 * ms); ok {
		t.Error("late at exactly the limit")
	}
	if seat, ok := l.late(100*ms + 1); !ok || seat != 1 {
		t.Errorf("%d %v, want the first", seat, ok)
	}
	if _, ok := l.late(100*ms + 1); ok {
		t.Error("the second is not late yet")
	}
}

// A burst is served in full, as long as there is time for it.
func TestBurstMayWait(t *testing.T) {
	t.Parallel()
	l := newTestLine(2000)
	for seat := range int32(1000) {
		if !l.join(seat, 0) {
			t.Fatal("no room for a burst")
		}
	}
	for i := range int64(1000) { // 80 µs each: 80 ms
		now := i * 80_000
		if _, ok := l.late(now); ok {
			t.Fatal("late")
		}
		if _, ok := l.next(now); !ok {
			t.Fatal("nobody there")
		}
	}
}

// overload fills the line for as long as it takes to be seen as standing: one
// turn in every pace, and as many arrivals as fit.
func standing(l *line, pace int64) (now int64) {
	for now = pace; !l.overloaded; now += pace {
		for l.join(0, now) && l.n < 200 {
			continue
		}
		l.late(now)
		l.next(now)
	}
	return now
}

func TestStandingLineTakesOnlyWhomItCanServeSoon(t *testing.T) {
	t.Parallel()
	l := newTestLine(1024)
	const pace = 100_000
	now := standing(l, pace)
	if now < 100*ms || now > 130*ms {
		t.Errorf("an overload after %s", time.Duration(now))
	}
	if l.join(0, now) {
		t.Error("one joins a line that is too long")
	}
	for l.n > 0 {
		now += pace
		l.next(now)
	}
	joined := 0
	for l.join(0, now) {
		joined++
	}
	if want := int(5 * ms / pace); joined < want*9/10 || joined > want*11/10 {
		t.Errorf("%d may wait, want about %d", joined, want)
	}
}

func TestOverloadEndsWhenNobodyHadToBeRefusedForAnInterval(t *testing.T) {
	t.Parallel()
	l := newTestLine(1024)
	now := standing(l, 100_000)
	l.join(0, now) // refused
	refused := now
	for l.n > 0 {
		now += 100_000
		l.next(now)
	}
	if l.look(refused + 100*ms); !l.overloaded {
		t.Error("over before the interval")
	}
	if l.look(refused + 100*ms + 1); l.overloaded {
		t.Error("not over after the interval")
	}
}

// A closed circle of clients keeps a line that never empties, but moves.
func TestLineThatMovesIsNoOverload(t *testing.T) {
	t.Parallel()
	l := newTestLine(1024)
	for now := int64(0); now < 1000*ms; now += 100_000 {
		for l.n < 30 { // 3 ms of work
			if !l.join(0, now) {
				t.Fatal("refused")
			}
		}
		l.next(now)
	}
}

func TestLineLeavesRoomForWhoRunsNext(t *testing.T) {
	t.Parallel()
	l := newLine(8, 2, time.Millisecond, time.Millisecond, time.Second)
	l.overloaded, l.pace = true, int64(time.Second) // nothing can be served within target
	if !l.join(0, 0) || !l.join(1, 0) || l.join(2, 0) {
		t.Error("as many may wait as run at once")
	}
}
