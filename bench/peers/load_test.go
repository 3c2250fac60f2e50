package peers

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

func requests(names ...string) (all []attack.Request) {
	for _, name := range names {
		all = append(all, attack.Request{Message: []byte(name)})
	}
	return all
}

func TestWindowMeasuresFromItsFirstRequestToItsLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		used, over := time.Duration(0), 0
		w := &window{
			before: requests("w"), measured: requests("a", "b", "c"), from: 2, to: 5, longest: time.Hour,
			clock: func() (time.Duration, error) { return used, nil }, over: func() { over++ },
		}
		sent := ""
		for n := range int64(8) {
			sent += string(w.Request(n).Message)
			used += 10 * time.Microsecond // of which those before 2 and after 5 are not counted
			time.Sleep(20 * time.Microsecond)
		}
		if sent != "wwabcaww" {
			t.Errorf("sent %q: each measured request once, and then what warms up", sent)
		}
		if want := (sample{requests: 3, cpu: 30 * time.Microsecond, elapsed: 60 * time.Microsecond}); w.is != want {
			t.Errorf("measured %+v, want %+v", w.is, want)
		}
		if over != 1 {
			t.Errorf("ended %d times", over)
		}
		if cost, busy := w.is.cpuMicroseconds(), w.is.busyShare(); cost != 10 || busy != 0.5 {
			t.Errorf("%v µs a request, busy %v", cost, busy)
		}
	})
}

func TestBusyProcessorIsNeverMoreThanFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun, slow := time.Now(), 50*time.Microsecond
		w := &window{
			before: requests("w"), measured: requests("a"), from: 0, to: 3, longest: time.Hour, over: func() {},
			// It works all the time, and reading its clock takes longer the first time.
			clock: func() (time.Duration, error) {
				used := time.Since(begun)
				time.Sleep(slow)
				slow = 0
				return used, nil
			},
		}
		for n := range int64(4) {
			w.Request(n)
			time.Sleep(10 * time.Microsecond)
		}
		if share := w.is.busyShare(); share != 1 || !w.ended {
			t.Errorf("busy %v of the time", share)
		}
	})
}

func TestWindowEndsWhenItTookLongEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &window{
			before: requests("w"), measured: requests("a"), from: 1, to: 1 << 40, longest: time.Second,
			clock: func() (time.Duration, error) { return 0, nil }, over: func() {},
		}
		n := int64(0)
		for ; !w.ended && n < 10_000; n++ {
			w.Request(n)
			time.Sleep(10 * time.Millisecond)
		}
		if w.is.requests != 128 || w.is.elapsed < time.Second || w.is.elapsed > 1300*time.Millisecond {
			t.Errorf("it ended with %+v", w.is)
		}
	})
}

func TestWindowKeepsTheFaultOfItsClock(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	calls := 0
	w := &window{
		before: requests("w"), measured: requests("a"), from: 0, to: 1, longest: time.Hour, over: func() {},
		clock: func() (time.Duration, error) {
			if calls++; calls == 1 {
				return 0, gone
			}
			return 0, nil
		},
	}
	w.Request(0)
	w.Request(1)
	if !errors.Is(w.failure, gone) {
		t.Errorf("failure %v", w.failure)
	}
}

func TestWhoRefusesSaysSoAndAsksNobody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want    want
		status  int
		reached bool
		passed  bool
	}{
		{accepted, 200, true, true},
		{accepted, 200, false, false}, // an answer that is not the upstream's
		{accepted, 401, false, false},
		{refused, 401, false, true},
		{refused, 403, false, true},
		{refused, 401, true, false}, // refused, but the upstream did it all the same
		{refused, 200, true, false},
		{refused, 500, false, false}, // a fault is no verdict
		{anything, 500, true, true},
	} {
		if passed := c.want.judge(c.status, c.reached); passed != c.passed {
			t.Errorf("%q: status %d, reached %v: passed %v", c.want, c.status, c.reached, passed)
		}
	}
}
