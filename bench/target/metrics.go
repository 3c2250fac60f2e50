package target

import (
	"context"
	"fmt"

	dto "github.com/prometheus/client_model/go"
)

// The names that Prometheus' libraries give to what every process has.
const (
	nameCPU        = "process_cpu_seconds_total"
	nameRSS        = "process_resident_memory_bytes"
	nameStart      = "process_start_time_seconds"
	nameHeap       = "go_memstats_heap_alloc_bytes"
	nameGoroutines = "go_goroutines"
	nameThreads    = "go_threads"
	nameGC         = "go_gc_duration_seconds"
)

// instance is one process of the target, as its metrics tell of it.
type instance struct {
	scraper
	requestsName, overheadName string

	started          float64
	cpu, gc          counter
	requests         counters
	overhead         histograms
	hasOverhead      bool
	rss              float64
	hasRSS           bool
	heap, goroutines float64
	threads          float64
	hasGo            bool
	restarts, resets int
	bytes            int64
	seriesLeftOut    bool
	requestsAreThere bool
}

func newInstance(s scraper, requests, overhead string) *instance {
	return &instance{
		scraper: s, requestsName: requests, overheadName: overhead,
		requests: counters{}, overhead: histograms{last: map[string]*histogram{}},
	}
}

// begin takes the first sample.
func (i *instance) begin(ctx context.Context) error {
	families, n, err := i.read(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMetrics, err)
	}
	i.bytes += n
	i.take(families, true)
	if !i.cpu.seen && !i.hasRSS && !i.requestsAreThere && !i.hasOverhead {
		return fmt.Errorf("%w: none of %s, %s, %s and %s is there", ErrMetrics, nameCPU, nameRSS, i.requestsName, i.overheadName)
	}
	return nil
}

// sample takes another one. Errors are failures.
func (i *instance) sample(ctx context.Context) error {
	families, n, err := i.read(ctx)
	i.bytes += n
	if err != nil {
		return err
	}
	i.take(families, false)
	if i.seriesLeftOut {
		i.seriesLeftOut = false
		return failSeries
	}
	return nil
}

func (i *instance) take(families map[string]*dto.MetricFamily, first bool) {
	anew := false
	if started, ok := sole(families, nameStart); ok {
		anew = !first && started != i.started
		i.started = started
	}
	back := 0
	if value, ok := sole(families, nameCPU); ok {
		back += follow(&i.cpu, value, first, anew)
	}
	if gc := families[nameGC].GetMetric(); len(gc) == 1 {
		back += follow(&i.gc, float64(gc[0].GetSummary().GetSampleCount()), first, anew)
	}
	if requests := families[i.requestsName]; requests != nil {
		i.requestsAreThere = true
		n, all := i.requests.follow(requests, first, anew)
		back += n
		i.seriesLeftOut = !all
	}
	if overhead := families[i.overheadName]; overhead.GetType() == dto.MetricType_HISTOGRAM {
		i.hasOverhead = true
		n, all := i.overhead.follow(overhead, first, anew)
		back += n
		i.seriesLeftOut = i.seriesLeftOut || !all
	}
	i.rss, i.hasRSS = sole(families, nameRSS)
	i.heap, i.hasGo = sole(families, nameHeap)
	i.goroutines, _ = sole(families, nameGoroutines)
	i.threads, _ = sole(families, nameThreads)
	switch {
	case anew:
		i.restarts++
	case back > 0:
		i.resets++
	}
}

func follow(c *counter, value float64, first, anew bool) int {
	if first {
		c.start(value)
		return 0
	}
	if c.add(value, anew) {
		return 1
	}
	return 0
}
