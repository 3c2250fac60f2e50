package scenario

import (
	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// Result is what came of a scenario, and the form of its JSON.
type Result struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Basis says what the whole load stands for.
	Basis string `json:"basis"`
	// Passed says that every check was, and that the generator kept up: Verdict is [Passed].
	Passed bool `json:"passed"`
	// Verdict is [Passed], [Failed] or [NoResult], and Why says why there is no result.
	Verdict string `json:"verdict"`
	Why     string `json:"why,omitzero"`
	// Scaled says that the load was not the whole of what the scenario says: Scale is the factor of its rates, and Whole
	// what it would be.
	Scaled bool    `json:"scaled"`
	Scale  float64 `json:"scale"`
	Whole  Extent  `json:"whole"`
	Ran    Extent  `json:"ran"`
	// Differences are where the corpus that was sent is not what the scenario says.
	Differences []Difference `json:"differences,omitzero"`
	// Stand says that the target was started for this, with so many gateways.
	Stand    bool `json:"stand"`
	Replicas int  `json:"replicas,omitzero"`
	// WarmUpRequests is how many requests were answered before the load, unmeasured. WarmUpWrongVerdicts of them had an
	// answer that their class must not get: they count as those of the load do. WarmUpFailed is how many had no answer, or
	// not the right one, and WarmUpFailures how many of them for which reason.
	WarmUpRequests      int64            `json:"warm_up_requests"`
	WarmUpWrongVerdicts int64            `json:"warm_up_wrong_verdicts,omitzero"`
	WarmUpFailed        int64            `json:"warm_up_failed,omitzero"`
	WarmUpFailures      map[string]int64 `json:"warm_up_failures,omitempty"`
	// AnswersChecked says how closely answers were looked at: see [population.Check].
	AnswersChecked string `json:"answers_checked"`
	// Allowed is how many answers were taken by a rule of "allow" alone.
	Allowed int64          `json:"allowed"`
	Actions []ActionResult `json:"actions,omitzero"`
	Rules   []RuleResult   `json:"rules,omitzero"`
	Checks  []Check        `json:"checks"`

	// Attack is what was measured; a record has it as a run.
	Attack *attack.Result `json:"-"`
}

// Extent is how much a load is.
type Extent struct {
	PeakPerSecond           float64 `json:"peak_per_second"`
	DurationSeconds         float64 `json:"duration_seconds"`
	Connections             int     `json:"connections"`
	NewConnectionsPerSecond float64 `json:"new_connections_per_second,omitzero"`
	WarmTokens              int64   `json:"warm_tokens"`
	ZipfExponent            float64 `json:"zipf_exponent"`
	ColdShare               float64 `json:"cold_share"`
}

func (s *Scenario) extent() Extent {
	return Extent{
		PeakPerSecond: s.Load.Peak(), DurationSeconds: s.Load.Duration.Seconds(), Connections: s.Connections,
		NewConnectionsPerSecond: s.NewConnectionsPerSecond, WarmTokens: s.Population.Warm,
		ZipfExponent: s.Population.ZipfExponent, ColdShare: s.Population.ColdShare,
	}
}

// ran is the extent of a load of this scenario with a corpus.
func (s *Scenario) ran(m *population.Manifest) Extent {
	e := s.extent()
	e.WarmTokens, e.ZipfExponent, e.ColdShare = m.Pools.Warm, m.Reuse.ZipfExponent, m.Reuse.ColdShare
	return e
}

// ActionResult is what came of an action. Times are since the beginning of the load.
type ActionResult struct {
	Name string `json:"name"`
	Do   string `json:"do"`
	// AtSeconds is when it was to begin.
	AtSeconds    float64 `json:"at_seconds"`
	BeganSeconds float64 `json:"began_seconds"`
	EndedSeconds float64 `json:"ended_seconds"`
	Done         bool    `json:"done"`
	Error        string  `json:"error,omitzero"`
	// Revoked is how many tokens were revoked, RefusedRequests how many requests with them were refused, and
	// NewKeyRequests how many came with a token under a new key.
	Revoked         int64 `json:"revoked,omitzero"`
	RefusedRequests int64 `json:"refused_requests,omitzero"`
	NewKeyRequests  int64 `json:"new_key_requests,omitzero"`
}

// RuleResult is what came of a rule.
type RuleResult struct {
	// Rule is "expect" or "allow", with what it takes, of whom and when.
	Rule string `json:"rule"`
	// Answers is how many answers were taken because of it.
	Answers int64 `json:"answers"`
}

// Check is a demand, and whether it was met.
type Check struct {
	Name   string `json:"name"`
	Want   string `json:"want"`
	Got    string `json:"got"`
	Passed bool   `json:"passed"`
}
