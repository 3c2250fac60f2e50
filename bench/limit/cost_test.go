package limit

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestCostIsThatOfTrialsAboutTheLimitThatKeptTheObjective(t *testing.T) {
	t.Parallel()
	f := func(v float64) *float64 { return &v }
	n := func(v int64) *int64 { return &v }
	trials := []Trial{
		{RatePerSecond: 100, Outcome: OutcomeKept, CPUCores: f(9), CPUMicrosecondsPerRequest: f(900), PeakRSSBytes: n(1 << 40)},
		{RatePerSecond: 1000, Outcome: OutcomeKept, CPUCores: f(0.1), CPUMicrosecondsPerRequest: f(100), PeakRSSBytes: n(5)},
		{RatePerSecond: 1000, Outcome: OutcomeKept, CPUCores: f(0.12), CPUMicrosecondsPerRequest: f(120), PeakRSSBytes: n(7)},
		{RatePerSecond: 1000, Outcome: OutcomeKept},
		{RatePerSecond: 1100, Outcome: OutcomeBroken, CPUCores: f(9), CPUMicrosecondsPerRequest: f(900)},
	}
	c := cost(1050, 1000, trials, 0.95)
	// 110 ± t(0.975, 1 degree) × 14.142 / √2, which is 12.706 × 10, and no less than 0.
	if c.Trials != 2 || c.CPUMicrosecondsPerRequest != 110 || *c.CPUMicrosecondsPerRequestLow != 0 || math.Abs(*c.CPUMicrosecondsPerRequestHigh-(110+127.06)) > 0.01 || *c.PeakRSSBytes != 7 || c.RatePerSecond != 1000 {
		t.Errorf("%+v, to %v", c, *c.CPUMicrosecondsPerRequestHigh)
	}
	if c := cost(1050, 1000, trials[:2], 0.95); c.Trials != 1 || c.CPUMicrosecondsPerRequestLow != nil {
		t.Errorf("one trial has an interval: %+v", c)
	}
	if c := cost(1050, 1000, trials[:1], 0.95); c != nil {
		t.Errorf("no trial has a cost: %+v", c)
	}
}

func TestIntervalOfCostContainsItAsOftenAsItClaims(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	missed := 0
	for range 1000 {
		var trials []Trial
		for range 6 {
			v, cores := 100+5*rng.NormFloat64(), 1.0
			trials = append(trials, Trial{RatePerSecond: 1000, Outcome: OutcomeKept, CPUCores: &cores, CPUMicrosecondsPerRequest: &v})
		}
		if c := cost(1000, 1000, trials, 0.95); *c.CPUMicrosecondsPerRequestLow > 100 || *c.CPUMicrosecondsPerRequestHigh < 100 {
			missed++
		}
	}
	if missed < 30 || missed > 72 {
		t.Errorf("%d of 1000 missed, want about 50", missed)
	}
}
