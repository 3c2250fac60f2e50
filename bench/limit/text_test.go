package limit

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite golden files")

// sample is a result with something in every part.
func sample() *Result {
	f := func(v float64) *float64 { return &v }
	n := func(v int64) *int64 { return &v }
	trial := func(rate float64, outcome string, p99, cores, busy float64, reasons ...string) Trial {
		return Trial{
			RatePerSecond: rate, AnsweredPerSecond: rate * 0.999, Outcome: outcome, Reasons: reasons,
			P50Microseconds: p99 / 10, P99Microseconds: p99,
			CPUCores: f(cores), CPUMicrosecondsPerRequest: f(cores / rate * 1e6), PeakRSSBytes: n(int64(rate) << 10), GeneratorBusyShare: f(busy),
			OverheadP99Microseconds: f(p99 / 4),
		}
	}
	r := &Result{
		Target: "http://127.0.0.1:8080", Objective: "p99<5ms,errors<=0", RatePerSecond: 11_730, Confidence: 0.95, Precision: 0.1,
		LowPerSecond: f(11_190), HighPerSecond: f(12_310), Ended: EndedFound,
		TrialSeconds: 5, PauseSeconds: 1, ElapsedSeconds: 179.4, Connections: 64,
		Trials: []Trial{
			trial(100, OutcomeKept, 812, 0.011, 0.02),
			trial(6400, OutcomeKept, 1200, 0.41, 0.21),
			trial(12_800, OutcomeBroken, 230_000, 0.99, 0.44, "p99 230ms", "answered 93.0% of the rate asked"),
			trial(12_310, OutcomeUnclaimed, 9000, 0.9, 0.99, "its processor was full"),
		},
	}
	for i := range 6 {
		r.Trials = append(r.Trials,
			trial(11_190, OutcomeKept, 3100+100*float64(i), 0.7+0.01*float64(i), 0.4),
			trial(12_310, OutcomeBroken, 8000+1000*float64(i), 0.8, 0.41, "p99 8.00ms"))
	}
	r.AtLimit = cost(r.RatePerSecond, *r.LowPerSecond, r.Trials, r.Confidence)
	return r
}

func TestTextIsAsItWasAgreed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Result){
		"found": func(*Result) {},
		"lower": func(r *Result) {
			r.HighPerSecond, r.LowerBoundOnly, r.Ended, r.Poisson = nil, true, EndedGenerator, true
		},
		"floor": func(r *Result) {
			r.LowPerSecond, r.AtLimit, r.Ended = nil, nil, EndedFloor
			r.Trials = []Trial{{RatePerSecond: 1, Outcome: OutcomeBroken, FailedShare: 1, Reasons: []string{"3 verdicts were wrong", "the target was restarted"}}}
		},
		"early": func(r *Result) { r.HighPerSecond, r.LowPerSecond, r.Ended = nil, nil, EndedTime },
		"noisy": func(r *Result) { *r.LowPerSecond = 6400 },
	} {
		r := sample()
		change(r)
		var got strings.Builder
		if err := r.WriteText(&got); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(got.String()) {
			if utf8.RuneCountInString(line) > 101 {
				t.Errorf("%s: a line of more than 100 columns: %s", name, line)
			}
		}
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got.String(), want)
		}
	}
}

func TestLineOfProgressSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	s := newSearch(Config{Confidence: 0.95})
	low, high := s.interval(0.95)
	p := Progress{Trials: 3, LowPerSecond: low, HighPerSecond: high, Elapsed: 17 * time.Second}
	for want, trial := range map[string]Trial{
		"trial  3  4,000/s kept: p99 1.20ms  (limit: ? to ?, 17 s)":              {RatePerSecond: 4000, Outcome: OutcomeKept, P99Microseconds: 1200},
		"trial  3  4,000/s broken: p99 7.00ms, errors 1%  (limit: ? to ?, 17 s)": {RatePerSecond: 4000, Outcome: OutcomeBroken, Reasons: []string{"p99 7.00ms", "errors 1%"}},
	} {
		if got := p.Line(trial); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
