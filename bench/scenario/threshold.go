package scenario

import (
	"strconv"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// check says whether a run kept the thresholds. Spared is how many answers to requests that must be refused only a rule
// of "allow" takes.
func (t *Thresholds) check(result *Result, spared int64) []Check {
	var checks []Check
	r, allowed := result.Attack, result.Allowed
	count := func(name string, got, most int64) {
		checks = append(checks, Check{name, "at most " + strconv.FormatInt(most, 10), strconv.FormatInt(got, 10), got <= most})
	}
	percent := func(name string, part, whole int64, most *float64) {
		if most != nil {
			got := share(part, whole)
			checks = append(checks, Check{name, "at most " + decimal(*most) + "%", decimal(got) + "%", got <= *most})
		}
	}
	count("wrong verdicts", result.wrongVerdicts(), 0)
	if n := result.WarmUpWrongVerdicts; n > 0 {
		checks[0].Got += ", " + strconv.FormatInt(n, 10) + " of them before the load"
	}
	percent("failed requests", r.Failed, r.Due, t.FailedPercent)
	percent("answers only allowed", allowed, r.Due, t.AllowedPercent)
	for _, l := range []struct {
		name string
		got  float64
		most *time.Duration
	}{
		{"latency p50", r.Latency.P50Microseconds, t.P50},
		{"latency p90", r.Latency.P90Microseconds, t.P90},
		{"latency p99", r.Latency.P99Microseconds, t.P99},
		{"latency p99.9", r.Latency.P999Microseconds, t.P999},
		{"latency max", r.Latency.MaxMicroseconds, t.Max},
	} {
		if l.most != nil {
			got := time.Duration(l.got * 1e3)
			// Without a single answer there is no latency to be proud of.
			met := r.Latency.Count > 0 && got <= *l.most
			checks = append(checks, Check{l.name, "at most " + l.most.String(), round(got).String(), met})
		}
	}
	if t.AnsweredPercent != nil {
		got := 0.0
		if r.AskedPerSecond > 0 {
			got = r.AnsweredPerSecond / r.AskedPerSecond * 100
		}
		checks = append(checks, Check{"rate answered", "at least " + decimal(*t.AnsweredPercent) + "% of that asked", decimal(got) + "%", got >= *t.AnsweredPercent})
	}
	if t.RefusedPercent != nil {
		due, refused := refusals(r.Classes)
		got := share(refused-spared, due)
		checks = append(checks, Check{"refused of what must be", "at least " + decimal(*t.RefusedPercent) + "%", decimal(got) + "%", got >= *t.RefusedPercent})
	}
	if t.ConnectionsFailed != nil {
		count("connections that failed to open", r.ConnectionsFailed, *t.ConnectionsFailed)
	}
	return checks
}

// refusals counts the requests of classes that must be refused, and those that got what they must or may.
func refusals(classes []attack.ClassResult) (due, right int64) {
	for _, c := range classes {
		if c.Class != newKeyClass && !population.Class(c.Class).Passes() {
			due, right = due+c.Due, right+c.AsExpected
		}
	}
	return due, right
}

// share is a part in percent; all of nothing is nothing.
func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole) * 100
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// round leaves three digits or so.
func round(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{time.Second, time.Millisecond} {
		if d >= unit {
			return d.Round(unit / 100)
		}
	}
	return d.Round(100 * time.Nanosecond)
}
