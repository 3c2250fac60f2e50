package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vneid-gateway/vneid-gateway/bench/limit"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// found is the highest rate that was found, and how the target scales up to it.
func found(f *record.File) []section {
	r := f.FindMax
	if r == nil {
		return nil
	}
	s := section{Title: "The highest rate that keeps the objective"}
	s.Blocks = append(s.Blocks, highest(r), block{Facts: limitFacts(r)})
	trials := slices.Clone(r.Trials)
	slices.SortStableFunc(trials, func(a, b limit.Trial) int { return cmp.Compare(a.RatePerSecond, b.RatePerSecond) })
	for _, p := range []struct {
		title, alt string
		y          func(greatest float64) axis
		value      func(*limit.Trial) *float64
	}{
		{
			"Scaling: the target's processors by rate", "How many processors' worth of time the target used at each rate that was tried. A straight line means that a request costs the same at every rate.",
			func(v float64) axis { return axis{Zero: true, Label: in(v, unit{1, ""})} }, func(t *limit.Trial) *float64 { return t.CPUCores },
		},
		{
			"Scaling: processor time of a request by rate", "What a request cost the target at each rate that was tried.",
			func(v float64) axis { return axis{Zero: true, Label: in(v, unit{1, " µs"})} }, func(t *limit.Trial) *float64 { return t.CPUMicrosecondsPerRequest },
		},
		{
			"Scaling: p99 of latency by rate", "How long 99% of the requests took at most, at each rate that was tried. It bends up where the target cannot follow.",
			func(float64) axis { return latencies }, func(t *limit.Trial) *float64 { return &t.P99Microseconds },
		},
		{
			"Scaling: p99 of the gateway's overhead by rate", "How much time the target says that it added to 99% of the requests at most, at each rate that was tried.",
			func(float64) axis { return latencies }, func(t *limit.Trial) *float64 { return t.OverheadP99Microseconds },
		},
	} {
		if drawn, ok := byRate(p.title, p.alt, p.y, trials, p.value); ok {
			s.Blocks = append(s.Blocks, show(drawn))
		}
	}
	s.Blocks = append(s.Blocks, block{Table: tried(r)})
	return []section{s}
}

// highest is the answer in a sentence.
func highest(r *limit.Result) block {
	sure := share(r.Confidence)
	switch {
	case r.LowerBoundOnly && r.LowPerSecond != nil:
		return say(warn, fmt.Sprintf("The limit is above %s requests a second (with %s confidence), and was not found: more could not be asked for.", rate(*r.LowPerSecond), sure))
	case r.LowPerSecond == nil && r.HighPerSecond == nil:
		return say(bad, "The limit was not found: there is no bound below or above it.")
	case r.LowPerSecond == nil:
		return say(bad, fmt.Sprintf("No rate was found that keeps the objective; the limit is below %s requests a second (with %s confidence).", rate(*r.HighPerSecond), sure))
	case r.HighPerSecond == nil:
		return say(warn, fmt.Sprintf("About %s requests a second; with %s confidence no less than %s. There is no bound above it.", rate(r.RatePerSecond), sure, rate(*r.LowPerSecond)))
	}
	return say(good, fmt.Sprintf("About %s requests a second; with %s confidence from %s to %s. Plan with %s.", rate(r.RatePerSecond), sure, rate(*r.LowPerSecond), rate(*r.HighPerSecond), rate(*r.LowPerSecond)))
}

func limitFacts(r *limit.Result) []fact {
	facts := []fact{
		{Name: "objective", Value: r.Objective, Code: true},
		{Name: "target", Value: r.Target, Code: true},
		{Name: "trials", Value: fmt.Sprintf("%d of %s each, %s apart", len(r.Trials), seconds(r.TrialSeconds), seconds(r.PauseSeconds))},
		{Name: "connections", Value: count(int64(r.Connections))},
		{Name: "ended", Value: ending(r.Ended)},
	}
	if c := r.AtLimit; c != nil {
		facts = append(facts, fact{Name: "at the limit", Value: atLimit(c)})
	}
	return facts
}

