package target

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/procfs"
)

// Sampler samples a target. Start it before a load and stop it after; the two calls
// and what happens between them are its owner's alone.
type Sampler struct {
	config    Config
	client    *http.Client
	instances []*instance
	processes []*process

	clock         func() time.Time
	started, last time.Time
	points        []Point
	stride, held  int     // samples to a point, and samples in the last one
	cpuBefore     float64 // the processor time until the last good sample
	peakRSS       float64
	sumRSS        float64
	samplesRSS    int
	go_           Go
	samples       int
	failures      map[string]int
	complete      bool
	cost          time.Duration

	stop chan struct{}
	done sync.WaitGroup
}

// Start takes the first sample, and one each interval from then on, in a goroutine
// that ends with [Sampler.Stop]. Errors are [ErrConfig], [ErrMetrics] and
// [ErrProcess]; then nothing runs.
func Start(ctx context.Context, config Config) (*Sampler, error) {
	s, err := begin(ctx, config, procfs.DefaultMountPoint, time.Now)
	if err != nil {
		return nil, err
	}
	s.done.Go(s.run)
	return s, nil
}

// begin takes the first sample.
func begin(ctx context.Context, config Config, mount string, clock func() time.Time) (*Sampler, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: config.TLS, MaxIdleConnsPerHost: 1, DisableCompression: true}
	s := &Sampler{
		config: config, clock: clock, stride: 1, failures: map[string]int{}, complete: true, stop: make(chan struct{}),
		client: &http.Client{
			Transport: transport, Timeout: config.Timeout,
			// Whoever was named is asked, and nobody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	for _, url := range config.Metrics {
		s.instances = append(s.instances, newInstance(scraper{url: url, client: s.client, maxBytes: config.MaxBytes}, config.Requests, config.Overhead))
	}
	if len(config.PIDs) > 0 {
		fs, err := procfs.NewFS(mount)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrProcess, err)
		}
		for _, pid := range config.PIDs {
			s.processes = append(s.processes, newProcess(fs, pid))
		}
	}
	if err := s.each(func(i *instance) error { return i.begin(ctx) }, (*process).begin); err != nil {
		s.client.CloseIdleConnections()
		return nil, err
	}
	s.started = clock()
	s.last = s.started
	s.samples = 1
	s.gauges()
	return s, nil
}

// each asks all metrics at once and then all processes, and returns the errors.
func (s *Sampler) each(metrics func(*instance) error, proc func(*process) error) error {
	errs := make([]error, len(s.instances)+len(s.processes))
	var asking sync.WaitGroup
	for n, i := range s.instances {
		asking.Go(func() { errs[n] = metrics(i) })
	}
	asking.Wait()
	for n, p := range s.processes {
		errs[len(s.instances)+n] = proc(p)
	}
	return errors.Join(errs...)
}

func (s *Sampler) run() {
	tick := time.NewTicker(s.config.Interval)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.sample(context.Background())
		}
	}
}

// sample takes one sample.
func (s *Sampler) sample(ctx context.Context) {
	asked := s.clock()
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	err := s.each(func(i *instance) error { return i.sample(ctx) }, (*process).sample)
	now := s.clock()
	s.cost += now.Sub(asked)
	if s.complete = err == nil && !s.ended(); !s.complete {
		for _, reason := range unjoin(err) {
			s.failures[reason.Error()]++
		}
		return
	}
	s.samples++
	s.gauges()
	s.point(now)
	s.last = now
}

// ended says that there is nothing left to sample: every process has ended, and there are no
// metrics.
func (s *Sampler) ended() bool {
	return len(s.instances) == 0 && !slices.ContainsFunc(s.processes, func(p *process) bool { return !p.gone })
}

// unjoin lists what [errors.Join] joined.
func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// gauges notes what is now and not since the start.
func (s *Sampler) gauges() {
	if rss, ok := s.rss(); ok {
		s.peakRSS = max(s.peakRSS, rss)
		s.sumRSS += rss
		s.samplesRSS++
	}
	var heap, goroutines, threads float64
	for _, i := range s.instances {
		heap += i.heap
		goroutines += i.goroutines
		threads += i.threads
	}
	s.go_.PeakHeapBytes = max(s.go_.PeakHeapBytes, int64(heap))
	s.go_.PeakGoroutines = max(s.go_.PeakGoroutines, int64(goroutines))
	s.go_.PeakThreads = max(s.go_.PeakThreads, int64(threads))
}

// cpu is the processor time since the start.
func (s *Sampler) cpu() (seconds float64, known bool) {
	for _, p := range s.processes {
		seconds += p.cpu.sum
	}
	if len(s.processes) > 0 {
		return seconds, true
	}
	known = true
	for _, i := range s.instances {
		seconds += i.cpu.sum
		known = known && i.cpu.seen
	}
	return seconds, known
}

// rss is the memory now.
func (s *Sampler) rss() (bytes float64, known bool) {
	for _, p := range s.processes {
		bytes += p.rss
	}
	if len(s.processes) > 0 {
		return bytes, true
	}
	known = true
	for _, i := range s.instances {
		bytes += i.rss
		known = known && i.hasRSS
	}
	return bytes, known
}

// point adds a point to the series. When there are too many, two become one, and so
// do those that follow.
func (s *Sampler) point(now time.Time) {
	end := now.Sub(s.started).Seconds()
	p := Point{EndSeconds: end}
	if rss, ok := s.rss(); ok {
		n := int64(rss)
		p.RSSBytes = &n
	}
	if cpu, ok := s.cpu(); ok {
		if span := now.Sub(s.last).Seconds(); span > 0 {
			cores := (cpu - s.cpuBefore) / span
			p.CPUCores = &cores
		}
		s.cpuBefore = cpu
	}
	if n := len(s.points); n > 0 && s.held < s.stride {
		s.points[n-1] = join(s.before(n-1), s.points[n-1], p)
		s.held++
		return
	}
	if len(s.points) >= MaxPoints {
		half := s.points[:0]
		for n := 0; n+1 < len(s.points); n += 2 {
			start := 0.0
			if len(half) > 0 {
				start = half[len(half)-1].EndSeconds
			}
			half = append(half, join(start, s.points[n], s.points[n+1]))
		}
		s.points = half
		s.stride *= 2
	}
	s.points = append(s.points, p)
	s.held = 1
}

func (s *Sampler) before(n int) float64 {
	if n == 0 {
		return 0
	}
	return s.points[n-1].EndSeconds
}

// join makes one of two points, of which the first began at some second.
func join(start float64, a, b Point) Point {
	p := Point{EndSeconds: b.EndSeconds, RSSBytes: b.RSSBytes}
	if a.RSSBytes != nil && b.RSSBytes != nil {
		n := max(*a.RSSBytes, *b.RSSBytes)
		p.RSSBytes = &n
	}
	if span := b.EndSeconds - start; a.CPUCores != nil && b.CPUCores != nil && span > 0 {
		cores := (*a.CPUCores*(a.EndSeconds-start) + *b.CPUCores*(b.EndSeconds-a.EndSeconds)) / span
		p.CPUCores = &cores
	}
	return p
}

// Stop takes the last sample, even where ctx is done, within [Config.Timeout], ends
// the goroutine, and returns what was used. answered is how many requests the
// generator had answered; it counts where the target does not say.
func (s *Sampler) Stop(ctx context.Context, answered int64) *Use {
	close(s.stop)
	s.done.Wait()
	s.sample(context.WithoutCancel(ctx))
	s.client.CloseIdleConnections()
	return s.use(answered)
}

// finite is v, or 0 where it is no number.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
