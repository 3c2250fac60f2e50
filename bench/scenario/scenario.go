package scenario

import "time"

// Scenario is what a file says. It is read by [Parse] and not changed.
type Scenario struct {
	// Name is how commands and reports call it.
	Name string `yaml:"name" required:"yes"`
	// Title says in a few words what it is.
	Title string `yaml:"title" required:"yes"`
	// Basis says what it stands for, and where its figures are from.
	Basis string `yaml:"basis" required:"yes"`
	// Load says when requests are due.
	Load Load `yaml:"load" required:"yes"`
	// Connections are kept open.
	Connections int `yaml:"connections" default:"64" range:"1..100000"`
	// NewConnectionsPerSecond are replaced by new ones.
	NewConnectionsPerSecond float64 `yaml:"new_connections_per_second" range:"0..1000000"`
	// Timeout bounds an answer, from when its request was due.
	Timeout time.Duration `yaml:"timeout" default:"10s" range:"1ms..10m"`
	// Replicas is how many gateways a stand has.
	Replicas int `yaml:"replicas" default:"1" range:"1..16"`
	// Gateway are fields of the gateway's configuration that a stand sets, as field=value.
	Gateway []string `yaml:"gateway"`
	// Population says whose tokens are sent.
	Population Population `yaml:"population"`
	// Actions are what happens meanwhile, in the order of their times.
	Actions []Action `yaml:"actions"`
	// Expect says what is right in place of what a class expects, Allow what is taken besides.
	Expect []Rule `yaml:"expect"`
	Allow  []Rule `yaml:"allow"`
	// Thresholds are what the run must keep.
	Thresholds Thresholds `yaml:"thresholds" required:"yes"`
}

// Load says when requests are due.
type Load struct {
	// Shape is constant, ramp, steps or spike.
	Shape string `yaml:"shape" default:"constant" enum:"constant, ramp, steps, spike"`
	// Duration is how long requests are due.
	Duration time.Duration `yaml:"duration" required:"yes" range:"1s..168h"`
	// PerSecond is the rate; of a ramp that of its beginning, of a spike that outside of it.
	PerSecond float64 `yaml:"per_second" range:"0..10000000"`
	// ToPerSecond is the rate at the end of a ramp.
	ToPerSecond float64 `yaml:"to_per_second" range:"0..10000000"`
	// StepsPerSecond are the rates of steps, each for an equal part of the duration.
	StepsPerSecond []float64 `yaml:"steps_per_second"`
	// PeakPerSecond is the rate of a spike, from PeakAt on for PeakFor.
	PeakPerSecond float64       `yaml:"peak_per_second" range:"0..10000000"`
	PeakAt        time.Duration `yaml:"peak_at" range:"0s..168h"`
	PeakFor       time.Duration `yaml:"peak_for" range:"0s..168h"`
	// Arrivals are poisson, as those of many people, or even.
	Arrivals string `yaml:"arrivals" default:"poisson" enum:"poisson, even"`
	// Seed draws the arrivals.
	Seed uint64 `yaml:"seed" default:"1"`
}

// Population says whose tokens are sent: see [population.Config].
type Population struct {
	// Warm is how many tokens are sent again and again, the k-th most popular as often as k^-ZipfExponent.
	Warm         int64   `yaml:"warm" default:"20000" range:"0..20000000"`
	ZipfExponent float64 `yaml:"zipf_exponent" default:"1" range:"0..10"`
	// WarmUp is how many requests of the warm pool come before the load, for each token in it; they are not measured.
	WarmUp float64 `yaml:"warm_up" default:"1" range:"0..100"`
	// ColdShare is the part of the requests that have a token of their own.
	ColdShare float64 `yaml:"cold_share" default:"0" range:"0..1"`
	// Classes, Algorithms and Sizes are shares, by class, by algorithm and by bytes.
	Classes    map[string]float64 `yaml:"classes"`
	Algorithms map[string]float64 `yaml:"algorithms"`
	Sizes      map[string]float64 `yaml:"sizes"`
	// Sites are what is behind the gateway. Optional; a scenario that names none has those of the bench.
	Sites []Site `yaml:"sites"`
	// Seed draws which token is sent when.
	Seed int `yaml:"seed" default:"1" range:"0..4294967295"`
}

// Site is what is behind the gateway under one host.
type Site struct {
	Name  string   `yaml:"name" required:"yes"`
	Host  string   `yaml:"host" required:"yes"`
	Share float64  `yaml:"share" default:"1" range:"0.000001..1000000"`
	Paths []string `yaml:"paths"`
}