// ending says in words why a search ended.
func ending(e limit.Ended) string {
	if text, ok := map[limit.Ended]string{
		limit.EndedFound: "both ends of the interval are proven", limit.EndedCeiling: "the highest rate that was allowed keeps the objective",
		limit.EndedGenerator: "the generator can do no more", limit.EndedFloor: "the lowest rate that was allowed does not keep the objective",
		limit.EndedTrials: "there were as many trials as there may be", limit.EndedTime: "there was no time for another trial",
		limit.EndedGone: "the target could not be reached or looked at any more", limit.EndedExhausted: "there were no more requests to send",
		limit.EndedInterrupted: "it was interrupted", limit.EndedFailed: "a trial failed",
	}[e]; ok {
		return text
	}
	return string(e)
}

// atLimit is what the target used there.
func atLimit(c *limit.Cost) string {
	s := fmt.Sprintf("%s of a processor a request", duration(c.CPUMicrosecondsPerRequest))
	if c.CPUMicrosecondsPerRequestLow != nil && c.CPUMicrosecondsPerRequestHigh != nil {
		s += fmt.Sprintf(" (%s to %s)", duration(*c.CPUMicrosecondsPerRequestLow), duration(*c.CPUMicrosecondsPerRequestHigh))
	}
	s += fmt.Sprintf(", %s processors", digits(c.CPUCores))
	if c.PeakRSSBytes != nil {
		s += ", " + bytes(float64(*c.PeakRSSBytes)) + " of memory at most"
	}
	return s + ", from " + plural(c.Trials, "trial", "trials")
}

// byRate shows one figure of each trial by its rate, in the colour of its outcome.
func byRate(title, alt string, y func(greatest float64) axis, trials []limit.Trial, value func(*limit.Trial) *float64) (figure, bool) {
	curves := []curve{{Name: "kept the objective", Colour: 0, Loose: true}, {Name: "broke it", Colour: 1, Loose: true}, {Name: "generator too slow", Colour: 3, Loose: true}}
	fastest, most := 0.0, 0.0
	var rows [][]string
	for i := range trials {
		t := &trials[i]
		v := value(t)
		if v == nil {
			continue
		}
		at := 1
		switch t.Outcome {
		case limit.OutcomeKept:
			at = 0
		case limit.OutcomeUnclaimed:
			at = 2
		}
		curves[at].X, curves[at].Y = append(curves[at].X, t.RatePerSecond), append(curves[at].Y, *v)
		fastest, most = max(fastest, t.RatePerSecond), max(most, *v)
		rows = append(rows, []string{rate(t.RatePerSecond) + "/s", digits(*v), t.Outcome})
	}
	c := chart{Title: title, Alt: alt, X: axis{Name: "requests a second, asked", Zero: true, Label: inRates(fastest)}, Y: y(most), Curves: curves}
	return c.draw(tabulate(title, []string{"rate", "value", " outcome"}, rows))
}

// tried is every trial, in order.
func tried(r *limit.Result) *table {
	number := func(v *float64, write func(float64) string) string {
		if v == nil {
			return "–"
		}
		return write(*v)
	}
	var rows [][]string
	for i := range r.Trials {
		t := &r.Trials[i]
		memory := "–"
		if t.PeakRSSBytes != nil {
			memory = bytes(float64(*t.PeakRSSBytes))
		}
		rows = append(rows, []string{
			fmt.Sprint(i + 1), rate(t.RatePerSecond), rate(t.AnsweredPerSecond), duration(t.P50Microseconds), duration(t.P99Microseconds), share(t.FailedShare),
			number(t.CPUCores, digits), number(t.CPUMicrosecondsPerRequest, duration), memory, t.Outcome,
		})
	}
	return tabulate("Every trial, in order", []string{"trial", "asked/s", "answered/s", "p50", "p99", "failed", "cores", "CPU a request", "memory", " outcome"}, rows)
}
