package plan

import (
	"fmt"
	"math"
)

// Comparison is a prediction of the formulas beside what was found.
type Comparison struct {
	What      string  `json:"what"`
	Unit      string  `json:"unit"`
	Predicted float64 `json:"predicted"`
	Found     float64 `json:"found"`
	// StandardError is how far what was found may be off by chance, one standard error, in Unit; 0 where that is not
	// known.
	StandardError float64 `json:"standard_error,omitzero"`
	// ErrorPercent is by how much the prediction exceeds what was found, in % of that; nil where something was
	// predicted and nothing found.
	ErrorPercent *float64 `json:"error_percent"`
	// Bound says that the prediction is meant to be no less, not to be equal.
	Bound bool `json:"bound,omitzero"`
}

// byChance is how many standard errors what was found may be off: more is chance once in a few hundred times.
const byChance = 3

// Exceeds reports whether the prediction is further from what was found than so many % of that and three standard
// errors.
func (c *Comparison) Exceeds(percent float64) bool {
	// Written so that what is no number exceeds.
	return !(c.off() <= percent/100*math.Abs(c.Found)+byChance*c.StandardError)
}

// off is how far the prediction is from what it is meant to be.
func (c *Comparison) off() float64 {
	if c.Bound {
		return math.Max(c.Found-c.Predicted, 0)
	}
	return math.Abs(c.Predicted - c.Found)
}

// OffPercent is how far the prediction is from what it is meant to be, in % of what was found, chance included; 0 where
// nothing was found.
func (c *Comparison) OffPercent() float64 {
	switch {
	case c.ErrorPercent == nil:
		return 0
	case c.Bound:
		return math.Max(-*c.ErrorPercent, 0)
	}
	return math.Abs(*c.ErrorPercent)
}

// ErrorText is ErrorPercent for people.
func (c *Comparison) ErrorText() string {
	if c.ErrorPercent == nil {
		return "-"
	}
	if text := fmt.Sprintf("%+.1f%%", *c.ErrorPercent); text != "-0.0%" {
		return text
	}
	return "+0.0%"
}

func compare(what, unit string, predicted, found float64) Comparison {
	c := Comparison{What: what, Unit: unit, Predicted: predicted, Found: found}
	switch {
	case predicted == found:
		c.ErrorPercent = new(0.0)
	case found != 0:
		c.ErrorPercent = new((predicted/found - 1) * 100)
	}
	return c
}

// Simulation is a tier played through, and how the formulas compare with it.
type Simulation struct {
	Seed        uint64       `json:"seed"`
	Balance     Balance      `json:"balance"`
	Requests    int64        `json:"requests"`
	Seconds     float64      `json:"seconds"`
	Cut         int64        `json:"requests_cut_by_the_lost_zone"`
	Comparisons []Comparison `json:"comparisons"`
}

// What is compared of a simulation.
const (
	// settling is the share of each half that is not counted: the replicas that are left meet all tokens anew.
	settling = 0.3
	// fewestLive keeps tokens from running out by chance.
	fewestLive = 200
	// fewestRequests are enough for percentiles of each stretch that standard errors are from.
	fewestRequests = 1e5
)

// Simulate plays every tier through with so many requests, one zone lost in the middle, and notes how the formulas
// compare. Errors wrap [ErrInput].
func (r *Result) Simulate(seed uint64, requests float64, balance Balance) error {
	if err := within("requests", requests, fewestRequests, mostRequests); err != nil {
		return err
	}
	if balance != Random && balance != LeastLoaded {
		return &fault{"balance", string(balance), "random or least_loaded"}
	}
	for i := range r.Tiers {
		t := &r.Tiers[i]
		l, err := loadOf(&r.Input, &r.Cost, t.LoginsPerSecond)
		if err != nil {
			return err
		}
		s, err := l.simulate(&r.Input, t, seed, requests, balance)
		if err != nil {
			return err
		}
		t.Simulation = s
	}
	return nil
}

func (l *load) simulate(in *Input, t *Tier, seed uint64, requests float64, balance Balance) (*Simulation, error) {
	seconds := requests / l.requests
	w := World{
		Seed: seed, Seconds: seconds, PeakPerSecond: l.requests, Balance: balance,
		Zones: t.Zones, ReplicasPerZone: t.ReplicasPerZone, Servers: t.CoresPerReplica,
		WarmSeconds: l.onServer(l.warm) / 1e6, ColdSeconds: l.onServer(l.cold) / 1e6,
		UsesPerToken: l.requests / l.tokens, Draws: l.draws, WarmupSeconds: settling * seconds,
	}
	if t.Zones > 1 {
		w.LoseZoneAt, w.WarmupSeconds = seconds/2, settling*seconds/2
	}
	// So few that they are all replaced by others while the world settles. How many there are changes nothing else.
	w.LiveTokens = max(int(w.WarmupSeconds*l.tokens/2), fewestLive)
	// How much a bounded cache forgets is a formula of its own, tested on its own.
	w.ForgottenShare = 1 - l.at(float64(t.Replicas)).hits
	w.ForgottenAfterLoss = 1 - l.at(float64(max(t.Replicas-t.ReplicasPerZone, 1))).hits
	before, after, err := Simulate(w)
	if err != nil {
		return nil, err
	}
	s := &Simulation{Seed: seed, Balance: balance, Requests: before.Requests, Seconds: seconds}
	s.compare(l, t.Replicas, "all in service", before)
	if after != nil {
		s.Requests += after.Requests
		s.Cut = after.Cut
		s.compare(l, t.Replicas-t.ReplicasPerZone, "one zone lost", after)
	}
	return s, nil
}

// compare compares what r replicas met with the formulas.
func (s *Simulation) compare(l *load, r int, when string, found *Found) {
	m := l.at(float64(r))
	q := l.queue(m)
	rate := l.requests / float64(r)
	// The background is in the utilisation, and no work that arrives.
	work := 100 * (l.effective - l.background) / l.effective
	busy := compare("utilisation, "+when, "%", 100*m.utilisation, work*found.BusyShare+100*l.background/l.effective)
	busy.StandardError = work * found.BusyShareError
	requests := math.Max(float64(found.Requests), 1)
	fresh := compare("share of new tokens, "+when, "%", 100*m.share, 100*float64(found.Cold)/requests)
	// Of few, or none where some were to be expected, the spread says too little: a count varies by its square root.
	count := math.Max(float64(found.Cold), m.share*requests)
	fresh.StandardError = 100 * math.Max(found.ColdShareError, math.Sqrt(count)/requests)
	waits := compare("p99 of wait and mean service, "+when, "µs",
		(q.WaitQuantile(rate, 0.99)+q.ServiceSeconds)*1e6, (found.WaitQuantile(0.99)+q.ServiceSeconds)*1e6)
	waits.StandardError = found.WaitP99Error * 1e6
	// A balancer that looks at the load, and may, does better than the formula's chance.
	waits.Bound = s.Balance == LeastLoaded && l.draws*l.tokens >= l.requests
	s.Comparisons = append(s.Comparisons, busy, fresh, waits)
}
