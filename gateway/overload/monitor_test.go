package overload

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowBell is heard some time after it was rung.
type slowBell struct {
	rung chan struct{}
	late time.Duration
}

func (b slowBell) Ring() { b.rung <- struct{}{} }

func (b slowBell) Wait() bool {
	_, ok := <-b.rung
	time.Sleep(b.late)
	return ok
}

func (b slowBell) Close() { close(b.rung) }

func TestLateProcessShrinksTheLimitAndAPunctualOneDoesNot(t *testing.T) {
	t.Parallel()
	for late, shrinks := range map[time.Duration]bool{time.Millisecond: false, 30 * time.Millisecond: true} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestShedder(t, ShedderConfig{Floor: 10, Ceiling: 1000})
			m := NewMonitor(s)
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { m.run(ctx, slowBell{make(chan struct{}, 1), late}) })
			time.Sleep(time.Second)
			cancel()
			running.Wait()
			if got := s.Stats(); (got.Limit < 1000) != shrinks || (got.LateWindows > 0) != shrinks || m.Late() != late {
				t.Errorf("%s late: %+v, measured %s", late, got, m.Late())
			}
		})
	}
}

func TestMonitorMeasuresByARealBell(t *testing.T) {
	t.Parallel()
	m := NewMonitor(newTestShedder(t, ShedderConfig{}))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	for m.Late() == 0 {
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
