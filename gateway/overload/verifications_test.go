package overload

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// testBell is a bell without a network poller, so that time can be virtual.
type testBell chan struct{}

func (b testBell) Ring()      { b <- struct{}{} }
func (b testBell) Wait() bool { _, ok := <-b; return ok }
func (b testBell) Close()     { close(b) }

func newTestVerifications(t *testing.T, c VerificationsConfig) *Verifications {
	t.Helper()
	v, err := newVerifications(c, make(testBell, 1))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// verifyFor has a turn of a length.
func verifyFor(v *Verifications, d time.Duration) Outcome {
	o := v.Acquire(time.Now())
	if o == Admitted {
		begun := time.Now()
		time.Sleep(d)
		end := time.Now()
		v.Release(end, end.Sub(begun))
	}
	return o
}

func TestVerificationRunsAtOnceWhereNobodyElseDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newTestVerifications(t, VerificationsConfig{Parallel: 1})
		defer v.Close()
		for range 10 {
			if verifyFor(v, time.Millisecond) != Admitted {
				t.Fatal("refused")
			}
			time.Sleep(time.Millisecond)
		}
		if s := v.Stats(); s != (VerificationStats{AtOnce: 10, Parallel: 1}) {
			t.Errorf("%+v", s)
		}
	})
}

// Two that follow at once are a storm, for all that is known: the second goes
// behind what came in the meantime.
func TestVerificationsBackToBackStandInLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newTestVerifications(t, VerificationsConfig{Parallel: 1})
		defer v.Close()
		verifyFor(v, time.Millisecond)
		verifyFor(v, time.Millisecond)
		if s := v.Stats(); s.AtOnce != 1 || s.AfterWait != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestNoMoreVerificationsRunThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newTestVerifications(t, VerificationsConfig{Parallel: 3})
		defer v.Close()
		var running, most atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if v.Acquire(time.Now()) != Admitted {
					t.Error("refused")
					return
				}
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Millisecond)
				running.Add(-1)
				v.Release(time.Now(), time.Millisecond)
			})
		}
		all.Wait()
		if most.Load() != 3 {
			t.Errorf("%d ran at once", most.Load())
		}
		if s := v.Stats(); s.AtOnce+s.AfterWait != 50 || s.Running != 0 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestWaitForATurnIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newTestVerifications(t, VerificationsConfig{Parallel: 1, MaxWait: 10 * time.Millisecond})
		defer v.Close()
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				begun := time.Now()
				o := v.Acquire(begun)
				waited := time.Since(begun)
				if most := 11 * time.Millisecond; waited > most {
					t.Errorf("%v after %s", o, waited)
				}
				if o == Admitted {
					time.Sleep(time.Millisecond)
					v.Release(time.Now(), time.Millisecond)
				}
			})
		}
		all.Wait()
		if s := v.Stats(); s.AtOnce+s.AfterWait < 10 || s.Late < 15 || s.AtOnce+s.AfterWait+s.Late != 30 {
			t.Errorf("%+v", s)
		}
	})
}

func TestFullLineRefusesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newTestVerifications(t, VerificationsConfig{Parallel: 1, MaxWaiting: 2})
		defer v.Close()
		if v.Acquire(time.Now()) != Admitted {
			t.Fatal("refused")
		}
		var waiting sync.WaitGroup
		for range 2 {
			waiting.Go(func() { verifyFor(v, time.Millisecond) })
		}
		synctest.Wait()
		begun := time.Now()
		if v.Acquire(begun) != Refused || time.Since(begun) != 0 {
			t.Error("a third waits")
		}
		v.Release(time.Now(), 0)
		waiting.Wait()
		if s := v.Stats(); s.Full != 1 || s.AfterWait != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestCloseRefusesWhoWaitsAndWhoWould(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newTestVerifications(t, VerificationsConfig{Parallel: 1})
		if v.Acquire(time.Now()) != Admitted {
			t.Fatal("refused")
		}
		outcome := Admitted
		var waiting sync.WaitGroup
		waiting.Go(func() { outcome = v.Acquire(time.Now()) })
		synctest.Wait()
		v.Close()
		v.Close()
		waiting.Wait()
		if outcome != Refused || v.Acquire(time.Now()) != Refused {
			t.Error("admitted after Close")
		}
		v.Release(time.Now(), 0)
		if s := v.Stats(); s.Waiting != 0 || s.Running != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A moment's overlap must leave nobody behind: as many ask as there are slots
// and places, again and again.
func TestNobodyIsLeftWaiting(t *testing.T) {
	t.Parallel()
	v, err := NewVerifications(VerificationsConfig{Parallel: 1, MaxWaiting: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for range 2000 {
		var three sync.WaitGroup
		for range 3 {
			three.Go(func() {
				if v.Acquire(time.Now()) == Admitted {
					v.Release(time.Now(), 0)
				}
			})
		}
		three.Wait()
	}
	if s := v.Stats(); s.Waiting != 0 || s.Running != 0 {
		t.Errorf("%+v", s)
	}
}

// The real bell, real time, and more who want than there is room for.
func TestEveryWaitEndsUnderARealBell(t *testing.T) {
	t.Parallel()
	v, err := NewVerifications(VerificationsConfig{Parallel: 2, MaxWaiting: 16})
	if err != nil {
		t.Fatal(err)
	}
	var asked, admitted, refused atomic.Uint64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for range 200 {
				asked.Add(1)
				if v.Acquire(time.Now()) == Refused {
					refused.Add(1)
					continue
				}
				admitted.Add(1)
				v.Release(time.Now(), 10*time.Microsecond)
			}
		})
	}
	all.Wait()
	s := v.Stats()
	if s.AtOnce+s.AfterWait != admitted.Load() || s.Full+s.Late != refused.Load() || s.Running != 0 || s.Waiting != 0 {
		t.Errorf("%+v of %d: %d, %d", s, asked.Load(), admitted.Load(), refused.Load())
	}
	v.Close()
}

func TestVerificationsOutsideTheirBoundsAreAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []VerificationsConfig{
		{Parallel: -1}, {Parallel: maxParallel + 1}, {MaxWait: time.Microsecond}, {MaxWait: time.Minute}, {MaxWaiting: -1}, {MaxWaiting: maxVerifyWaiting + 1},
	} {
		if _, err := NewVerifications(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
