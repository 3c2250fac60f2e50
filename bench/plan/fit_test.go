package plan

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// runs are what a gateway of a known cost would show, with noise of a share.
func runs(noise float64, colds ...float64) []Sample {
	draw := rand.New(rand.NewPCG(4, 2))
	var list []Sample
	for i, cold := range colds {
		rate := 4000 + 3000*float64(i%3)
		s := Sample{
			Name: "run", PerSecond: rate, ColdPerSecond: map[string]float64{"ES256": rate * cold}, Cores: 1,
			CachedTokens: 50_000 * float64(1+i%4), Connections: 500 * float64(1+i%2), Revocations: 1e6 * float64(i%3),
		}
		s.BusyCores = (0.02 + (s.PerSecond*(1-cold)*40+s.PerSecond*cold*150)/1e6) * (1 + noise*draw.NormFloat64())
		s.MemoryBytes = (40e6 + 600*s.CachedTokens + 25_000*s.Connections + 35*s.Revocations) * (1 + noise*draw.NormFloat64())
		list = append(list, s)
	}
	return list
}

func TestCostsAreRecoveredFromRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ noise, within float64 }{{0, 1e-6}, {0.01, 0.1}} {
		got, err := FitCost(DefaultCost(), "test", runs(c.noise, 0, 0.1, 0.3, 0.5, 0.8, 1, 0, 0.2, 0.6, 0.9, 0.4, 0.7))
		if err != nil {
			t.Fatal(err)
		}
		near(t, "warm", got.WarmRequest.Value, 40, c.within)
		near(t, "cold", got.ColdRequest["ES256"].Value, 150, c.within)
		near(t, "token", got.CachedToken.Value, 600, c.within)
		near(t, "connection", got.BusyConnection.Value, 25_000, 3*c.within)
		near(t, "revocation", got.Revocation.Value, 35, c.within)
		if c.noise == 0 {
			near(t, "background", got.Background.Value, 0.02, 1e-6)
			near(t, "base", got.Base.Value, 40e6, 1e-6)
		}
		if got.WarmRequest.Kind != Measured || got.Key.Kind != Assumed || got.ColdRequest["RS256"].Kind != Derived {
			t.Errorf("kinds: warm %s, key %s, RS256 %s", got.WarmRequest.Kind, got.Key.Kind, got.ColdRequest["RS256"].Kind)
		}
		if got.Fit.CPURSquared == nil || *got.Fit.CPURSquared < 0.98 || got.Fit.MemoryRSquared == nil || *got.Fit.MemoryRSquared < 0.98 {
			t.Errorf("goodness %+v", got.Fit)
		}
	}
}

