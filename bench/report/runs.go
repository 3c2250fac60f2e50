package report

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// detailedRuns is how many runs of a record are shown with their plots; the rest are in the
// table of all runs.
const detailedRuns = 12

// runs shows each load of a record.
func runs(f *record.File) (all []section) {
	if len(f.Runs) == 0 {
		return nil
	}
	if len(f.Runs) > 1 {
		all = append(all, allRuns(f))
	}
	for i := range f.Runs[:min(len(f.Runs), detailedRuns)] {
		all = append(all, oneRun(f, i))
	}
	return all
}

// allRuns is the table of them, and the curves of the first few in one plot.
func allRuns(f *record.File) section {
	s := section{Title: "All runs"}
	if more := len(f.Runs) - detailedRuns; more > 0 {
		s.Blocks = append(s.Blocks, say(plain, fmt.Sprintf("The first %d runs have plots of their own below; %d more are in this table only.", detailedRuns, more)))
	}
	var rows [][]string
	c := chart{
		Title: "Latency by percentile, run by run", Alt: "How long requests took from when they were due, by percentile, one line a run.",
		X: percentiles, Y: latencies,
	}
	for i := range f.Runs {
		r := f.Runs[i].Attack
		rows = append(rows, []string{
			f.Runs[i].Name, rate(r.AskedPerSecond), rate(r.AnsweredPerSecond), count(r.Failed),
			duration(r.Latency.P50Microseconds), duration(r.Latency.P99Microseconds), duration(r.Latency.P999Microseconds), duration(r.Latency.MaxMicroseconds), passed(r, checksOf(f, i)),
		})
		if i < len(colour) {
			v := quantiles(f.Runs[i].Name, &r.Latency)
			v.Colour, v.Dashed = i, i%2 == 1
			c.Curves = append(c.Curves, v)
		}
	}
	s.Blocks = append(s.Blocks, block{Table: tabulate("All runs", []string{" run", "asked/s", "answered/s", "failed", "p50", "p99", "p99.9", "max", " verdict"}, rows)})
	if drawn, ok := c.draw(nil); ok {
		s.Blocks = append(s.Blocks, show(drawn))
	}
	return s
}

// passed is a run's verdict in a word or two.
func passed(r *attack.Result, checks []record.Check) string {
	failed := 0
	for _, c := range checks {
		if !c.Passed {
			failed++
		}
	}
	switch {
	case !r.Claimed:
		return "not claimed"
	case failed > 0:
		return fmt.Sprintf("%d of %d checks failed", failed, len(checks))
	case len(checks) > 0:
		return "passed"
	}
	return "no checks"
}

// oneRun is all that is known of a load.
func oneRun(f *record.File, n int) section {
	run := &f.Runs[n]
	r := run.Attack
	s := section{Title: "Run: " + run.Name}
	s.Blocks = append(s.Blocks, block{Facts: append(runFacts(r), useFacts(run.Target)...)})
	if checks := checksOf(f, n); len(checks) > 0 {
		var rows [][]string
		for _, c := range checks {
			outcome := "passed"
			if !c.Passed {
				outcome = "FAILED"
			}
			rows = append(rows, []string{c.Name, c.Want, c.Got, outcome})
		}
		s.Blocks = append(s.Blocks, block{Table: tabulate("What was demanded", []string{" check", " wanted", " was", " outcome"}, rows)})
	}
	if len(r.Classes) > 0 {
		s.Blocks = append(s.Blocks, classes(r)...)
	}
	for _, draw := range []func(*record.Run) (figure, bool){
		byPercentile, overTime, ratesOverTime, failuresOverTime, failuresByReason, processorsOverTime, memoryOverTime, busyOverTime,
	} {
		if drawn, ok := draw(run); ok {
			s.Blocks = append(s.Blocks, show(drawn))
		}
	}
	if r.Failed == 0 {
		s.Blocks = append(s.Blocks, say(plain, "No request failed."))
	}
	return s
}

