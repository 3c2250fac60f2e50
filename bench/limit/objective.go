package limit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// DefaultAnswered is the share of the rate asked that must be answered where an
// objective does not say.
const DefaultAnswered = 0.99

// MaxTerms bounds an objective.
const MaxTerms = 16

// Objective is what a trial has to keep. Besides its terms it is always demanded that
// no verdict is wrong, that the target is not restarted, and that what is asked is
// answered. The zero value demands nothing else.
type Objective struct {
	terms    []term
	answered float64
	text     string
}

// term is a figure and its bound.
type term struct {
	name  string
	of    figure
	bound float64 // µs, or a share
	below bool    // less than the bound; else at most
}

// figure reads a figure of a trial, false where there is none. That it lies above all
// that can be measured is +Inf.
type figure func(r *attack.Result, use *target.Use) (float64, bool)

// ParseObjective reads an objective: terms with commas between, each NAME<BOUND or
// NAME<=BOUND. Times are p50, p90, p99, p99.9 and max of latency since a request was due,
// or, with "overhead." before them and without max, of what the target says that it
// added; their bounds are those of [time.ParseDuration], more than 0. "errors" is the
// share of requests that failed, such as 0, 0.001 or 0.1%. "answered>=BOUND" is the share
// of the rate asked that is answered, [DefaultAnswered] where it is not said.
func ParseObjective(text string) (Objective, error) {
	o := Objective{answered: DefaultAnswered, text: text}
	parts := strings.Split(text, ",")
	if len(parts) > MaxTerms {
		return o, fmt.Errorf("%w: more than %d terms", ErrObjective, MaxTerms)
	}
	for i, part := range parts {
		part = strings.ReplaceAll(part, " ", "")
		parts[i] = part
		if share, ok := strings.CutPrefix(part, "answered>="); ok {
			bound, err := parseShare(share)
			if err != nil {
				return o, fmt.Errorf("%w: %q: %w", ErrObjective, part, err)
			}
			o.answered = bound
			continue
		}
		t, err := parseTerm(part)
		if err != nil {
			return o, fmt.Errorf("%w: %q: %w", ErrObjective, part, err)
		}
		o.terms = append(o.terms, t)
	}
	o.text = strings.Join(parts, ",")
	return o, nil
}

func parseTerm(part string) (term, error) {
	name, bound, ok := strings.Cut(part, "<")
	bound, atMost := strings.CutPrefix(bound, "=")
	t := term{name: name, below: !atMost}
	if !ok || bound == "" {
		return t, fmt.Errorf("write it as p99<5ms or errors<=0.1%%")
	}
	var err error
	if name == "errors" {
		t.of = failedShare
		t.bound, err = parseShare(bound)
		return t, err
	}
	if t.of, ok = times[name]; !ok {
		return t, fmt.Errorf("there is p50, p90, p99, p99.9, max, the first four also with overhead., errors, and answered>=")
	}
	d, err := time.ParseDuration(bound)
	if err != nil || d <= 0 {
		return t, fmt.Errorf("write the time as 5ms")
	}
	t.bound = float64(d) / 1e3
	return t, nil
}

// parseShare reads 0.001 and 0.1%.
func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share >= 0 && share <= 1) {
		return 0, fmt.Errorf("write the share as 0.001 or 0.1%%")
	}
	return share, nil
}

func failedShare(r *attack.Result, _ *target.Use) (float64, bool) {
	if r.Due == 0 {
		return 0, false
	}
	return float64(r.Failed) / float64(r.Due), true
}

// times are the figures that are times, in µs.
var times = map[string]figure{ //nolint:gochecknoglobals // a constant, if Go had them
	"p50":            latency(func(t *attack.Times) float64 { return t.P50Microseconds }),
	"p90":            latency(func(t *attack.Times) float64 { return t.P90Microseconds }),
	"p99":            latency(func(t *attack.Times) float64 { return t.P99Microseconds }),
	"p99.9":          latency(func(t *attack.Times) float64 { return t.P999Microseconds }),
	"max":            latency(func(t *attack.Times) float64 { return t.MaxMicroseconds }),
	"overhead.p50":   overhead(func(o *target.Overhead) *float64 { return o.P50Microseconds }),
	"overhead.p90":   overhead(func(o *target.Overhead) *float64 { return o.P90Microseconds }),
	"overhead.p99":   overhead(func(o *target.Overhead) *float64 { return o.P99Microseconds }),
	"overhead.p99.9": overhead(func(o *target.Overhead) *float64 { return o.P999Microseconds }),
}

func latency(of func(*attack.Times) float64) figure {
	return func(r *attack.Result, _ *target.Use) (float64, bool) {
		return of(&r.Latency), r.Latency.Count > 0
	}
}

func overhead(of func(*target.Overhead) *float64) figure {
	return func(_ *attack.Result, use *target.Use) (float64, bool) {
		if use == nil || use.Overhead == nil || use.Overhead.Count == 0 || !use.Complete {
			return 0, false
		}
		if v := of(use.Overhead); v != nil {
			return *v, true
		}
		return math.Inf(1), true
	}
}

// String is the objective as [ParseObjective] reads it.
func (o Objective) String() string { return o.text }

// NeedsOverhead says whether a term is about what the target says of itself.
func (o Objective) NeedsOverhead() bool {
	for _, t := range o.terms {
		if strings.HasPrefix(t.name, "overhead.") {
			return true
		}
	}
	return false
}

// broken says what of an objective was not kept; empty where all was.
func (o Objective) broken(r *attack.Result, use *target.Use) (reasons []string) {
	if n := wrong(r); n > 0 {
		reasons = append(reasons, fmt.Sprintf("%d verdicts were wrong", n))
	}
	if use != nil && use.Restarts+use.Gone > 0 {
		reasons = append(reasons, "the target was restarted")
	}
	if asked := float64(r.Due) / r.Load.DurationSeconds; answered(r) < o.answered*asked {
		reasons = append(reasons, fmt.Sprintf("answered %.1f%% of the rate asked", 100*answered(r)/asked))
	}
	for _, t := range o.terms {
		got, known := t.of(r, use)
		switch {
		case !known:
			reasons = append(reasons, t.name+" was not measured")
		case got > t.bound, t.below && got == t.bound:
			reasons = append(reasons, t.name+" "+t.value(got))
		}
	}
	return reasons
}

func (t term) value(got float64) string {
	switch {
	case t.name == "errors":
		return strconv.FormatFloat(got*100, 'f', 3, 64) + "%"
	case math.IsInf(got, 1):
		return "above all that the target measures"
	}
	return microseconds(got)
}

// wrong counts the answers that a target gave and should not have given. An answer with
// a status that says that it was for want of capacity or of an upstream is an error, and
// not a wrong verdict.
func wrong(r *attack.Result) int64 {
	other := r.Failures[attack.FailureStatus.String()]
	for status, n := range r.Statuses {
		if status == "429" || strings.HasPrefix(status, "5") {
			other -= n
		}
	}
	if len(r.Classes) > 0 {
		other = 0 // Then a verdict has been called wrong where it was.
	}
	return r.WrongVerdicts + r.Failures[attack.FailureContent.String()] + max(0, other)
}
