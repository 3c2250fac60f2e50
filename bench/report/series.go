package report

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// A series is drawn with so many points at most, and its table has so many rows: intervals that
// follow each other are added up.
const (
	mostPoints = 300
	mostRows   = 60
)

// condense adds intervals up until there are no more than so many.
func condense(series []attack.Interval, most int) []attack.Interval {
	each := (len(series) + most - 1) / most
	if each <= 1 {
		return series
	}
	var all []attack.Interval
	for part := range slices.Chunk(series, each) {
		sum := part[0]
		for _, i := range part[1:] {
			sum = record.Join(sum, i)
		}
		all = append(all, sum)
	}
	return all
}

// width is how long an interval is, in seconds; never 0.
func width(i attack.Interval) float64 { return max(i.EndSeconds-i.StartSeconds, 1e-9) }

// sinceStart is the axis of the seconds of a run.
func sinceStart() axis {
	return axis{Name: "seconds since the start", Zero: true, Label: in(1, unit{1, ""})}
}

// along makes a curve of one value of each interval, which stands at its middle.
func along(name string, series []attack.Interval, value func(attack.Interval) float64) curve {
	v := curve{Name: name}
	for _, i := range series {
		v.X, v.Y = append(v.X, (i.StartSeconds+i.EndSeconds)/2), append(v.Y, value(i))
	}
	return v
}

func span(i attack.Interval) string {
	return fmt.Sprintf("%.1f – %.1f s", i.StartSeconds, i.EndSeconds)
}

// overTime is how latency went.
func overTime(run *record.Run) (figure, bool) {
	points := condense(run.Attack.Series, mostPoints)
	c := chart{
		Title: "Latency over time", X: sinceStart(), Y: latencies,
		Alt: "The median, the 99th of 100 and the slowest of the requests that were answered in each interval of the run.",
	}
	for n, line := range []struct {
		name  string
		value func(attack.Interval) float64
	}{
		{"p50", func(i attack.Interval) float64 { return i.P50Microseconds }},
		{"p99", func(i attack.Interval) float64 { return i.P99Microseconds }},
		{"slowest", func(i attack.Interval) float64 { return i.MaxMicroseconds }},
	} {
		v := along(line.name, points, line.value)
		v.Colour, v.Dashed = n, n == 2
		c.Curves = append(c.Curves, v)
	}
	var rows [][]string
	for _, i := range condense(run.Attack.Series, mostRows) {
		rows = append(rows, []string{span(i), duration(i.P50Microseconds), duration(i.P99Microseconds), duration(i.MaxMicroseconds)})
	}
	return c.draw(tabulate("Latency over time", []string{" time", "p50", "p99", "slowest"}, rows))
}

// ratesOverTime is what was asked for, and what was answered.
func ratesOverTime(run *record.Run) (figure, bool) {
	points := condense(run.Attack.Series, mostPoints)
	asked := along("asked", points, func(i attack.Interval) float64 { return float64(i.Due) / width(i) })
	answered := along("answered", points, func(i attack.Interval) float64 { return float64(i.Answered) / width(i) })
	answered.Colour, answered.Dashed = 1, true
	highest := 0.0
	for _, v := range slices.Concat(asked.Y, answered.Y) {
		highest = max(highest, v)
	}
	var rows [][]string
	for _, i := range condense(run.Attack.Series, mostRows) {
		rows = append(rows, []string{span(i), rate(float64(i.Due) / width(i)), rate(float64(i.Answered) / width(i)), count(i.Failed)})
	}
	c := chart{
		Title: "Requests a second, asked and answered", X: sinceStart(), Y: axis{Zero: true, Label: inRates(highest)}, Curves: []curve{asked, answered},
		Alt: fmt.Sprintf("On average %s requests a second were asked for and %s were answered. Where the lines part, the target did not keep up.", rate(run.Attack.AskedPerSecond), rate(run.Attack.AnsweredPerSecond)),
	}
	return c.draw(tabulate("Requests a second", []string{" time", "asked/s", "answered/s", "failed"}, rows))
}

// failuresOverTime is when requests failed; nothing where none did.
func failuresOverTime(run *record.Run) (figure, bool) {
	if run.Attack.Failed == 0 {
		return figure{}, false
	}
	v := along("failed", condense(run.Attack.Series, mostPoints), func(i attack.Interval) float64 { return float64(i.Failed) / width(i) })
	v.Colour = 1
	highest := 0.0
	if len(v.Y) > 0 {
		highest = slices.Max(v.Y)
	}
	var rows [][]string
	for _, i := range condense(run.Attack.Series, mostRows) {
		if i.Failed > 0 {
			rows = append(rows, []string{span(i), count(i.Failed), shareOf(i.Failed, i.Due)})
		}
	}
	c := chart{
		Title: "Failed requests a second", X: sinceStart(), Y: axis{Zero: true, Label: inRates(highest)}, Curves: []curve{v},
		Alt: fmt.Sprintf("%s of %s requests failed (%s).", count(run.Attack.Failed), count(run.Attack.Due), shareOf(run.Attack.Failed, run.Attack.Due)),
	}
	return c.draw(tabulate("When requests failed", []string{" time", "failed", "of those due"}, rows))
}

// failuresByReason is why requests failed; nothing where none did.
func failuresByReason(run *record.Run) (figure, bool) {
	reasons := slices.Sorted(maps.Keys(run.Attack.Failures))
	slices.SortStableFunc(reasons, func(a, b string) int { return int(min(max(run.Attack.Failures[b]-run.Attack.Failures[a], -1), 1)) })
	b := bars{
		Title: "Failed requests by reason", Axis: axis{Name: "requests", Zero: true},
		Groups: []barGroup{{Name: "failed", Colour: 1}}, Value: func(v float64) string { return whole(v) },
	}
	var rows [][]string
	for n, reason := range reasons {
		failed := run.Attack.Failures[reason]
		rows = append(rows, []string{reason, count(failed), shareOf(failed, run.Attack.Due)})
		if failed > 0 && n < 12 {
			b.Names, b.Groups[0].Values = append(b.Names, reason), append(b.Groups[0].Values, float64(failed))
			b.Alt += fmt.Sprintf("%s: %s. ", reason, count(failed))
		}
	}
	if len(b.Names) > 0 {
		b.Axis.Label = inRates(b.Groups[0].Values[0])
	}
	drawn, ok := b.draw(tabulate("Failed requests by reason", []string{" reason", "failed", "of those due"}, rows))
	drawn.Essential = true
	return drawn, ok
}

// busyOverTime is how much of its time the generator was busy.
func busyOverTime(run *record.Run) (figure, bool) {
	v := curve{Name: "generator", Colour: 3}
	var rows [][]string
	for _, i := range condense(run.Attack.Series, mostPoints) {
		if i.GeneratorBusyShare != nil {
			v.X, v.Y = append(v.X, (i.StartSeconds+i.EndSeconds)/2), append(v.Y, *i.GeneratorBusyShare)
		}
	}
	for _, i := range condense(run.Attack.Series, mostRows) {
		if i.GeneratorBusyShare != nil {
			rows = append(rows, []string{span(i), share(*i.GeneratorBusyShare), duration(i.LatenessP99Microseconds)})
		}
	}
	c := chart{
		Title: "How busy the generator was", X: sinceStart(), Y: axis{Zero: true, Label: asShare}, Curves: []curve{v},
		Alt: "The share of its time in which the busiest thread of the generator was not waiting. Above 95% it would be the bottleneck.",
	}
	return c.draw(tabulate("How busy the generator was", []string{" time", "busy", "late, p99"}, rows))
}
