package plan

import (
	"math"
	"testing"
)

// near fails where got is further from want than a share of it.
func near(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if !(math.Abs(got-want) <= share*math.Abs(want)) {
		t.Errorf("%s: got %v, want %v within %v%%", what, got, want, 100*share)
	}
}

// Values of Erlang's C from tables of traffic engineering.
func TestErlangCIsThatOfTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		servers    int
		load, want float64
	}{
		{1, 0.5, 0.5}, // M/M/1: ρ
		{2, 1, 1.0 / 3},
		{3, 2, 4.0 / 9},
		{10, 8, 0.40918},
		{100, 90, 0.21689},
	} {
		q := Queue{Servers: c.servers, ServiceSeconds: 1}
		near(t, "share that waits", q.WaitShare(c.load), c.want, 1e-3)
	}
}

func TestWaitsOfOneServerAreThoseOfPollaczekAndKhinchine(t *testing.T) {
	t.Parallel()
	for _, rho := range []float64{0.1, 0.5, 0.9} {
		exponential := Queue{Servers: 1, ServiceSeconds: 2, Variability: 1}
		near(t, "M/M/1", exponential.MeanWait(rho/2), rho/(1-rho)*2, 1e-12)
		constant := Queue{Servers: 1, ServiceSeconds: 2}
		near(t, "M/D/1", constant.MeanWait(rho/2), rho/(1-rho), 1e-12)
		// P(W > t) = ρ·exp(-(μ-λ)t).
		near(t, "p99 of M/M/1", exponential.WaitQuantile(rho/2, 0.99), max(0, math.Log(rho/0.01)*2/(1-rho)), 1e-9)
	}
}

func TestAQueueWithTooFewServersWaitsWithoutEnd(t *testing.T) {
	t.Parallel()
	q := Queue{Servers: 2, ServiceSeconds: 1}
	if wait := q.WaitQuantile(2, 0.99); !math.IsInf(wait, 1) {
		t.Errorf("p99 of a full queue is %v", wait)
	}
	if wait := q.MeanWait(2.5); !math.IsInf(wait, 1) {
		t.Errorf("mean of a full queue is %v", wait)
	}
}

func TestHighestRateKeepsItsObjectiveAndNoMore(t *testing.T) {
	t.Parallel()
	q := Queue{Servers: 4, ServiceSeconds: 50e-6, Variability: 0.3}
	rate := q.HighestRate(5e-3, 0.99)
	near(t, "p99 at the highest rate", q.WaitQuantile(rate, 0.99)+q.ServiceSeconds, 5e-3, 1e-6)
	if got := q.HighestRate(10e-6, 0.99); got != 0 {
		t.Errorf("an objective below a single request's time gives %v/s", got)
	}
}
