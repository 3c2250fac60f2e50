package limit

import (
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// Result is what a search found, and the form of its JSON. Every name has its unit.
type Result struct {
	// Target is what the load was sent to, and Objective what it had to keep, as
	// [ParseObjective] reads it.
	Target    string `json:"target"`
	Objective string `json:"objective"`

	// RatePerSecond is about where the limit is. Plan with LowPerSecond.
	RatePerSecond float64 `json:"rate_per_second"`
	// LowPerSecond and HighPerSecond are the interval that contains the limit with
	// probability Confidence or more; nil is no bound. Both are rates that were tried.
	LowPerSecond  *float64 `json:"low_per_second"`
	HighPerSecond *float64 `json:"high_per_second"`
	Confidence    float64  `json:"confidence"`
	// LowerBoundOnly says that the limit is above LowPerSecond, and not how far.
	LowerBoundOnly bool  `json:"lower_bound_only"`
	Ended          Ended `json:"ended"`

	// AtLimit is what the target used in trials about the limit that kept the
	// objective; nil where that was not measured.
	AtLimit *Cost `json:"at_limit,omitzero"`

	Precision      float64 `json:"precision"`
	TrialSeconds   float64 `json:"trial_seconds"`
	PauseSeconds   float64 `json:"pause_seconds"`
	ElapsedSeconds float64 `json:"elapsed_seconds"`
	Connections    int     `json:"connections"`
	Poisson        bool    `json:"poisson"`

	Trials []Trial `json:"trials"`
}

// Outcomes of a trial.
const (
	OutcomeKept      = "kept"
	OutcomeBroken    = "broken"
	OutcomeUnclaimed = "unclaimed"
)

// Trial is one load. What is not known is nil.
type Trial struct {
	// RatePerSecond is what was asked, and AnsweredPerSecond what was answered while
	// it was asked; see [Measured].
	RatePerSecond     float64 `json:"rate_per_second"`
	AnsweredPerSecond float64 `json:"answered_per_second"`
	// Outcome is "kept", "broken" or, where the generator was the bottleneck,
	// "unclaimed"; Reasons says why it is not kept.
	Outcome   string    `json:"outcome"`
	Reasons   []string  `json:"reasons,omitzero"`
	StartedAt time.Time `json:"started_at"`

	P50Microseconds float64 `json:"p50_microseconds"`
	P99Microseconds float64 `json:"p99_microseconds"`
	// FailedShare is how many of the requests failed, 0 to 1.
	FailedShare float64 `json:"failed_share"`
	// WrongVerdicts is how many answers of a corpus were not what the token must get.
	WrongVerdicts int64 `json:"wrong_verdicts"`

	OverheadP50Microseconds *float64 `json:"overhead_p50_microseconds,omitzero"`
	OverheadP99Microseconds *float64 `json:"overhead_p99_microseconds,omitzero"`

	CPUCores                  *float64 `json:"cpu_cores"`
	CPUMicrosecondsPerRequest *float64 `json:"cpu_microseconds_per_request"`
	PeakRSSBytes              *int64   `json:"peak_rss_bytes"`
	// GeneratorBusyShare is the mean over the trial of what attack.Interval calls so.
	GeneratorBusyShare *float64 `json:"generator_busy_share"`
}

func (t *Trial) verdict() Verdict {
	switch t.Outcome {
	case OutcomeKept:
		return Kept
	case OutcomeUnclaimed:
		return Unclaimed
	}
	return Broken
}

// Measured makes a trial of what was measured and judges it; use may be nil.
func Measured(o Objective, r *attack.Result, use *target.Use) Trial {
	t := Trial{
		RatePerSecond: r.AskedPerSecond, AnsweredPerSecond: answered(r), StartedAt: r.StartedAt,
		P50Microseconds: r.Latency.P50Microseconds, P99Microseconds: r.Latency.P99Microseconds,
		WrongVerdicts: r.WrongVerdicts, GeneratorBusyShare: busy(r),
	}
	if r.Due > 0 {
		t.FailedShare = float64(r.Failed) / float64(r.Due)
	}
	if use != nil {
		t.CPUCores, t.CPUMicrosecondsPerRequest, t.PeakRSSBytes = use.CPUCores, use.CPUMicrosecondsPerRequest, use.PeakRSSBytes
		if use.Overhead != nil {
			t.OverheadP50Microseconds, t.OverheadP99Microseconds = use.Overhead.P50Microseconds, use.Overhead.P99Microseconds
		}
	}
	switch reasons := o.broken(r, use); {
	case r.WrongVerdicts > 0: // whoever was late
		t.Outcome, t.Reasons = OutcomeBroken, reasons
	case !r.Claimed:
		t.Outcome, t.Reasons = OutcomeUnclaimed, r.Bottleneck
	case len(reasons) > 0:
		t.Outcome, t.Reasons = OutcomeBroken, reasons
	default:
		t.Outcome = OutcomeKept
	}
	return t
}

// busy is how busy the generator was on average.
func busy(r *attack.Result) *float64 {
	sum, seconds := 0.0, 0.0
	for _, i := range r.Series {
		if i.GeneratorBusyShare != nil {
			span := i.EndSeconds - i.StartSeconds
			sum += *i.GeneratorBusyShare * span
			seconds += span
		}
	}
	if seconds <= 0 {
		return nil
	}
	mean := sum / seconds
	return &mean
}

// drain is how long after the last request was due the answers may be counted on
// besides the median time of an answer.
const drain = 0.25 // s

// answered is how many requests were answered a second: N answers in
//
//	max(T, E - g - s)  seconds, where
//	T  is the time in which requests were due,
//	E  the time until the last was answered or given up,
//	g  0.25 s, and
//	s  the median time from sending a request to its answer.
//
// Without g and s, a short load would be charged for the answers that come after its
// last request was due, however quick the target is; a target that falls behind is late
// by more.
func answered(r *attack.Result) float64 {
	span := max(r.Load.DurationSeconds, r.ElapsedSeconds-drain-r.Service.P50Microseconds/1e6)
	if span <= 0 {
		return 0
	}
	return float64(r.Answered) / span
}
