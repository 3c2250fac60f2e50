package attack

import (
	"context"
	"runtime"
	"time"
)

// The engines' kinds.
const (
	kindEpoll      = "epoll"
	kindGoroutines = "goroutines"
)

// collector takes the ledgers away, once an interval, and adds them up.
type collector struct {
	run     *run
	engines []engine
	total   *tally
	series  []Interval
	apart   bool // an engine's busy time is known from its ledger

	started, last time.Time
	cpuStarted    time.Duration
	cpuLast       time.Duration
	cpuKnown      bool
}

func (c *collector) begin(started time.Time) {
	c.started, c.last = started, started
	c.cpuStarted, c.cpuKnown = processCPU()
	c.cpuLast = c.cpuStarted
	for _, e := range c.engines {
		c.total.add(e.ledger().take())
	}
}

// collect goes on until the engines are done, and says whether they were stopped.
func (c *collector) collect(ctx context.Context, done <-chan struct{}) (interrupted bool) {
	tick := time.NewTicker(c.run.Interval)
	defer tick.Stop()
	over := ctx.Done()
	for {
		select {
		case <-tick.C:
			c.take(time.Now())
		case <-over:
			c.run.stopped.Store(true)
			interrupted, over = true, nil
		case <-done:
			c.take(time.Now())
			return interrupted
		}
	}
}

// take ends an interval.
func (c *collector) take(now time.Time) {
	span := now.Sub(c.last)
	if span <= 0 {
		return
	}
	sum := newTally()
	busiest := 0.0
	for _, e := range c.engines {
		t := e.ledger().take()
		sum.add(t)
		busiest = max(busiest, 1-t.idle.Seconds()/span.Seconds())
	}
	busy := &busiest
	if !c.apart {
		cpu, known := processCPU()
		used := (cpu - c.cpuLast).Seconds() / span.Seconds() / float64(runtime.GOMAXPROCS(0))
		c.cpuLast, busy = cpu, &used
		if !known {
			busy = nil
		}
	}
	c.total.add(sum)
	i := interval(sum, c.last.Sub(c.started), now.Sub(c.started), busy)
	c.last = now
	// A short rest after the last request says nothing of the generator's speed,
	// and a run that is cut into ever more of them would take ever more memory.
	if len(c.series) > 0 && span < c.run.Interval/2 {
		c.series[len(c.series)-1] = join(c.series[len(c.series)-1], i)
		return
	}
	c.series = append(c.series, i)
	if c.run.Progress != nil {
		c.run.Progress(i)
	}
}

// join adds a rest to the interval before it; its percentiles stay those of the
// interval, which has most of the requests.
func join(a, rest Interval) Interval {
	a.EndSeconds = rest.EndSeconds
	a.Due += rest.Due
	a.Sent += rest.Sent
	a.Answered += rest.Answered
	a.Failed += rest.Failed
	a.ConnectionsOpened += rest.ConnectionsOpened
	a.MaxMicroseconds = max(a.MaxMicroseconds, rest.MaxMicroseconds)
	return a
}

func (c *collector) result(kind string, interrupted bool) *Result {
	r := result(&c.run.Config, c.total)
	r.Exhausted = c.run.exhausted.Load()
	r.Interrupted, r.Series = interrupted || r.Exhausted, c.series
	r.StartedAt, r.ElapsedSeconds = c.started.UTC(), c.last.Sub(c.started).Seconds()
	if asking := min(r.Load.DurationSeconds, r.ElapsedSeconds); asking > 0 {
		r.AskedPerSecond, r.AnsweredPerSecond = float64(r.Due)/asking, float64(r.Answered)/r.ElapsedSeconds
	}
	r.Generator.Engine = kind
	if kind == kindGoroutines {
		r.Generator.Threads = 0
	}
	r.Generator.Spin = c.run.Spin && kind == kindEpoll
	if cpu, known := c.cpu(); known {
		seconds := cpu.Seconds()
		r.Generator.CPUSeconds = &seconds
		if r.Sent > 0 {
			each := seconds * 1e6 / float64(r.Sent)
			r.Generator.CPUMicrosecondsPerRequest = &each
		}
	}
	r.Bottleneck = bottleneck(r, c.run.MaxLateness)
	r.Claimed = len(r.Bottleneck) == 0
	return r
}

// cpu is what the load has cost: the engines', or else the whole process's.
func (c *collector) cpu() (used time.Duration, known bool) {
	for _, e := range c.engines {
		cpu, apart := e.cpu()
		if !apart {
			now, _ := processCPU()
			return now - c.cpuStarted, c.cpuKnown
		}
		used += cpu
	}
	return used, true
}
