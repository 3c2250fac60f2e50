package scenario

import "github.com/vneid-gateway/vneid-gateway/bench/attack"

// Result is what came of a scenario, and the form of its JSON.
type Result struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Basis says what the whole load stands for.
	Basis string `json:"basis"`
	// Passed says that every check was, and that the generator kept up.
	Passed bool `json:"passed"`
	// Scaled says that the load was not the whole of what the scenario says: Scale is the factor of its rates, and Whole
	// what it would be.
	Scaled bool    `json:"scaled"`
	Scale  float64 `json:"scale"`
	Whole  Extent  `json:"whole"`
	Ran    Extent  `json:"ran"`
	// Stand says that the target was started for this, with so many gateways.
	Stand    bool `json:"stand"`
	Replicas int  `json:"replicas,omitzero"`
	// WarmUpRequests is how many requests came before the load, unmeasured.
	WarmUpRequests int64 `json:"warm_up_requests"`
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
	ColdShare               float64 `json:"cold_share"`
}

func (s *Scenario) extent() Extent {
	return Extent{
		PeakPerSecond: s.Load.Peak(), DurationSeconds: s.Load.Duration.Seconds(), Connections: s.Connections,
		NewConnectionsPerSecond: s.NewConnectionsPerSecond, WarmTokens: s.Population.Warm, ColdShare: s.Population.ColdShare,
	}
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
