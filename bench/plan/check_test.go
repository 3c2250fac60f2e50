package plan

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
)

func TestTheFormulasAgreeWithTheSimulation(t *testing.T) {
	t.Parallel()
	for name, in := range inputs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in.Population.Surges = in.Population.Surges[1:]
			r, err := Make(in, DefaultCost())
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Simulate(11, 200_000, Random); err != nil {
				t.Fatal(err)
			}
			for _, tier := range r.Tiers {
				if want := 6; in.Deployment.Zones > 1 && len(tier.Simulation.Comparisons) != want {
					t.Errorf("%d comparisons, want %d", len(tier.Simulation.Comparisons), want)
				}
				for _, c := range tier.Simulation.Comparisons {
					if c.Exceeds(10) {
						t.Errorf("%s: %s: formula %v, simulated %v: %s", tier.Name, c.What, c.Predicted, c.Found, c.ErrorText())
					}
				}
			}
		})
	}
}

// A plan whose formulas are altered after it was made disagrees with the simulation by more than chance.
func TestAFormulaThatIsWrongIsFound(t *testing.T) {
	t.Parallel()
	in, cost := DefaultInput(), DefaultCost()
	r, err := Make(in, cost)
	if err != nil {
		t.Fatal(err)
	}
	tier := &r.Tiers[len(r.Tiers)-1]
	l, err := loadOf(&in, &cost, tier.LoginsPerSecond)
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.simulate(&in, tier, 3, fewestRequests, Random)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(l *load)
		finds int // of the comparisons of a state: utilisation, new tokens, waits
	}{
		"requests cost more":   {func(l *load) { l.warm, l.cold = 1.2*l.warm, 1.2*l.cold }, 0},
		"more tokens":          {func(l *load) { l.tokens *= 1.3 }, 1},
		"fewer cores carry it": {func(l *load) { l.effective *= 0.8 }, 2},
	} {
		wrong := l
		c.spoil(&wrong)
		check := Simulation{Balance: Random}
		found := Found{
			Requests: 35_000, Cold: int64(35_000 * s.Comparisons[1].Found / 100),
			BusyShare: l.at(float64(tier.Replicas)).utilisation, waits: newStretches(0, 1).waits[0],
		}
		found.BusyShareError, found.ColdShareError = s.Comparisons[0].StandardError/100, s.Comparisons[1].StandardError/100
		check.compare(&wrong, tier.Replicas, "", &found)
		if got := check.Comparisons[c.finds]; !got.Exceeds(10) {
			t.Errorf("%s: %s: %v by the formula, %v found, standard error %v: %s", name, got.What, got.Predicted, got.Found, got.StandardError, got.ErrorText())
		}
	}
}

// Of a hundred thousand requests a few or none are new where a token is used a hundred thousand times.
func TestChanceIsNoErrorOfTheFormulas(t *testing.T) {
	t.Parallel()
	in := DefaultInput()
	in.Population.VerificationsPerLogin, in.Population.LoginsPerDay, in.Population.Surges = 1e5, 1000, nil
	r, err := Make(in, DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	nothing := false
	for seed := range uint64(3) {
		if err := r.Simulate(seed, fewestRequests, Random); err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Tiers[0].Simulation.Comparisons {
			nothing = nothing || c.Found == 0
			if c.Exceeds(10) {
				t.Errorf("seed %d: %s: %v by the formula, %v found, standard error %v", seed, c.What, c.Predicted, c.Found, c.StandardError)
			}
			if (c.ErrorPercent == nil) != (c.Found == 0) {
				t.Errorf("seed %d: %s: %v found, an error of %s", seed, c.What, c.Found, c.ErrorText())
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("the plan cannot be written: %v", err)
		}
	}
	if !nothing {
		t.Error("nothing was tested: new tokens were found every time")
	}
}

// The spread over seeds is what standard errors say that it is.
func TestStandardErrorsAreTheSpreadOverSeeds(t *testing.T) {
	t.Parallel()
	const seeds = 24
	var cold, busy, wait, coldError, busyError, waitError []float64
	for seed := range uint64(seeds) {
		w := World{
			Seed: seed, Seconds: 110, WarmupSeconds: 10, PeakPerSecond: 400, Zones: 1, ReplicasPerZone: 5, Servers: 2, Balance: Random,
			WarmSeconds: 15e-3, ColdSeconds: 30e-3, UsesPerToken: 20, Draws: 20, LiveTokens: 300,
		}
		f, _ := simulate(t, w)
		cold, coldError = append(cold, float64(f.Cold)/float64(f.Requests)), append(coldError, f.ColdShareError)
		busy, busyError = append(busy, f.BusyShare), append(busyError, f.BusyShareError)
		wait, waitError = append(wait, f.WaitQuantile(0.99)), append(waitError, f.WaitP99Error)
	}
	for what, c := range map[string]struct{ values, errors []float64 }{
		"share of cold requests": {cold, coldError}, "busy share": {busy, busyError}, "p99 of waits": {wait, waitError},
	} {
		// The spread of so few is known to a third or so.
		near(t, what, stat.Mean(c.errors, nil), stat.StdDev(c.values, nil), 0.5)
	}
}

func TestAnErrorIsMoreThanThatWhichIsAllowedAndChance(t *testing.T) {
	t.Parallel()
	c := compare("", "", 120, 100)
	if !c.Exceeds(19.9) || c.Exceeds(20.1) {
		t.Errorf("an error of 20%% is %s", c.ErrorText())
	}
	if c = compare("", "", math.NaN(), 100); !c.Exceeds(1e9) {
		t.Error("what is no number exceeds nothing")
	}
	if c = compare("", "", 120, 100); c.Exceeds(20.1) {
		t.Error("too much")
	}
	c.Bound = true
	if c.Exceeds(1) {
		t.Error("a bound may be higher")
	}
	if c = compare("", "", 80, 100); !c.Exceeds(19) {
		t.Error("a bound must not be lower")
	}
	c.StandardError = 3
	if c.Exceeds(11.1) || !c.Exceeds(10.9) {
		t.Error("an error of 20 is not one of 11% and three standard errors of 3")
	}
}

func TestTooFewRequestsToJudgeByAreRefused(t *testing.T) {
	t.Parallel()
	r, err := Make(DefaultInput(), DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	for _, requests := range []float64{0, fewestRequests - 1, mostRequests + 1, math.NaN()} {
		if err := r.Simulate(1, requests, Random); !errors.Is(err, ErrInput) {
			t.Errorf("%v requests: error %v", requests, err)
		}
	}
}
