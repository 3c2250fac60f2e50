package compare

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-6*math.Max(1, math.Abs(want)) }

// TestShiftIsThatOfTheTables has samples whose p and interval are in every table of the U test.
func TestShiftIsThatOfTheTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base, other            []float64
		estimate, low, high, p float64
		enough                 bool
	}{
		// Samples that do not overlap: p is 2/C(10,5); U's critical value is 2, so the third of 25 differences from either end.
		{[]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 5, 2, 8, 2.0 / 252, true},
		{[]float64{1, 2, 3, 4}, []float64{11, 12, 13, 14}, 10, 7, 13, 2.0 / 70, true},
		{[]float64{1, 2, 3}, []float64{11, 12, 13}, 10, math.Inf(-1), math.Inf(1), 0.1, false},
		{[]float64{1, 2, 3}, []float64{11, 12, 13, 14, 15}, 11, 8, 14, 2.0 / 56, true},
		{[]float64{1}, []float64{2}, 1, math.Inf(-1), math.Inf(1), 1, false},
		{[]float64{7, 7, 7, 7}, []float64{7, 7, 7, 7}, 0, 0, 0, 1, true},
	} {
		s := shifted(c.base, c.other, 0.05)
		if !near(s.Estimate, c.estimate) || s.Low != c.low || s.High != c.high || !near(s.P, c.p) || s.Enough != c.enough {
			t.Errorf("%v to %v: %+v, want %v in %v to %v, p %v, enough %v", c.base, c.other, s, c.estimate, c.low, c.high, c.p, c.enough)
		}
	}
}

// TestIntervalHasTheTrueShiftAsOftenAsItSays draws samples whose shift is known, of a
// distribution that is far from normal.
func TestIntervalHasTheTrueShiftAsOftenAsItSays(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	const trials, shift = 600, 3.0
	missed, disagree := 0, 0
	for range trials {
		base, other := make([]float64, 6), make([]float64, 8)
		for i := range base {
			base[i] = random.ExpFloat64()
		}
		for i := range other {
			other[i] = random.ExpFloat64() + shift
		}
		if s := shifted(base, other, 0.05); s.Low > shift || s.High < shift {
			missed++
		}
		for i := range other {
			other[i] -= shift
		}
		// Without a shift, the interval leaves 0 out exactly when the test says that it differs.
		if s := shifted(base, other, 0.05); (s.P < 0.05) != (s.Low > 0 || s.High < 0) {
			disagree++
		}
	}
	// Binomial with 600 trials at 5% at most: 30, and 4 deviations of 5.3 above it.
	if missed > 51 || missed < 5 {
		t.Errorf("%d of %d intervals miss the shift, want some 5%%", missed, trials)
	}
	if disagree > 0 {
		t.Errorf("%d of %d intervals say other than the test", disagree, trials)
	}
}

// TestLargeSamplesUseTheNormalQuantile compares both ways where they meet.
func TestLargeSamplesUseTheNormalQuantile(t *testing.T) {
	t.Parallel()
	// Tables of the U test have a critical value of 127 for 20 and 20 samples at 5%, of which the next difference is the bound.
	if exact, approximate := bound(20, 20, 0.025), bound(21, 20, 0.025); exact != 128 || approximate < exact || approximate > exact+12 {
		t.Errorf("the %d-th difference with 20 + 20 samples, the %d-th with 21 + 20", exact, approximate)
	}
}
