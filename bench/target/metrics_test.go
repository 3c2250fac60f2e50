package target

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
)

// watch begins to sample pages at times that the test says.
func watch(t *testing.T, c Config) (*Sampler, *ticking) {
	t.Helper()
	clock := &ticking{now: time.Unix(1e9, 0)}
	s, err := begin(t.Context(), c, "/proc", clock.read)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.CloseIdleConnections)
	return s, clock
}

func tick(t *testing.T, s *Sampler, clock *ticking) {
	t.Helper()
	clock.step()
	s.sample(t.Context())
}

func near(got *float64, want, share float64) bool {
	return got != nil && math.Abs(*got-want) <= share*want
}

func TestUseIsWhatWasAddedSinceTheStart(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.cpu.Store(5000)
	p.requests.WithLabelValues("a", "allowed", "none").Add(1000)
	p.overhead.Observe(3) // before the start: no part of it
	s, clock := watch(t, Config{Metrics: []string{serve(t, p.handler())}})

	p.cpu.Add(300)
	p.rss.Store(80 << 20)
	p.requests.WithLabelValues("a", "allowed", "none").Add(900)
	p.requests.WithLabelValues("b", "refused", "token_expired").Add(100) // a series that is new
	for i := range 1000 {
		p.overhead.Observe(float64(i+1) * 1e-6) // 1 µs to 1 ms, evenly
	}
	tick(t, s, clock)
	p.cpu.Add(700)
	p.rss.Store(50 << 20)
	tick(t, s, clock)

	u := s.use(7)
	if !near(u.CPUSeconds, 1, 1e-9) || !near(u.CPUCores, 0.5, 1e-9) || !near(u.CPUMicrosecondsPerRequest, 1000, 1e-9) {
		t.Errorf("CPU %v s, %v cores, %v µs a request", *u.CPUSeconds, *u.CPUCores, *u.CPUMicrosecondsPerRequest)
	}
	if *u.Requests != 1000 || u.Outcomes["allowed"] != 900 || u.Outcomes["refused: token_expired"] != 100 {
		t.Errorf("%d requests, %v", *u.Requests, u.Outcomes)
	}
	if *u.PeakRSSBytes != 80<<20 || *u.MeanRSSBytes != 60<<20 {
		t.Errorf("memory %d at most, %d on average", *u.PeakRSSBytes, *u.MeanRSSBytes)
	}
	o := u.Overhead
	if o.Count != 1000 || o.Buckets != "native" || !near(o.P50Microseconds, 500, 0.05) || !near(o.P99Microseconds, 990, 0.05) || !near(&o.MeanMicroseconds, 500.5, 1e-6) {
		t.Errorf("overhead %+v: p50 %v, p99 %v", o, *o.P50Microseconds, *o.P99Microseconds)
	}
	if u.Restarts != 0 || u.Resets != 0 || !u.Complete || u.Samples != 3 || u.Seconds != 2 || u.Cost.ScrapedBytes == 0 {
		t.Errorf("%+v", u)
	}
	if len(u.Series) != 2 || !near(u.Series[0].CPUCores, 0.3, 1e-9) || !near(u.Series[1].CPUCores, 0.7, 1e-9) || u.Series[1].EndSeconds != 2 {
		t.Errorf("series %+v", u.Series)
	}
}

func TestClassicBucketsServeWhereThereAreNoOthers(t *testing.T) {
	t.Parallel()
	p := newPageOf(false)
	s, clock := watch(t, Config{Metrics: []string{serve(t, p.handler())}})
	for range 98 {
		p.overhead.Observe(500e-6)
	}
	p.overhead.Observe(3e-3)
	p.overhead.Observe(9) // above all buckets
	tick(t, s, clock)
	o := s.use(0).Overhead
	if o.Buckets != "classic" || !near(o.P50Microseconds, 510, 0.01) || *o.P99Microseconds > 5000 || *o.P99Microseconds <= 1000 {
		t.Errorf("%+v: p50 %v p99 %v", o, *o.P50Microseconds, *o.P99Microseconds)
	}
	if o.P999Microseconds != nil {
		t.Errorf("a percentile above all buckets is %v", *o.P999Microseconds)
	}
}

func TestCounterThatGoesBackHasBegunAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		restarted        bool
		restarts, resets int
	}{"process restarted": {true, 1, 0}, "counters reset": {false, 0, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := newPage(), newPage()
			current := before
			s, clock := watch(t, Config{Metrics: []string{serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				current.handler().ServeHTTP(w, r)
			}))}})
			before.requests.WithLabelValues("a", "allowed", "none").Add(100)
			before.cpu.Store(2000)
			before.overhead.Observe(0.5e-3)
			tick(t, s, clock)
			if c.restarted {
				after.started.Add(60)
			}
			after.requests.WithLabelValues("a", "allowed", "none").Add(40)
			after.cpu.Store(500)
			current = after
			tick(t, s, clock)
			u := s.use(0)
			if *u.Requests != 140 || !near(u.CPUSeconds, 2.5, 1e-9) || u.Overhead.Count != 1 {
				t.Errorf("%d requests, %v s, %d times", *u.Requests, *u.CPUSeconds, u.Overhead.Count)
			}
			if u.Restarts != c.restarts || u.Resets != c.resets {
				t.Errorf("%d restarts, %d resets", u.Restarts, u.Resets)
			}
		})
	}
}

func TestSeriesThatIsTakenAwayIsNoReset(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.requests.WithLabelValues("gone", "allowed", "none").Add(1000)
	p.requests.WithLabelValues("stays", "allowed", "none").Add(10)
	s, clock := watch(t, Config{Metrics: []string{serve(t, p.handler())}})
	p.requests.DeleteLabelValues("gone", "allowed", "none")
	p.requests.WithLabelValues("stays", "allowed", "none").Add(5)
	tick(t, s, clock)
	if u := s.use(0); *u.Requests != 5 || u.Resets != 0 {
		t.Errorf("%d requests, %d resets", *u.Requests, u.Resets)
	}
}

