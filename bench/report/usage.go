package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// useFacts are what the target used, in lines; none where nobody looked.
func useFacts(u *target.Use) (facts []fact) {
	if u == nil {
		return nil
	}
	if u.CPUCores != nil {
		s := fmt.Sprintf("%s processors", digits(*u.CPUCores))
		if u.CPUMicrosecondsPerRequest != nil {
			s += fmt.Sprintf(", %s of a processor a request", duration(*u.CPUMicrosecondsPerRequest))
			if u.RequestsOf == target.OfGenerator {
				s += ", by the generator's count of requests"
			}
		}
		facts = append(facts, fact{Name: "target's CPU", Value: s})
	}
	if u.PeakRSSBytes != nil {
		s := bytes(float64(*u.PeakRSSBytes)) + " at most"
		if u.MeanRSSBytes != nil {
			s += ", " + bytes(float64(*u.MeanRSSBytes)) + " on average"
		}
		facts = append(facts, fact{Name: "target's memory", Value: s})
	}
	if o := u.Overhead; o != nil {
		all := []string{"mean " + duration(o.MeanMicroseconds)}
		for _, p := range []struct {
			name string
			v    *float64
		}{{"p50", o.P50Microseconds}, {"p99", o.P99Microseconds}, {"p99.9", o.P999Microseconds}} {
			if p.v != nil {
				all = append(all, p.name+" "+duration(*p.v))
			}
		}
		facts = append(facts, fact{Name: "gateway overhead", Value: strings.Join(all, ", ") + ", as the target counts it"})
	}
	if u.Restarts > 0 || u.Gone > 0 {
		facts = append(facts, fact{Name: "restarts", Value: fmt.Sprintf("%d, and %s that ended", u.Restarts, plural(u.Gone, "process", "processes"))})
	}
	if !u.Complete {
		facts = append(facts, fact{Name: "note", Value: fmt.Sprintf("what the target used is known for %s s only", digits(u.Seconds))})
	}
	return facts
}

// processorsOverTime is what the target used of processors.
func processorsOverTime(run *record.Run) (figure, bool) {
	return useOverTime(run, "The target's processors over time", "How many processors' worth of time the target used.", 2,
		func(p target.Point) (float64, bool) {
			if p.CPUCores == nil {
				return 0, false
			}
			return *p.CPUCores, true
		}, func(greatest float64) axis { return axis{Zero: true, Label: in(greatest, unit{1, ""})} }, digits)
}

// memoryOverTime is what the target used of memory.
func memoryOverTime(run *record.Run) (figure, bool) {
	return useOverTime(run, "The target's memory over time", "How much memory the target had in use.", 4,
		func(p target.Point) (float64, bool) {
			if p.RSSBytes == nil {
				return 0, false
			}
			return float64(*p.RSSBytes), true
		}, memoryAxis, bytes)
}

func useOverTime(run *record.Run, title, alt string, shade int, value func(target.Point) (float64, bool), y func(greatest float64) axis, write func(float64) string) (figure, bool) {
	if run.Target == nil {
		return figure{}, false
	}
	v := curve{Name: "target", Colour: shade}
	for _, p := range thin(run.Target.Series, mostPoints) {
		if used, ok := value(p); ok {
			v.X, v.Y = append(v.X, p.EndSeconds), append(v.Y, used)
		}
	}
	if len(v.Y) == 0 {
		return figure{}, false
	}
	var rows [][]string
	for _, p := range thin(run.Target.Series, mostRows) {
		if used, ok := value(p); ok {
			rows = append(rows, []string{fmt.Sprintf("until %.1f s", p.EndSeconds), write(used)})
		}
	}
	c := chart{Title: title, Alt: alt, X: sinceStart(), Y: y(slices.Max(v.Y)), Curves: []curve{v}}
	return c.draw(tabulate(title, []string{" time", "used"}, rows))
}

// thin takes every n-th point, so that there are no more than so many, and always the last.
func thin(series []target.Point, most int) (all []target.Point) {
	each := max((len(series)+most-1)/most, 1)
	for i := range series {
		if i%each == each-1 || i == len(series)-1 {
			all = append(all, series[i])
		}
	}
	return all
}
