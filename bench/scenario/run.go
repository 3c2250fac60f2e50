package scenario

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// openAllowance is how long before a load is to begin its connections are opened.
const openAllowance = 20 * time.Millisecond

// Options say what a scenario is run against, and how.
type Options struct {
	// Address is the target's host and port; TLS is nil in the clear.
	Address string
	TLS     *tls.Config
	// Corpus is what is sent.
	Corpus *population.Corpus
	// Check says how closely answers are looked at. Optional. Defaults to [population.CheckCode].
	Check population.Check
	// Hands are what actions move.
	Hands Hands
	// Whole is the scenario as its file has it, where this one is scaled. Optional.
	Whole *Scenario
	// Scale is the factor of its rates; 0 is 1.
	Scale float64
	// Threads, Spin and MaxLateness are those of [attack.Config].
	Threads     int
	Spin        bool
	MaxLateness time.Duration
	// MaxBytes bounds the memory of the requests; 0 is [population.DefaultMaxBytes].
	MaxBytes int64
	// Progress is told of every second of the load. Optional.
	Progress func(attack.Interval)
}

// Run makes the load of a scenario and does what it says meanwhile. The error is [ErrHands], [ErrOptions], one of the
// corpus, or that of [attack.Run]; whatever happens in the load is in the result.
func (s *Scenario) Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.Hands.Can(s); err != nil {
		return nil, err
	}
	schedule, err := s.Load.Schedule()
	if err != nil {
		return nil, err
	}
	c := newCourse(len(s.Actions))
	src, err := s.newSource(o.Corpus, population.SourceConfig{Check: o.Check, MaxBytes: o.MaxBytes}, c)
	if err != nil {
		return nil, err
	}
	actors := &actors{scenario: s, hands: o.Hands, course: c}
	if err := actors.prepare(o.Corpus, src); err != nil {
		return nil, err
	}
	if err := o.Corpus.Fresh(time.Now().Add(s.Load.Duration)); err != nil {
		return nil, err
	}
	warmed, err := s.warmUp(ctx, o, src)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("ended before the load began: %w", ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	if err := s.awaitCutover(ctx, o.Hands.Cutover); err != nil {
		return nil, err
	}
	loading, cancel := context.WithCancel(ctx)
	defer cancel()
	actors.start(loading)
	measured, err := attack.Run(ctx, attack.Config{
		Address: o.Address, TLS: o.TLS, Source: src, Schedule: &schedule,
		Connections: s.Connections, NewConnectionsPerSecond: s.NewConnectionsPerSecond, Timeout: s.Timeout,
		Threads: o.Threads, Spin: o.Spin, MaxLateness: o.MaxLateness, Interval: interval(s.Load.Duration), Progress: o.Progress, Begun: c.begin,
	})
	cancel()
	done := actors.wait(ctx)
	if err != nil {
		return nil, err
	}
	return s.result(o, src, done, warmed, measured), nil
}

// interval is how often a point of the series ends: each second, or more often in a short run.
func interval(d time.Duration) time.Duration {
	return max(min(time.Second, d/10), 50*time.Millisecond)
}

// Cutover says how long after the beginning of the load the rule for citizens begins to hold, and whether it does.
func (s *Scenario) Cutover() (at time.Duration, is bool) {
	if i := s.action(DoCutover); i >= 0 {
		return s.Actions[i].At, true
	}
	return 0, false
}

// awaitCutover waits until the load has to begin for the cutover to come at its time.
func (s *Scenario) awaitCutover(ctx context.Context, cutover time.Time) error {
	i := s.action(DoCutover)
	if i < 0 {
		return nil
	}
	wait := time.Until(cutover.Add(-s.Actions[i].At - openAllowance))
	if wait < 0 {
		return fmt.Errorf("%w: it would come %v before its time in the load, %v: let it come later", ErrTooLate, round(-wait), s.Actions[i].At)
	}
	if !sleep(ctx, wait) {
		return ctx.Err()
	}
	return nil
}

// result puts together what was found.
func (s *Scenario) result(o Options, src *source, done []ActionResult, warmed, measured *attack.Result) *Result {
	whole := o.Whole
	if whole == nil {
		whole = s
	}
	r := &Result{
		Name: s.Name, Title: s.Title, Basis: s.Basis,
		Scale: o.Scale, Whole: whole.extent(), Ran: s.ran(&o.Corpus.Manifest), Differences: s.differences(&o.Corpus.Manifest),
		Stand: o.Hands.Machines != nil, AnswersChecked: string(o.Check),
		WarmUpRequests: warmed.Answered, WarmUpWrongVerdicts: warmed.WrongVerdicts, WarmUpFailed: warmed.Failed, WarmUpFailures: warmed.Failures,
		Allowed: src.allowed(), Actions: done, Attack: measured,
	}
	if r.Scale == 0 {
		r.Scale = 1
	}
	r.Scaled = r.Scale != 1 || r.Whole.DurationSeconds != r.Ran.DurationSeconds
	if r.Stand {
		r.Replicas = s.Replicas
	}
	if r.AnswersChecked == "" {
		r.AnswersChecked = string(population.CheckCode)
	}
	r.Checks = s.Thresholds.check(r, src.spared.Load())
	for i := range s.Expect {
		r.Rules = append(r.Rules, RuleResult{"expect " + s.Expect[i].text(), src.expect[i].taken.Load()})
	}
	for i := range s.Allow {
		r.Rules = append(r.Rules, RuleResult{"allow " + s.Allow[i].text(), src.allow[i].taken.Load()})
	}
	for i := range done {
		if done[i].Do == DoRotateKey {
			done[i].NewKeyRequests = src.rotation.sent.Load()
		}
		r.Checks = append(r.Checks, done[i].checks(&s.Actions[i])...)
	}
	r.Checks = append(r.Checks, Check{"course", "to its end", map[bool]string{true: "interrupted", false: "to its end"}[measured.Interrupted], !measured.Interrupted})
	r.judge()
	return r
}
