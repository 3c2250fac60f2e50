package compare_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/compare"
	"github.com/vneid-gateway/vneid-gateway/bench/limit"
	"github.com/vneid-gateway/vneid-gateway/bench/peers"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// side has a run for each p99, in µs; change sees each before it is used.
func side(name string, change func(*record.File, *record.Run), p99 ...float64) compare.Side {
	s := compare.Side{Name: name}
	for _, v := range p99 {
		f := &record.File{Format: record.Format, Scale: 1, Machine: record.Machine{CPU: "cpu", Processors: 2, GoVersion: "go1.26", Commit: "abc"}}
		f.Runs = []record.Run{{Name: "load", Attack: &attack.Result{
			Claimed: true, Due: 20_000, Answered: 20_000, AnsweredPerSecond: 1000,
			Latency: attack.Times{Count: 20_000, P50Microseconds: 100, P99Microseconds: v, P999Microseconds: 10 * v},
		}}}
		if change != nil {
			change(f, &f.Runs[0])
		}
		s.Files, s.Names = append(s.Files, f), append(s.Names, name)
	}
	return s
}

func metric(t *testing.T, r *compare.Result, name string) compare.Metric {
	t.Helper()
	for _, l := range r.Loads {
		for _, m := range l.Metrics {
			if m.Name == name {
				return m
			}
		}
	}
	t.Fatalf("no metric %q", name)
	return compare.Metric{}
}

// TestVerdictSaysNoMoreThanIsKnown is the table of what may be said, and never "no change".
func TestVerdictSaysNoMoreThanIsKnown(t *testing.T) {
	t.Parallel()
	base := []float64{1000, 1010, 1020, 1030, 1040}
	for name, c := range map[string]struct {
		base, other []float64
		verdict     compare.Verdict
		regression  bool
	}{
		"one run each, ten times as slow":              {[]float64{1000}, []float64{10_000}, compare.TooFew, false},
		"three runs each":                              {base[:3], []float64{2000, 2010, 2020}, compare.TooFew, false},
		"4 runs against 1":                             {base[:4], []float64{2000}, compare.TooFew, false},
		"half as slow again":                           {base, []float64{1500, 1510, 1520, 1530, 1540}, compare.Worse, true},
		"worse, by less than allowed":                  {base, []float64{1045, 1050, 1055, 1060, 1065}, compare.Worse, false},
		"faster":                                       {base, []float64{700, 710, 720, 730, 740}, compare.Better, false},
		"no difference is found, none above 5% can be": {base, []float64{1005, 1015, 1025, 1035, 1012}, compare.Alike, false},
		"no difference is found, but there may be one": {base, []float64{700, 1000, 1020, 1500, 1800}, compare.Unclear, false},
		"the same values":                              {base, base, compare.Alike, false},
	} {
		r, err := compare.Compare(side("base", nil, c.base...), side("new", nil, c.other...), compare.Options{MaxRegression: 0.05})
		if err != nil {
			t.Fatal(err)
		}
		m := metric(t, r, "latency p99")
		if m.Verdict != c.verdict || m.Regression != c.regression {
			t.Errorf("%s: %s, regression %v; want %s, %v", name, m.Verdict, m.Regression, c.verdict, c.regression)
		}
		if (m.P == nil) != (c.verdict == compare.TooFew) || (m.LowShare == nil) != (c.verdict == compare.TooFew) {
			t.Errorf("%s: p %v, interval from %v: there is none where there are too few runs", name, m.P, m.LowShare)
		}
		if c.regression != slices.Contains(r.Regressions, "load: latency p99") {
			t.Errorf("%s: regressions %q", name, r.Regressions)
		}
	}
}