func runFacts(r *attack.Result) []fact {
	load := fmt.Sprintf("%s loop, %s, %s", r.Load.Loop, seconds(r.Load.DurationSeconds), plural(r.Load.Connections, "connection", "connections"))
	if r.Load.PeakPerSecond > 0 {
		load += fmt.Sprintf(", up to %s/s", rate(r.Load.PeakPerSecond))
	}
	if r.Load.NewConnectionsPerSecond > 0 {
		load += fmt.Sprintf(", %s new connections/s", rate(r.Load.NewConnectionsPerSecond))
	}
	if r.Load.TLS {
		load += ", TLS"
	}
	generator := r.Generator.Engine
	if r.Generator.CPUMicrosecondsPerRequest != nil {
		generator += fmt.Sprintf(", %s of a processor a request", duration(*r.Generator.CPUMicrosecondsPerRequest))
	}
	if r.Lateness.Count > 0 {
		generator += fmt.Sprintf(", late by %s with 1 request in 100", duration(r.Lateness.P99Microseconds))
	}
	facts := []fact{
		{Name: "target", Value: r.Target, Code: true},
		{Name: "load", Value: load},
		{Name: "asked", Value: fmt.Sprintf("%s requests, %s/s", count(r.Due), rate(r.AskedPerSecond))},
		{Name: "answered", Value: fmt.Sprintf("%s, %s/s", count(r.Answered), rate(r.AnsweredPerSecond))},
		{Name: "failed", Value: fmt.Sprintf("%s (%s)", count(r.Failed), shareOf(r.Failed, r.Due))},
		{Name: "statuses", Value: each(r.Statuses)},
		{Name: "waited", Value: fmt.Sprintf("%s requests (%s) found no connection free", count(r.WaitedForConnection), shareOf(r.WaitedForConnection, r.Due))},
		{Name: "generator", Value: generator},
	}
	if r.Load.Loop == "closed" {
		facts = append(facts, fact{Name: "note", Value: "a closed loop asks a slow target for less, and hides its stalls"})
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

// classes is what became of each class of requests.
func classes(r *attack.Result) []block {
	var rows [][]string
	for _, c := range r.Classes {
		rows = append(rows, []string{c.Class, c.Expected, count(c.Due), count(c.AsExpected), count(c.WrongVerdicts), count(c.RefusedByOverload), count(c.FailedOtherwise)})
	}
	verdict := say(good, "No token got a verdict that it must not get.")
	if r.WrongVerdicts > 0 {
		verdict = say(bad, fmt.Sprintf("%s got a verdict that their token must not get.", plural(int(r.WrongVerdicts), "request", "requests")))
	}
	return []block{verdict, {Table: tabulate("Verdicts by class of token", []string{" class", " must get", "sent", "as expected", "wrong verdict", "overload", "failed"}, rows)}}
}

func each(counts map[string]int64) (s string) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if s != "" {
			s += ", "
		}
		s += count(counts[name]) + " × " + name
	}
	return s
}

// The axes of a distribution of times.
var (
	percentiles = axis{Name: "share of requests that were faster", Tails: true} //nolint:gochecknoglobals // a constant, if Go had them
	latencies   = axis{Log: true, Label: asDuration}                            //nolint:gochecknoglobals // a constant, if Go had them
)

// finest is the most nines that a plot of percentiles shows.
const finest = 6

// quantiles is the curve of a distribution, up to the percentile that one request decides.
func quantiles(name string, t *attack.Times) curve {
	v := curve{Name: name}
	h := t.Histogram()
	if h == nil || h.TotalCount() == 0 {
		return v
	}
	last := min(math.Log10(float64(h.TotalCount())), finest)
	const steps = 16 // in each nine
	for n := 0.0; n < last*steps; n++ {
		p := 1 - math.Pow(10, -n/steps)
		v.X, v.Y = append(v.X, p), append(v.Y, float64(h.ValueAtPercentile(p*100))/1e3)
	}
	p := 1 - math.Pow(10, -last)
	v.X, v.Y = append(v.X, p), append(v.Y, float64(h.ValueAtPercentile(p*100))/1e3)
	return v
}

// byPercentile is the distribution of a run's latencies.
func byPercentile(run *record.Run) (figure, bool) {
	r := run.Attack
	c := chart{
		Title: "Latency by percentile", X: percentiles, Y: latencies,
		Alt: fmt.Sprintf("Half of the requests were answered within %s of when they were due, 99%% within %s, 99.9%% within %s; the slowest took %s.",
			duration(r.Latency.P50Microseconds), duration(r.Latency.P99Microseconds), duration(r.Latency.P999Microseconds), duration(r.Latency.MaxMicroseconds)),
	}
	c.Curves = append(c.Curves, quantiles("latency, since due", &r.Latency))
	if r.Load.Loop != "closed" {
		service := quantiles("service, since sent", &r.Service)
		service.Colour, service.Dashed = 1, true
		c.Curves = append(c.Curves, service)
	}
	var rows [][]string
	for _, row := range []struct {
		name string
		t    *attack.Times
	}{{"latency, since due", &r.Latency}, {"service, since sent", &r.Service}, {"opening a connection", &r.Connect}, {"generator's lateness", &r.Lateness}} {
		if t := row.t; t.Count > 0 {
			rows = append(rows, []string{
				row.name, duration(t.MinMicroseconds), duration(t.MeanMicroseconds), duration(t.P50Microseconds), duration(t.P90Microseconds),
				duration(t.P99Microseconds), duration(t.P999Microseconds), duration(t.MaxMicroseconds),
			})
		}
	}
	drawn, ok := c.draw(tabulate("Times", []string{" time", "min", "mean", "p50", "p90", "p99", "p99.9", "max"}, rows))
	drawn.Essential = true
	return drawn, ok
}