func TestWhatRunsDoNotTellStaysAsItWas(t *testing.T) {
	t.Parallel()
	before := DefaultCost()
	// All warm, at one rate: neither cold nor background can be told.
	got, err := FitCost(before, "test", []Sample{{PerSecond: 10_000, BusyCores: 0.41}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "warm, background taken off", got.WarmRequest.Value, 40, 1e-9)
	if got.Background != before.Background || got.Base != before.Base || got.ColdRequest["RS256"] != before.ColdRequest["RS256"] {
		t.Error("something was fitted that the run does not tell")
	}
	if got.Fit.CPURSquared != nil {
		t.Error("one run has a goodness of fit")
	}
	if before.WarmRequest.Value != 44.5 {
		t.Error("the cost that was given was changed")
	}
}

// As a closed loop has it: one full core, whatever the mix.
func TestRunsAtFullSpeedDoNotTellTheBackground(t *testing.T) {
	t.Parallel()
	before := DefaultCost()
	got, err := FitCost(before, "test", []Sample{
		{PerSecond: 15_000, BusyCores: 0.91},
		{PerSecond: 8_400, ColdPerSecond: map[string]float64{"ES256": 3_600}, BusyCores: 0.98},
		{PerSecond: 4_900, ColdPerSecond: map[string]float64{"ES256": 4_900}, BusyCores: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "warm", got.WarmRequest.Value, 60, 0.1)
	near(t, "cold", got.ColdRequest["ES256"].Value, 200, 0.1)
	if got.Background != before.Background {
		t.Errorf("background %+v", got.Background)
	}
}

func TestRunsWithOneMixDoNotTellWarmFromCold(t *testing.T) {
	t.Parallel()
	got, err := FitCost(DefaultCost(), "test", []Sample{
		{PerSecond: 1000, ColdPerSecond: map[string]float64{"RS256": 200}, BusyCores: 0.07},
		{PerSecond: 2000, ColdPerSecond: map[string]float64{"RS256": 400}, BusyCores: 0.13},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.ColdRequest["RS256"].Kind == Measured {
		t.Errorf("cold was fitted to one mix: %+v", got.ColdRequest["RS256"])
	}
}

func TestNoCostIsLessThanNothing(t *testing.T) {
	t.Parallel()
	// The more is cold the less it costs: noise, or a fault of the runs.
	got, err := FitCost(DefaultCost(), "test", []Sample{
		{PerSecond: 1000, ColdPerSecond: map[string]float64{"RS256": 0}, BusyCores: 0.9},
		{PerSecond: 1000, ColdPerSecond: map[string]float64{"RS256": 500}, BusyCores: 0.5},
		{PerSecond: 1000, ColdPerSecond: map[string]float64{"RS256": 1000}, BusyCores: 0.1},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.ColdRequest["RS256"].Value < got.WarmRequest.Value {
		t.Errorf("cold %v µs, warm %v µs", got.ColdRequest["RS256"].Value, got.WarmRequest.Value)
	}
}

func TestRunsWithoutATargetTellNoCost(t *testing.T) {
	t.Parallel()
	for _, samples := range [][]Sample{nil, {{PerSecond: 100}}, {{BusyCores: 1}}} {
		if _, err := FitCost(DefaultCost(), "test", samples); !errors.Is(err, ErrSamples) {
			t.Errorf("error %v", err)
		}
	}
}

func TestScalingIsRecoveredFromRates(t *testing.T) {
	t.Parallel()
	known := Scaling{Sigma: Figure{Value: 0.05}, Kappa: Figure{Value: 0.002}}
	var found []Throughput
	for _, n := range []float64{8, 1, 2, 4, 16} {
		found = append(found, Throughput{n, 20_000 * known.EffectiveCores(n)})
	}
	got := FitScaling(Scaling{}, "test", found)
	near(t, "σ", got.Sigma.Value, 0.05, 1e-6)
	near(t, "κ", got.Kappa.Value, 0.002, 1e-6)
	near(t, "one core", got.OneCore, 20_000, 1e-6)
	if got.RSquared == nil || *got.RSquared < 1-1e-9 {
		t.Errorf("R² %v", got.RSquared)
	}
	if got.Points[0].Cores != 1 || len(got.Points) != 5 {
		t.Errorf("points %+v", got.Points)
	}
}

func TestScalingSaysWhatWasNotMeasured(t *testing.T) {
	t.Parallel()
	prior := DefaultCost().Scaling
	one := FitScaling(prior, "test", []Throughput{{2, 30_000}})
	if one.Sigma.Kind != Assumed || one.Kappa.Kind != Assumed || one.Sigma.Value != prior.Sigma.Value || !strings.Contains(one.Sigma.Source, "2 cores only") {
		t.Errorf("one number of cores: %+v", one)
	}
	near(t, "one core", one.OneCore, 30_000/prior.EffectiveCores(2), 1e-9)
	two := FitScaling(prior, "test", []Throughput{{1, 20_000}, {2, 36_000}})
	if two.Sigma.Kind != Measured || two.Kappa.Kind != Assumed || two.Kappa.Value != 0 {
		t.Errorf("two numbers of cores: %+v", two)
	}
	near(t, "σ", two.Sigma.Value, 1/0.9-1, 1e-6)
	if none := FitScaling(prior, "test", []Throughput{{0, 1}, {1, math.Inf(1)}}); len(none.Points) > 0 || none.Sigma != prior.Sigma {
		t.Errorf("nothing of use: %+v", none)
	}
}

func TestCoresThatGainMoreThanTheyAreDoNotScaleBackwards(t *testing.T) {
	t.Parallel()
	// Better than linear, as noise has it: no cost of scaling is less than nothing.
	got := FitScaling(Scaling{}, "test", []Throughput{{1, 10_000}, {2, 21_000}, {4, 44_000}})
	if got.Sigma.Value != 0 || got.Kappa.Value != 0 {
		t.Errorf("σ %v, κ %v", got.Sigma.Value, got.Kappa.Value)
	}
}
