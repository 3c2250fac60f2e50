package overload

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// monitorTick is how often the process's lateness is measured: often enough
// that a window holds ten, seldom enough to cost a thousandth of a processor.
const monitorTick = 10 * time.Millisecond

// Monitor measures how late the process is with its own work: how long it takes
// until it hears a bell that it rang itself, by way of the network poller and
// the scheduler's queue, as a request's bytes come in. That is the gateway's own
// queueing delay and nobody else's.
type Monitor struct {
	shedder *Shedder
	late    atomic.Int64 // the last one, in ns
}

// NewMonitor prepares a Monitor that moves the shedder's limit.
func NewMonitor(s *Shedder) *Monitor { return &Monitor{shedder: s} }

// Run measures until ctx ends. Call it once. An error says that no pipe could
// be opened; the limit then stays where it is.
func (m *Monitor) Run(ctx context.Context) error {
	bell, err := newDoorbell()
	if err != nil {
		return fmt.Errorf("overload: %w", err)
	}
	m.run(ctx, bell)
	return nil
}

func (m *Monitor) run(ctx context.Context, bell bell) {
	rung := make(chan time.Time, 1)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for bell.Wait() {
			now := time.Now()
			late := now.Sub(<-rung)
			m.late.Store(int64(late))
			m.shedder.Observe(late, now)
		}
	}()
	tick := time.NewTicker(monitorTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			bell.Close()
			<-heard
			return
		case <-tick.C:
		}
		// One at a time: while the last ring is not heard, its lateness grows.
		select {
		case rung <- time.Now():
			bell.Ring()
		default:
		}
	}
}

// Late returns how late the process was when that was last measured.
func (m *Monitor) Late() time.Duration { return time.Duration(m.late.Load()) }
