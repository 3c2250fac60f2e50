package overload

import (
	"testing"
	"time"
)

// windows lets n windows of the limit pass, each with ten observations.
func (l *limit) windows(n int, late time.Duration, inFlight int64) {
	now := time.Unix(1, 0)
	for ended := 0; ended < n; now = now.Add(10 * time.Millisecond) {
		if e, _ := l.observe(late, inFlight, now); e {
			ended++
		}
	}
}

func newTestLimit() *limit {
	return &limit{floor: 10, ceiling: 1000, target: 2 * time.Millisecond, now: 1000}
}

func TestLimitShrinksFromWhatWasInFlightWhileTheProcessIsLate(t *testing.T) {
	t.Parallel()
	l := newTestLimit()
	for _, want := range []int64{160, 128, 102} {
		if l.windows(1, 3*time.Millisecond, 200); l.now != want {
			t.Errorf("%d, want %d", l.now, want)
		}
	}
	if l.windows(50, 3*time.Millisecond, 200); l.now != l.floor {
		t.Errorf("%d, want the floor", l.now)
	}
}

func TestLimitGrowsWhereItIsReached(t *testing.T) {
	t.Parallel()
	l := newTestLimit()
	l.now = 160
	if l.windows(1, time.Millisecond, 100); l.now != 160 {
		t.Errorf("%d: it grew though nobody came near it", l.now)
	}
	if l.windows(1, time.Millisecond, 120); l.now != 171 {
		t.Errorf("%d, want 171", l.now)
	}
}

func TestLimitIsGoneSoonAfterTheOverload(t *testing.T) {
	t.Parallel()
	l := newTestLimit()
	l.windows(100, 3*time.Millisecond, 200)
	if l.windows(limitRecovery, 0, 0); l.now != l.floor {
		t.Errorf("%d within the first second", l.now)
	}
	if l.windows(15, 0, 0); l.now != l.ceiling {
		t.Errorf("%d, want the ceiling", l.now)
	}
}

func TestSomeLateObservationsAreNoOverload(t *testing.T) {
	t.Parallel()
	l := newTestLimit()
	now := time.Unix(1, 0)
	for i := range 100 {
		late := time.Duration(0)
		if i%5 < 2 {
			late = time.Second
		}
		if _, overloaded := l.observe(late, 500, now); overloaded {
			t.Fatal("two of five are not most of them")
		}
		now = now.Add(10 * time.Millisecond)
	}
	if l.now != 1000 {
		t.Errorf("limit %d", l.now)
	}
}

func TestWindowNeedsObservationsAndTime(t *testing.T) {
	t.Parallel()
	l := newTestLimit()
	now := time.Unix(1, 0)
	for i := range limitWindowSeen {
		ended, _ := l.observe(0, 0, now)
		if want := i == limitWindowSeen-1; ended != want {
			t.Errorf("observation %d: %v", i, ended)
		}
		now = now.Add(time.Second)
	}
	for range 50 { // all at one time
		if ended, _ := l.observe(0, 0, now); ended {
			t.Fatal("no time has passed")
		}
	}
}
