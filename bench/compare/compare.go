package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

var (
	// ErrOptions is an [Options] that makes no sense; the error names the field.
	ErrOptions = errors.New("cannot compare so")
	// ErrNothing means that the sides have not one load in common whose figures can be claimed.
	ErrNothing = errors.New("nothing to compare")
)

// Side is what was measured of one thing: some records, each with some runs.
type Side struct {
	// Name is what the side is called.
	Name string
	// Files are its records, and Names what they are called.
	Files []*record.File
	Names []string
}

// Options say when a difference counts.
type Options struct {
	// Alpha is the level of significance, more than 0 and less than 0.5; 0 is 0.05.
	Alpha float64
	// MaxRegression is by how much a metric may be worse, as a share, 0 or more: 0.05 is 5%.
	MaxRegression float64
}

// Verdict is what can be said of a metric.
type Verdict string

// The verdicts.
const (
	// Worse and Better: it differs, and p is below the level.
	Worse  Verdict = "worse"
	Better Verdict = "better"
	// Alike: no difference was found, and one larger than what is allowed is ruled out.
	Alike Verdict = "alike"
	// Unclear: no difference was found, and there may be one.
	Unclear Verdict = "unclear"
	// TooFew: there are too few runs to say anything.
	TooFew Verdict = "too few runs"
)

// Result is what a comparison found, and the form of its JSON.
type Result struct {
	Base string `json:"base"`
	New  string `json:"new"`
	// Alpha and MaxRegression are those of the [Options].
	Alpha         float64 `json:"alpha"`
	MaxRegression float64 `json:"max_regression_share"`
	// Warnings say why the sides may differ in more than what is compared.
	Warnings []string `json:"warnings"`
	Loads    []Load   `json:"loads"`
	// Regressions are the metrics that are worse by more than what is allowed.
	Regressions []string `json:"regressions"`
}

// Load is a load that both sides had.
type Load struct {
	// Name is that of the runs, and what was asked for where that alone tells loads of one name apart.
	Name    string   `json:"name"`
	Metrics []Metric `json:"metrics"`
}

// Metric is one figure of a load, on both sides.
type Metric struct {
	Name string `json:"name"`
	Unit Unit   `json:"unit"`
	// HigherIsBetter says what worse means.
	HigherIsBetter bool   `json:"higher_is_better"`
	Base           Sample `json:"base"`
	New            Sample `json:"new"`
	// ChangeShare is by how much the new side is above the base, as a share of it: 0.1 is 10% more. LowShare and
	// HighShare are the ends of its interval at the level 1 - Alpha. Nil where there is none: too few runs, or a
	// base of 0.
	ChangeShare *float64 `json:"change_share"`
	LowShare    *float64 `json:"low_share"`
	HighShare   *float64 `json:"high_share"`
	// P is that of the U test; nil where there are too few runs.
	P       *float64 `json:"p"`
	Verdict Verdict  `json:"verdict"`
	// Regression says that it is worse by more than what is allowed.
	Regression bool `json:"regression"`
}

// Unit is what a metric is counted in.
type Unit string

// The units.
const (
	Microseconds Unit = "microseconds"
	PerSecond    Unit = "per_second"
	Bytes        Unit = "bytes"
	Share        Unit = "share"
)

// Sample is what the runs of a side had.
type Sample struct {
	Runs   int     `json:"runs"`
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

func sampleOf(sorted []float64) Sample {
	return Sample{Runs: len(sorted), Median: median(sorted), Least: sorted[0], Most: sorted[len(sorted)-1]}
}

// Compare compares two sides. Errors wrap [ErrOptions] and [ErrNothing].
func Compare(base, other Side, o Options) (*Result, error) {
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	switch {
	case !(o.Alpha > 0 && o.Alpha < 0.5):
		return nil, fmt.Errorf("%w: Alpha must be more than 0 and less than 0.5", ErrOptions)
	case !(o.MaxRegression >= 0) || math.IsInf(o.MaxRegression, 0):
		return nil, fmt.Errorf("%w: MaxRegression must be 0 or more", ErrOptions)
	}
	was, is := gather(base), gather(other)
	r := &Result{Base: base.Name, New: other.Name, Alpha: o.Alpha, MaxRegression: o.MaxRegression, Warnings: warnings(base, other)}
	r.Warnings = append(append(r.Warnings, was.warnings...), is.warnings...)
	called := titles(slices.Concat(was.order, is.order))
	for _, load := range was.order {
		l := Load{Name: called[load]}
		for _, k := range all() {
			before, after := was.values[key{load, k.name}], is.values[key{load, k.name}]
			if len(before) == 0 || len(after) == 0 {
				continue
			}
			m := judge(k, before, after, o)
			if m.Regression {
				r.Regressions = append(r.Regressions, l.Name+": "+m.Name)
			}
			l.Metrics = append(l.Metrics, m)
		}
		if len(l.Metrics) > 0 {
			r.Loads = append(r.Loads, l)
		} else {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%q was measured by %s only", l.Name, base.Name))
		}
	}
	for _, load := range is.order {
		if !slices.Contains(was.order, load) {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%q was measured by %s only", called[load], other.Name))
		}
	}
	if len(r.Loads) == 0 {
		all := append(was.list(base.Name, called), is.list(other.Name, called)...)
		return nil, fmt.Errorf("%w: %s and %s have no load in common with figures that can be claimed%s", ErrNothing, base.Name, other.Name, strings.Join(all, ""))
	}
	return r, nil
}

// judge compares the samples of one metric.
func judge(k kind, before, after []float64, o Options) Metric {
	before, after = slices.Sorted(slices.Values(before)), slices.Sorted(slices.Values(after))
	m := Metric{Name: k.name, Unit: k.unit, HigherIsBetter: k.higher, Base: sampleOf(before), New: sampleOf(after), Verdict: TooFew}
	// Quotients where there are any, as a change is one of so many percent; else differences.
	asShare := func(v float64) float64 { return math.Exp(v) - 1 }
	if before[0] <= 0 || after[0] <= 0 {
		asShare = func(v float64) float64 {
			if v == 0 {
				return 0
			}
			return v / m.Base.Median // infinite where the base is 0
		}
	} else {
		before, after = logarithms(before), logarithms(after)
	}
	s := shifted(before, after, o.Alpha)
	change, low, high := asShare(s.Estimate), asShare(s.Low), asShare(s.High)
	m.ChangeShare = finite(change)
	if !s.Enough {
		return m
	}
	m.LowShare, m.HighShare, m.P = finite(low), finite(high), &s.P
	worse := change > 0
	if k.higher {
		worse = change < 0
	}
	switch {
	case s.P < o.Alpha && worse:
		m.Verdict, m.Regression = Worse, math.Abs(change) > o.MaxRegression
	case s.P < o.Alpha && change != 0:
		m.Verdict = Better
	case low >= -o.MaxRegression && high <= o.MaxRegression:
		m.Verdict = Alike
	default:
		m.Verdict = Unclear
	}
	return m
}

func logarithms(values []float64) []float64 {
	all := make([]float64, len(values))
	for i, v := range values {
		all[i] = math.Log(v)
	}
	return all
}

func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}
