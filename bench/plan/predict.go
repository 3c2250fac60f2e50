package plan

import (
	"math"
)

// Highest is a highest rate that was measured.
type Highest struct {
	Name string
	// PerSecond was found on a process with Cores, of whose requests ColdShare were new tokens, signed with
	// Algorithms in shares that sum to 1.
	PerSecond, Cores, ColdShare float64
	Algorithms                  map[string]float64
	// Objectives bound the gateway's own time, all of them; empty where nothing did.
	Objectives []Objective
	// AtLeast says that the highest rate is that or more.
	AtLeast bool
}

// Objective bounds the time that the share Quantile of requests, between 0 and 1, takes.
type Objective struct {
	Quantile, Seconds float64
}

func (h *Highest) validate() error {
	type bound struct {
		field                  string
		value, lowest, highest float64
	}
	bounds := []bound{
		{"rate of " + h.Name, h.PerSecond, 1e-3, 1e12},
		{"cores of " + h.Name, h.Cores, 0.01, 1024},
		{"cold share of " + h.Name, h.ColdShare, 0, 1},
	}
	for _, o := range h.Objectives {
		bounds = append(bounds,
			bound{"quantile of an objective of " + h.Name, o.Quantile, 1e-6, 1 - 1e-6},
			bound{"seconds of an objective of " + h.Name, o.Seconds, 1e-9, 3600})
	}
	for _, b := range bounds {
		if err := within(b.field, b.value, b.lowest, b.highest); err != nil {
			return err
		}
	}
	return nil
}

// Predict compares the highest rate that the cost gives, at which every objective is kept, with one that was measured.
// The error wraps [ErrInput].
func (c *Cost) Predict(h Highest) (Comparison, error) {
	cold, _, err := c.coldMicroseconds(h.Algorithms)
	if err != nil && h.ColdShare > 0 {
		return Comparison{}, err
	}
	if err := h.validate(); err != nil {
		return Comparison{}, err
	}
	worth := c.Scaling.EffectiveCores(math.Max(h.Cores, 1)) * math.Min(h.Cores, 1)
	if worth <= c.Background.Value {
		return Comparison{}, &fault{"cores of " + h.Name, number(h.Cores), "worth more than background_cores, " + number(c.Background.Value)}
	}
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
	for _, o := range h.Objectives {
		predicted = math.Min(predicted, q.HighestRate(o.Seconds, o.Quantile))
	}
	comparison := compare("highest rate of "+h.Name, "requests/s", predicted, h.PerSecond)
	comparison.Bound = h.AtLeast
	return comparison, nil
}