func TestProcessesOfATargetAreSummed(t *testing.T) {
	t.Parallel()
	a, b := newPage(), newPageOf(false)
	s, clock := watch(t, Config{Metrics: []string{serve(t, a.handler()), serve(t, b.handler())}})
	for _, p := range []*page{a, b} {
		p.cpu.Add(500)
		p.requests.WithLabelValues("a", "allowed", "none").Add(10)
		p.overhead.Observe(0.5e-3)
	}
	tick(t, s, clock)
	u := s.use(0)
	if *u.Requests != 20 || !near(u.CPUSeconds, 1, 1e-9) || *u.PeakRSSBytes != 100<<20 {
		t.Errorf("%d requests, %v s, %d bytes", *u.Requests, *u.CPUSeconds, *u.PeakRSSBytes)
	}
	if o := u.Overhead; o.Count != 2 || o.Buckets != "classic" {
		t.Errorf("of native and classic buckets only the classic ones are those of both: %+v", o)
	}
}

func TestWhatCannotBeReadAtTheStartIsAnError(t *testing.T) {
	t.Parallel()
	say := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const text = "text/plain; version=0.0.4"
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"not found":        {say(404, text, ""), "status_not_200"},
		"elsewhere":        {http.RedirectHandler("/other", http.StatusFound).ServeHTTP, "status_not_200"},
		"no metrics":       {say(200, "text/html", "<html>"), "unknown_format"},
		"malformed":        {say(200, text, "}{"), "malformed"},
		"nothing known":    {say(200, text, "some_metric 1\n"), "none of process_cpu_seconds_total"},
		"too large":        {say(200, text, strings.Repeat("# c\n", 1000)), "too_large"},
		"length that lies": {say(200, accept[:strings.Index(accept, ",")], "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "malformed"},
		"never answers":    {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := 10 * time.Second
			if name == "never answers" {
				timeout = 20 * time.Millisecond
			}
			_, err := begin(t.Context(), Config{Metrics: []string{serve(t, c.handler) + "?token=secret"}, MaxBytes: 2000, Timeout: timeout}, "/proc", time.Now)
			if !errors.Is(err, ErrMetrics) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
	_, err := begin(t.Context(), Config{Metrics: []string{"http://127.0.0.1:1/metrics"}}, "/proc", time.Now)
	if !errors.Is(err, ErrMetrics) || !strings.Contains(err.Error(), "unreachable") {
		t.Errorf("%v, want unreachable", err)
	}
}

func TestSampleThatFailsIsCountedAndTheNextCoversItsTime(t *testing.T) {
	t.Parallel()
	p := newPage()
	broken := false
	s, clock := watch(t, Config{Metrics: []string{serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		p.handler().ServeHTTP(w, r)
	}))}})
	p.cpu.Add(1000)
	broken = true
	tick(t, s, clock)
	broken = false
	tick(t, s, clock)
	if u := s.use(100); !u.Complete || u.Failures["status_not_200"] != 1 || !near(u.CPUCores, 0.5, 1e-9) {
		t.Errorf("%+v", u)
	}

	// A target that no longer answers: what was used until it did.
	p.cpu.Add(1000)
	broken = true
	tick(t, s, clock)
	u := s.use(100)
	if u.Complete || u.Seconds != 2 || !near(u.CPUSeconds, 1, 1e-9) {
		t.Errorf("%+v", u)
	}
}

func TestCostARequestIsNotToldOfAnIncompleteUse(t *testing.T) {
	t.Parallel()
	up := true
	s, clock := watch(t, Config{Metrics: []string{serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
		_, _ = w.Write([]byte(nameCPU + " 1\n"))
	}))}})
	tick(t, s, clock)
	if u := s.use(100); u.CPUMicrosecondsPerRequest == nil || u.Requests != nil {
		t.Errorf("the generator's count counts where the target has none: %+v", u)
	}
	up = false
	tick(t, s, clock)
	if u := s.use(100); u.CPUMicrosecondsPerRequest != nil {
		t.Errorf("%v µs a request, of answers of a longer time", *u.CPUMicrosecondsPerRequest)
	}
}

func TestSeriesOfPointsIsBounded(t *testing.T) {
	t.Parallel()
	p := newPage()
	s, clock := watch(t, Config{Metrics: []string{serve(t, p.handler())}})
	for range 3*MaxPoints + 1 {
		clock.step()
		s.instances[0].cpu.sum += 0.25
		s.point(clock.now)
		s.last = clock.now
	}
	u := s.use(0)
	if len(u.Series) > MaxPoints || len(u.Series) < MaxPoints/2 {
		t.Fatalf("%d points", len(u.Series))
	}
	last := 0.0
	for _, p := range u.Series {
		if p.EndSeconds <= last || !near(p.CPUCores, 0.25, 1e-9) {
			t.Fatalf("%+v after %v", p, last)
		}
		last = p.EndSeconds
	}
	if last != 3*MaxPoints+1 {
		t.Errorf("the series ends at %v s", last)
	}
}

func TestConfigOutOfBoundsIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"nothing":   {},
		"no URL":    {Metrics: []string{"127.0.0.1:9080"}},
		"no pid":    {PIDs: []int{0}},
		"too often": {PIDs: []int{1}, Interval: time.Millisecond},
		"too many":  {PIDs: make([]int, MaxInstances+1)},
		"too large": {PIDs: []int{1}, MaxBytes: MaxMaxBytes + 1},
		"no time":   {PIDs: []int{1}, Timeout: -1},
	} {
		if _, err := Start(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
