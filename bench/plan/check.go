package plan

import (
	"math"
)

// Comparison is a prediction of the formulas beside what was found.
type Comparison struct {
	What      string  `json:"what"`
	Unit      string  `json:"unit"`
	Predicted float64 `json:"predicted"`
	Found     float64 `json:"found"`
	// ErrorPercent is by how much the prediction exceeds what was found, in % of that.
	ErrorPercent float64 `json:"error_percent"`
	// Bound says that the prediction is meant to be no less, not to be equal.
	Bound bool `json:"bound,omitzero"`
}

// Exceeds reports whether the prediction is further from what was found than so many %.
func (c *Comparison) Exceeds(percent float64) bool {
	if c.Bound {
		return c.ErrorPercent < -percent
	}
	// Written so that an error that is no number exceeds.
	return !(math.Abs(c.ErrorPercent) <= percent)
}

func compare(what, unit string, predicted, found float64) Comparison {
	c := Comparison{What: what, Unit: unit, Predicted: predicted, Found: found}
	if predicted != found {
		c.ErrorPercent = (predicted/found - 1) * 100
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
)

// Simulate plays every tier through with so many requests, one zone lost in the middle, and notes how the formulas
// compare. Errors wrap [ErrInput].
func (r *Result) Simulate(seed uint64, requests float64, balance Balance) error {
	if err := within("requests", requests, 1e4, mostRequests); err != nil {
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
	busy := (found.BusyShare*(l.effective-l.background) + l.background) / l.effective
	waits := compare("p99 of wait and mean service, "+when, "µs",
		(q.WaitQuantile(rate, 0.99)+q.ServiceSeconds)*1e6, (found.WaitQuantile(0.99)+q.ServiceSeconds)*1e6)
	// A balancer that looks at the load, and may, does better than the formula's chance.
	waits.Bound = s.Balance == LeastLoaded && l.draws*l.tokens >= l.requests
	s.Comparisons = append(s.Comparisons,
		compare("utilisation, "+when, "%", 100*m.utilisation, 100*busy),
		compare("share of new tokens, "+when, "%", 100*m.share, 100*float64(found.Cold)/float64(found.Requests)),
		waits)
}

// Highest is a highest rate that was measured.
type Highest struct {
	Name string
	// PerSecond was found on a process with Cores, of whose requests ColdShare were new tokens, signed with
	// Algorithms in shares that sum to 1.
	PerSecond, Cores, ColdShare float64
	Algorithms                  map[string]float64
	// ObjectiveSeconds bounds Quantile, 0 to 1, of the gateway's own time; 0 where there was no such bound.
	ObjectiveSeconds, Quantile float64
	// AtLeast says that the highest rate is that or more.
	AtLeast bool
}

// Predict compares the highest rate that the cost gives with one that was measured. The error wraps [ErrInput].
func (c *Cost) Predict(h Highest) (Comparison, error) {
	cold, _, err := c.coldMicroseconds(h.Algorithms)
	if err != nil && h.ColdShare > 0 {
		return Comparison{}, err
	}
	for _, b := range []struct {
		field                  string
		value, lowest, highest float64
	}{
		{"rate of " + h.Name, h.PerSecond, 1e-3, 1e12},
		{"cores of " + h.Name, h.Cores, 0.01, 1024},
		{"cold share of " + h.Name, h.ColdShare, 0, 1},
	} {
		if err := within(b.field, b.value, b.lowest, b.highest); err != nil {
			return Comparison{}, err
		}
	}
	worth := c.Scaling.EffectiveCores(math.Max(h.Cores, 1)) * math.Min(h.Cores, 1)
	warm := c.WarmRequest.Value
	mean := warm
	if h.ColdShare > 0 {
		mean += h.ColdShare * (cold - warm)
	}
	servers := max(int(math.Round(h.Cores)), 1)
	q := Queue{
		Servers: servers, ServiceSeconds: mean / 1e6 * float64(servers) / (worth - c.Background.Value),
		Variability: variability(h.ColdShare, warm, cold, mean),
	}
	predicted := float64(servers) / q.ServiceSeconds
	if h.ObjectiveSeconds > 0 && h.Quantile > 0 && h.Quantile < 1 {
		predicted = q.HighestRate(h.ObjectiveSeconds, h.Quantile)
	}
	comparison := compare("highest rate of "+h.Name, "requests/s", predicted, h.PerSecond)
	comparison.Bound = h.AtLeast
	return comparison, nil
}
