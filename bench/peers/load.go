package peers

import (
	"context"
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

const (
	// warmUpShare is how many requests warm up, at least, in parts of those that are measured.
	warmUpShare = 10
	// loadFor bounds a load that never comes to its end.
	loadFor = 2 * time.Minute
	// lookAtClock is how many requests lie between two looks at the clock.
	lookAtClock = 64
)

// sample is what one load of one round found.
type sample struct {
	requests int64
	cpu      time.Duration
	elapsed  time.Duration
}

func (s sample) cpuMicroseconds() float64   { return s.cpu.Seconds() * 1e6 / float64(s.requests) }
func (s sample) answeredPerSecond() float64 { return float64(s.requests) / s.elapsed.Seconds() }
func (s sample) busyShare() float64         { return s.cpu.Seconds() / s.elapsed.Seconds() }

// window is a load of which a stretch is measured. It is an [attack.Source] for one thread, which calls it in order.
type window struct {
	// before are requests that warm up, measured those that count, in turn. Once the stretch is over, before is sent
	// until the load ends.
	before, measured []attack.Request
	// from and to are the numbers of the first request that counts and of the first that does not any more.
	from, to int64
	longest  time.Duration
	clock    func() (time.Duration, error)
	over     func()

	begun   time.Time
	used    time.Duration
	is      sample
	ended   bool
	failure error
}

// Request implements [attack.Source].
func (w *window) Request(n int64) *attack.Request {
	if n < w.from || w.ended {
		return &w.before[n%int64(len(w.before))]
	}
	at := n - w.from
	switch {
	case at == 0:
		w.begin()
	case n >= w.to || at%lookAtClock == 0 && time.Since(w.begun) >= w.longest:
		w.end(at)
	}
	return &w.measured[at%int64(len(w.measured))]
}

// begin and end look at the wall clock first and last: the time between encloses that of the processor, which is
// therefore never more than a processor has.
func (w *window) begin() {
	w.begun = time.Now()
	w.used, w.failure = w.clock()
}

func (w *window) end(requests int64) {
	used, err := w.clock()
	if w.failure == nil {
		w.failure = err
	}
	w.ended = true
	w.is = sample{requests: requests, cpu: used - w.used, elapsed: time.Since(w.begun)}
	w.over()
}

// measure makes one load on a proxy that serves.
func (r *run) measure(ctx context.Context, p *process, w *window) (sample, error) {
	workers, err := p.workers()
	if err != nil {
		return sample{}, err
	}
	w.longest = r.Longest
	w.clock = func() (sum time.Duration, err error) {
		for _, pid := range workers {
			used, err := cpuOf(pid)
			if err != nil {
				return 0, err
			}
			sum += used
		}
		return sum, nil
	}
	loading, over := context.WithCancel(ctx)
	defer over()
	w.over = over
	result, err := attack.Run(loading, attack.Config{
		Address: r.address, Source: w, Duration: loadFor, Connections: r.Connections, Threads: 1, Timeout: patience,
	})
	switch {
	case ctx.Err() != nil:
		return sample{}, ctx.Err()
	case err != nil:
		return sample{}, p.fault(err)
	case result.Failed > 0:
		return sample{}, p.fault(fmt.Errorf("%d of %d requests with good tokens failed: %v, status %v",
			result.Failed, result.Sent, result.Failures, result.Statuses))
	case w.failure != nil:
		return sample{}, w.failure
	case !w.ended:
		return sample{}, p.fault(fmt.Errorf("only %d requests answered in %s", result.Answered, loadFor))
	}
	return w.is, nil
}