// The actions.
const (
	DoCutover       = "cutover"         // The dated rule for citizens begins to hold.
	DoIssuerFault   = "issuer_fault"    // The issuer answers wrongly, for a time.
	DoRotateKey     = "rotate_key"      // The issuer publishes another key, and tokens under it come.
	DoRevokeTokens  = "revoke_tokens"   // Popular tokens are revoked.
	DoRevokeFlood   = "revoke_flood"    // Tokens that nobody sends are revoked, many a second, for a time.
	DoSlowUpstream  = "slow_upstream"   // A site's upstream takes longer, for a time.
	DoRollingUpdate = "rolling_restart" // Every replica is restarted, one after the other.
)

// Action is what happens at some time.
type Action struct {
	// At is when.
	At time.Duration `yaml:"at" required:"yes" range:"0s..168h"`
	// Do is what.
	Do string `yaml:"do" required:"yes" enum:"cutover, issuer_fault, rotate_key, revoke_tokens, revoke_flood, slow_upstream, rolling_restart"`
	// Name is how rules call its beginning, and NAME.end its end. Optional. Defaults to Do.
	Name string `yaml:"name"`
	// For is how long it lasts, where it does.
	For time.Duration `yaml:"for" range:"0s..168h"`
	// Kind is that of an issuer_fault, as bench/backend has them: down, slow, status, html, truncated, huge.
	Kind string `yaml:"kind" enum:"down, refuse, slow, trickle, status, html, truncated, huge, bomb, wrong-issuer, flapping"`
	// Delay is that of a slow upstream, or of a slow issuer.
	Delay time.Duration `yaml:"delay" range:"0s..10m"`
	// Site is the one whose upstream is slow; "" is every one.
	Site string `yaml:"site"`
	// Tolerance is how far clocks may be apart at the cutover.
	Tolerance time.Duration `yaml:"tolerance" range:"0s..1m"`
	// PerSecond is the rate of a flood.
	PerSecond float64 `yaml:"per_second" range:"0..1000000"`
	// Tokens is how many tokens are revoked, or are there under a new key.
	Tokens int `yaml:"tokens" range:"0..100000"`
	// Algorithm is that of a new key.
	Algorithm string `yaml:"algorithm" enum:"RS256, PS256, ES256, EdDSA"`
	// Share is the part of the valid requests that come with a token under the new key, from then on.
	Share float64 `yaml:"share" range:"0..1"`
}

// Rule says which answers are taken of some classes, from one moment to another.
type Rule struct {
	// Classes are those of bench/population; none are all.
	Classes []string `yaml:"classes"`
	// From and Until are times, or moments of actions: NAME, NAME.end, NAME.end+5s. Optional: from the beginning, to the end.
	From  string `yaml:"from"`
	Until string `yaml:"until"`
	// Status lists the statuses, and Code, where it is given, the codes of the problem document. A rule of "allow" never
	// takes an answer which tells that a request came to an upstream that must be refused.
	Status []int `yaml:"status" required:"yes"`
	Code   Codes `yaml:"code"`
	// Because says why, for who reads it.
	Because string `yaml:"because"`
}

// Codes are reason codes, written as one or as a list.
type Codes []string

// Thresholds are what a run must keep. What is not given is not demanded, but for wrong verdicts.
type Thresholds struct {
	// WrongVerdicts is how many are taken: none, whether or not a file says so. One always fails the run.
	WrongVerdicts int64 `yaml:"wrong_verdicts" range:"0..0"`
	// FailedPercent bounds the requests without an answer that is right or allowed.
	FailedPercent *float64 `yaml:"failed_percent" range:"0..100"`
	// AllowedPercent bounds the answers that are only allowed.
	AllowedPercent *float64 `yaml:"allowed_percent" range:"0..100"`
	// RefusedPercent is the least part of the requests which must be refused, by the class of their token, that are, and
	// for the right reason: those that are only put off are not.
	RefusedPercent *float64 `yaml:"refused_percent" range:"0..100"`
	// Latencies, from when requests were due.
	P50  *time.Duration `yaml:"latency_p50" range:"1us..10m"`
	P90  *time.Duration `yaml:"latency_p90" range:"1us..10m"`
	P99  *time.Duration `yaml:"latency_p99" range:"1us..10m"`
	P999 *time.Duration `yaml:"latency_p99_9" range:"1us..10m"`
	Max  *time.Duration `yaml:"latency_max" range:"1us..10m"`
	// AnsweredPercent is the least rate of answers, of the rate that was asked for.
	AnsweredPercent *float64 `yaml:"answered_percent" range:"0..100"`
	// ConnectionsFailed bounds how often opening a connection fails.
	ConnectionsFailed *int64 `yaml:"connections_failed" range:"0..1000000000"`
}
