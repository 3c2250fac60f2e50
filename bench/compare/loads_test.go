package compare_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/compare"
	"github.com/vneid-gateway/vneid-gateway/bench/limit"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// TestRunsOfOneNameAreComparedWithThoseOfTheSameLoadOnly has what attack writes: every run has one name.
func TestRunsOfOneNameAreComparedWithThoseOfTheSameLoadOnly(t *testing.T) {
	t.Parallel()
	asked := func(change func(*attack.Load)) func(*record.File, *record.Run) {
		return func(_ *record.File, r *record.Run) {
			r.Name, r.Attack.Load = "attack", attack.Load{Loop: "open", DurationSeconds: 10, PeakPerSecond: 1000, Connections: 64}
			change(&r.Attack.Load)
		}
	}
	same := func(*attack.Load) {}
	p99 := []float64{1000, 1010, 1020, 1030}
	base := side("base", asked(same), p99...)
	for want, change := range map[string]func(*attack.Load){
		"closed loop, 10 s, 64 connections, no TLS":                                    func(l *attack.Load) { l.Loop = "closed" },
		"open loop up to 2000/s, 10 s, 64 connections, no TLS":                         func(l *attack.Load) { l.PeakPerSecond = 2000 },
		"open loop up to 1000/s, 20 s, 64 connections, no TLS":                         func(l *attack.Load) { l.DurationSeconds = 20 },
		"open loop up to 1000/s, 10 s, 65 connections, no TLS":                         func(l *attack.Load) { l.Connections = 65 },
		"open loop up to 1000/s, 10 s, 64 connections and 5 new ones a second, no TLS": func(l *attack.Load) { l.NewConnectionsPerSecond = 5 },
		"open loop up to 1000/s, 10 s, 64 connections, TLS":                            func(l *attack.Load) { l.TLS = true },
	} {
		other := side("new", asked(change), 5000, 5010, 5020, 5030)
		if _, err := compare.Compare(base, other, compare.Options{}); !errors.Is(err, compare.ErrNothing) || !strings.Contains(err.Error(), `new has "attack (`+want+`)"`) {
			t.Errorf("another load is compared, or is not told of: %v, want one of %s", err, want)
		}
		// Both loads on both sides: each with its like.
		mixed := func(name string) compare.Side {
			s, more := side(name, asked(same), p99...), side(name, asked(change), 5000, 5010, 5020, 5030)
			s.Files, s.Names = append(s.Files, more.Files...), append(s.Names, more.Names...)
			return s
		}
		r, err := compare.Compare(mixed("base"), mixed("new"), compare.Options{MaxRegression: 0.05})
		if err != nil || len(r.Loads) != 2 || r.Loads[1].Name != "attack ("+want+")" || len(r.Warnings) != 0 {
			t.Errorf("%+v, %v", r, err)
			continue
		}
		if m := metric(t, r, "latency p99"); m.Base.Runs != 4 || m.Verdict != compare.Alike {
			t.Errorf("%s: %+v", want, m)
		}
	}
	// A sum of floats is the same rate.
	r, err := compare.Compare(base, side("new", asked(func(l *attack.Load) { l.PeakPerSecond = 1000 + 1e-10 }), p99...), compare.Options{})
	if err != nil || r.Loads[0].Name != "attack" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestSearchesAreWarnedOfWhereTheyDifferAndNotForTheirTrials has trials of other rates on each side.
func TestSearchesAreWarnedOfWhereTheyDifferAndNotForTheirTrials(t *testing.T) {
	t.Parallel()
	searched := func(name string, change func(*limit.Result), rates ...float64) compare.Side {
		s := side(name, nil, rates...)
		for i, f := range s.Files {
			f.Runs[0].Name, f.Runs[0].Attack.Load.PeakPerSecond = "trial 1", rates[i]
			f.FindMax = &limit.Result{Objective: "p99<5ms", TrialSeconds: 5, Connections: 64, RatePerSecond: rates[i], LowPerSecond: &rates[i], HighPerSecond: &rates[i]}
			change(f.FindMax)
		}
		return s
	}
	base := searched("base", func(*limit.Result) {}, 4000, 4010, 4020, 4030)
	const differs = "search differs: p99<5ms in trials of 5 s, 64 connections, even arrivals | p99<5ms in trials of "
	for want, change := range map[string]func(*limit.Result){
		"": func(*limit.Result) {},
		differs + "9 s, 64 connections, even arrivals":   func(r *limit.Result) { r.TrialSeconds = 9 },
		differs + "5 s, 9 connections, even arrivals":    func(r *limit.Result) { r.Connections = 9 },
		differs + "5 s, 64 connections, random arrivals": func(r *limit.Result) { r.Poisson = true },
	} {
		r, err := compare.Compare(base, searched("new", change, 3900, 4111, 4222, 4333), compare.Options{})
		if err != nil || strings.Join(r.Warnings, "\n") != want {
			t.Errorf("%+v, %v; want the warning %q", r, err, want)
		}
	}
	other := searched("new", func(r *limit.Result) { r.Objective = "p99<9ms" }, 1, 2, 3, 4)
	if _, err := compare.Compare(base, other, compare.Options{}); !errors.Is(err, compare.ErrNothing) {
		t.Errorf("rates of other objectives are compared: %v", err)
	}
}

// TestCostOfATargetThatWasNotWatchedToTheEndIsLeftOut has records from before it was left out of them.
func TestCostOfATargetThatWasNotWatchedToTheEndIsLeftOut(t *testing.T) {
	t.Parallel()
	values := []float64{100, 100, 100, 100}
	with := func(gone int, complete bool) func(*record.File, *record.Run) {
		return func(_ *record.File, r *record.Run) {
			r.Target = &target.Use{Complete: complete, Gone: gone, CPUMicrosecondsPerRequest: new(50.0)}
		}
	}
	base := side("base", with(0, true), values...)
	for name, change := range map[string]func(*record.File, *record.Run){"a process ended": with(1, true), "the last look failed": with(0, false)} {
		r, err := compare.Compare(base, side("new", change, values...), compare.Options{})
		if err != nil || len(r.Warnings) != 4 || !strings.Contains(r.Warnings[0], "left out: the target's CPU") {
			t.Errorf("%s: %+v, %v", name, r, err)
			continue
		}
		for _, m := range r.Loads[0].Metrics {
			if m.Name == "target's CPU a request" {
				t.Errorf("%s: %+v", name, m)
			}
		}
	}
}