func TestChangeIsAShareOfTheBase(t *testing.T) {
	t.Parallel()
	r, err := compare.Compare(side("base", nil, 100, 100, 100, 100), side("new", nil, 150, 150, 150, 150), compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m := metric(t, r, "latency p99"); math.Abs(*m.ChangeShare-0.5) > 1e-9 || math.Abs(*m.LowShare-0.5) > 1e-9 || m.Base.Median != 100 || m.New.Most != 150 {
		t.Errorf("%+v: want 50%% more", m)
	}
}

// TestFailuresFromNoneAreARegression has no base to be a share of.
func TestFailuresFromNoneAreARegression(t *testing.T) {
	t.Parallel()
	values := []float64{100, 100, 100, 100}
	n := int64(0)
	failing := side("new", func(_ *record.File, r *record.Run) { n++; r.Attack.Failed = n }, values...)
	r, err := compare.Compare(side("base", nil, values...), failing, compare.Options{MaxRegression: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	if m := metric(t, r, "failed"); m.Verdict != compare.Worse || !m.Regression || m.ChangeShare != nil {
		t.Errorf("%+v: want a regression without a share", m)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("JSON has no number for it: %v", err)
	}
	if back, err := compare.Compare(failing, side("new", nil, values...), compare.Options{}); err != nil || metric(t, back, "failed").Verdict != compare.Better {
		t.Errorf("the other way round: %v", err)
	}
}

// TestHigherRateIsBetter looks at the metric in which less is worse, and at what the target used.
func TestHigherRateIsBetter(t *testing.T) {
	t.Parallel()
	values := []float64{100, 100, 100, 100, 100}
	with := func(perSecond, cpu float64, rss int64) func(*record.File, *record.Run) {
		return func(_ *record.File, r *record.Run) {
			r.Attack.AnsweredPerSecond = perSecond
			r.Target = &target.Use{Complete: true, CPUMicrosecondsPerRequest: &cpu, PeakRSSBytes: &rss}
		}
	}
	r, err := compare.Compare(side("base", with(1000, 50, 1<<20), values...), side("new", with(900, 40, 2<<20), values...), compare.Options{MaxRegression: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]compare.Verdict{"answered": compare.Worse, "target's CPU a request": compare.Better, "target's memory": compare.Worse} {
		if m := metric(t, r, name); m.Verdict != want {
			t.Errorf("%s: %s, want %s", name, m.Verdict, want)
		}
	}
}

// TestPercentileNeedsRequestsBeyondIt has runs that are too short for the 99.9th.
func TestPercentileNeedsRequestsBeyondIt(t *testing.T) {
	t.Parallel()
	for count, want := range map[int64]int{9_999: 0, 10_000: 1} {
		short := side("s", func(_ *record.File, r *record.Run) { r.Attack.Latency.Count = count }, 1, 2, 3, 4)
		r, err := compare.Compare(short, short, compare.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, m := range r.Loads[0].Metrics {
			if m.Name == "latency p99.9" {
				got++
			}
		}
		if got != want {
			t.Errorf("with %d requests p99.9 is compared %d times, want %d", count, got, want)
		}
	}
}

func TestFiguresThatCannotBeClaimedAreLeftOut(t *testing.T) {
	t.Parallel()
	good := side("base", nil, 1, 2, 3, 4)
	for what, change := range map[string]func(*record.File, *record.Run){
		"in which the generator was the bottleneck": func(_ *record.File, r *record.Run) { r.Attack.Claimed = false },
		"which was interrupted":                     func(_ *record.File, r *record.Run) { r.Attack.Interrupted = true },
	} {
		one := true
		some := side("new", func(f *record.File, r *record.Run) {
			if one {
				change(f, r)
			}
			one = false
		}, 1, 2, 3, 4, 5)
		r, err := compare.Compare(good, some, compare.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if m := metric(t, r, "latency p99"); m.New.Runs != 4 || !strings.Contains(strings.Join(r.Warnings, "\n"), what) {
			t.Errorf("%d runs, warnings %q: want one left out, %s", m.New.Runs, r.Warnings, what)
		}
		if _, err := compare.Compare(good, side("new", change, 1, 2, 3, 4), compare.Options{}); !errors.Is(err, compare.ErrNothing) {
			t.Errorf("all of them, %s: %v", what, err)
		}
	}
}

// TestSearchesAndRoundsAreSamplesToo compares what is no run.
func TestSearchesAndRoundsAreSamplesToo(t *testing.T) {
	t.Parallel()
	found := func(name string, rates ...float64) compare.Side {
		s := side(name, nil, rates...)
		for i, f := range s.Files {
			low := rates[i] - 1
			f.FindMax = &limit.Result{Objective: "p99<5ms", RatePerSecond: rates[i], LowPerSecond: &low, HighPerSecond: &rates[i], AtLimit: &limit.Cost{CPUMicrosecondsPerRequest: 1e6 / rates[i]}}
			f.Peers = &peers.Result{Figures: []peers.Figure{{Proxy: "nginx", Load: peers.Warm, Algorithm: "RS256", CPU: peers.Spread{Rounds: []float64{rates[i], rates[i] + 1}}}}}
		}
		return s
	}
	base, other := found("base", 4000, 4010, 4020, 4030), found("new", 3000, 3010, 3020, 3030)
	r, err := compare.Compare(base, other, compare.Options{MaxRegression: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"highest rate with p99<5ms: highest rate", "highest rate with p99<5ms: target's CPU a request, at the limit"}; !slices.Equal(r.Regressions, want) {
		t.Errorf("regressions %q, want %q", r.Regressions, want)
	}
	if m := metric(t, r, "proxy's CPU a request"); m.Base.Runs != 8 || m.Verdict != compare.Better {
		t.Errorf("rounds of proxies: %+v", m)
	}
	for _, l := range r.Loads {
		if l.Name == "load" {
			t.Error("a search's trials are compared as if they were one load")
		}
	}
	other.Files[0].FindMax.HighPerSecond = nil
	if r, err := compare.Compare(base, other, compare.Options{}); err != nil || metric(t, r, "highest rate").New.Runs != 3 || len(r.Warnings) != 1 {
		t.Errorf("a search without a bound is a sample, or nobody is told (%v)", err)
	}
}

// TestRunThatIsGivenTwiceIsOneSample guards against samples that are none.
func TestRunThatIsGivenTwiceIsOneSample(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	same := side("base", func(_ *record.File, r *record.Run) { r.Attack.StartedAt = at }, 1, 1, 1, 1)
	r, err := compare.Compare(same, side("new", nil, 5, 6, 7, 8), compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m := metric(t, r, "latency p99"); m.Base.Runs != 1 || m.Verdict != compare.TooFew || len(r.Warnings) != 3 {
		t.Errorf("%d runs, %s, warnings %q", m.Base.Runs, m.Verdict, r.Warnings)
	}
}

func TestSidesThatDifferInMoreThanTheChangeAreWarnedOf(t *testing.T) {
	t.Parallel()
	base := side("base", nil, 1, 2, 3, 4)
	for want, change := range map[string]func(*record.File, *record.Run){
		"machine differs: 2 × cpu":                func(f *record.File, _ *record.Run) { f.Machine.Processors = 4 },
		"kernel differs":                          func(f *record.File, _ *record.Run) { f.Machine.Kernel = "7" },
		"Go differs":                              func(f *record.File, _ *record.Run) { f.Machine.GoVersion = "go1.27" },
		"scale differs: 1 | 0.5":                  func(f *record.File, _ *record.Run) { f.Scale = 0.5 },
		"commit differs: abc | def (as it should": func(f *record.File, _ *record.Run) { f.Machine.Commit = "def" },
	} {
		r, err := compare.Compare(base, side("new", change, 1, 2, 3, 4), compare.Options{})
		if err != nil || len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0], want) {
			t.Errorf("want a warning of %q, got %q (%v)", want, r.Warnings, err)
		}
	}
	odd := 0
	mixed := side("new", func(f *record.File, _ *record.Run) {
		if odd++; odd == 1 {
			f.Machine.GoVersion = "go1.27"
		}
	}, 1, 2, 3, 4)
	r, err := compare.Compare(base, mixed, compare.Options{})
	if err != nil || len(r.Warnings) != 2 || r.Warnings[0] != "Go differs within new: go1.26 | go1.27" {
		t.Errorf("a side of two Go versions: %q (%v)", r.Warnings, err)
	}
	if r, err := compare.Compare(base, base, compare.Options{}); err != nil || len(r.Warnings) != 0 {
		t.Errorf("sides that do not differ: %q (%v)", r.Warnings, err)
	}
	other := side("new", func(f *record.File, _ *record.Run) {
		f.Runs = append(f.Runs, f.Runs[0])
		f.Runs[1].Name = "more"
	}, 1, 2, 3, 4)
	if r, err := compare.Compare(base, other, compare.Options{}); err != nil || !slices.Contains(r.Warnings, `"more" was measured by new only`) {
		t.Errorf("a load of one side: %q (%v)", r.Warnings, err)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	s := side("s", nil, 1, 2, 3, 4)
	for _, o := range []compare.Options{{Alpha: -1}, {Alpha: 0.5}, {Alpha: math.NaN()}, {MaxRegression: -1}, {MaxRegression: math.NaN()}, {MaxRegression: math.Inf(1)}} {
		if _, err := compare.Compare(s, s, o); !errors.Is(err, compare.ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
