package plan

import (
	"errors"
	"math"
	"testing"
)

func TestPredictionsAreThoseOfTheCost(t *testing.T) {
	t.Parallel()
	c := DefaultCost()
	c.WarmRequest.Value, c.Background.Value = 50, 0
	got, err := c.Predict(Highest{Name: "one", PerSecond: 16_000, Cores: 1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "full core", got.Predicted, 20_000, 1e-12)
	near(t, "error", *got.ErrorPercent, 25, 1e-9)
	tight, err := c.Predict(Highest{Name: "one", PerSecond: 16_000, Cores: 1, Objectives: []Objective{{0.99, 200e-6}}})
	if err != nil {
		t.Fatal(err)
	}
	if !(tight.Predicted > 0 && tight.Predicted < 20_000) {
		t.Errorf("an objective of 200 µs leaves %v/s", tight.Predicted)
	}
	for _, h := range []Highest{
		{Name: "no rate", Cores: 1},
		{Name: "no cores", PerSecond: 1},
		{Name: "unknown", PerSecond: 1, Cores: 1, ColdShare: 0.5, Algorithms: map[string]float64{"HS256": 1}},
	} {
		if _, err := c.Predict(h); !errors.Is(err, ErrInput) {
			t.Errorf("%s: error %v", h.Name, err)
		}
	}
}

func TestThePredictionKeepsEveryObjective(t *testing.T) {
	t.Parallel()
	c := DefaultCost()
	rate := func(objectives ...Objective) float64 {
		got, err := c.Predict(Highest{Name: "x", PerSecond: 1000, Cores: 4, ColdShare: 0.1, Algorithms: map[string]float64{"RS256": 1}, Objectives: objectives})
		if err != nil {
			t.Fatal(err)
		}
		return got.Predicted
	}
	median, tail, far := Objective{0.5, 90e-6}, Objective{0.99, 300e-6}, Objective{0.999, 350e-6}
	all := rate(median, tail, far)
	if want := min(rate(median), rate(tail), rate(far)); all != want || rate(far, median, tail) != want {
		t.Errorf("%v with all, want the least of %v, %v, %v", all, rate(median), rate(tail), rate(far))
	}
	// The time that is shortest is not the one that is hardest to keep.
	if !(rate(far) < rate(tail) && rate(tail) < rate(median)) {
		t.Errorf("p50 %v, p99 %v, p99.9 %v", rate(median), rate(tail), rate(far))
	}
}

func TestWhatCannotBePredictedIsRefused(t *testing.T) {
	t.Parallel()
	c := DefaultCost()
	c.Background.Value = 2
	for _, h := range []Highest{
		{Name: "all of it is background", PerSecond: 1, Cores: 1},
		{Name: "no time", PerSecond: 1, Cores: 4, Objectives: []Objective{{0.99, 0}}},
		{Name: "all requests", PerSecond: 1, Cores: 4, Objectives: []Objective{{1, 1}}},
		{Name: "no share", PerSecond: 1, Cores: 4, Objectives: []Objective{{math.NaN(), 1}}},
	} {
		if got, err := c.Predict(h); !errors.Is(err, ErrInput) {
			t.Errorf("%s: %+v, error %v", h.Name, got, err)
		}
	}
}
