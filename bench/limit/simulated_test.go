package limit

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// simulated is a target with a known limit.
type simulated struct {
	limit float64
	// width is how much of the limit it takes for the probability to keep the
	// objective to fall from 73% to 27%.
	width float64
	// fickle is the share of trials far from the limit whose outcome is a fluke.
	fickle float64
	// generator is the highest rate that can be made; 0 is none.
	generator float64
	rng       *rand.Rand
}

func (s *simulated) keeps(rate float64) float64 {
	p := 1 / (1 + math.Exp((math.Log(rate)-math.Log(s.limit))/(s.width/2)))
	return s.fickle + (1-2*s.fickle)*p
}

func (s *simulated) try(_ context.Context, rate float64) (Trial, error) {
	t := Trial{Outcome: OutcomeBroken}
	switch {
	case s.generator > 0 && rate > s.generator:
		t.Outcome = OutcomeUnclaimed
	case s.rng.Float64() < s.keeps(rate):
		t.Outcome = OutcomeKept
	}
	return t, nil
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

func find(t *testing.T, c Config, try Try) *Result {
	t.Helper()
	r, err := Find(t.Context(), c, try, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func contains(r *Result, limit float64) bool {
	return (r.LowPerSecond == nil || *r.LowPerSecond <= limit) && (r.HighPerSecond == nil || *r.HighPerSecond >= limit)
}

func TestIntervalContainsTheLimitAtLeastAsOftenAsItClaims(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ confidence, width, fickle float64 }{
		{0.95, 0.001, 0},
		{0.95, 0.05, 0.1},
		{0.95, 0.3, 0},
		{0.8, 0.05, 0.1},
		// A limit of infinite width is the hardest: each trial is a coin, and any rate
		// is the limit.
		{0.95, math.Inf(1), 0},
		{0.8, math.Inf(1), 0},
	} {
		t.Run(fmt.Sprintf("%v%%, width %v, fickle %v", c.confidence*100, c.width, c.fickle), func(t *testing.T) {
			t.Parallel()
			missed := 0
			for seed := range uint64(seeds) {
				rng := seeded(seed)
				s := &simulated{limit: 3 * math.Exp2(14*rng.Float64()), width: c.width, fickle: c.fickle, rng: rng}
				if math.IsInf(c.width, 1) {
					s.limit = 50 * math.Exp2(2*rng.Float64()) // where a coin leads to
				}
				if !contains(find(t, Config{Confidence: c.confidence, MaxTrials: 45}, s.try), s.limit) {
					missed++
				}
			}
			// Three standard deviations for the luck of the seeds.
			allowed := (1-c.confidence)*seeds + 3*math.Sqrt(c.confidence*(1-c.confidence)*seeds)
			if float64(missed) > allowed {
				t.Errorf("%d of %d intervals do not contain the limit, %.0f may", missed, seeds, allowed)
			}
			t.Logf("%d of %d missed", missed, seeds)
		})
	}
}

func TestSteepLimitIsFoundInFewTrialsAndAsPreciselyAsAsked(t *testing.T) {
	t.Parallel()
	var trials, ratios []float64
	for seed := range uint64(100) {
		rng := seeded(seed)
		s := &simulated{limit: 100 * math.Exp2(8*rng.Float64()), width: 0.001, rng: rng}
		r := find(t, Config{}, s.try)
		if r.Ended != EndedFound || r.LowerBoundOnly {
			t.Fatalf("seed %d: %s", seed, r.Ended)
		}
		if r.RatePerSecond < *r.LowPerSecond || r.RatePerSecond > *r.HighPerSecond {
			t.Fatalf("seed %d: %v is not within %v to %v", seed, r.RatePerSecond, *r.LowPerSecond, *r.HighPerSecond)
		}
		trials = append(trials, float64(len(r.Trials)))
		ratios = append(ratios, *r.HighPerSecond / *r.LowPerSecond)
	}
	slices.Sort(trials)
	slices.Sort(ratios)
	if trials[90] > 35 || ratios[90] > 1.11 {
		t.Errorf("9 of 10 searches take at most %v trials, and find an interval of at most %v", trials[90], ratios[90])
	}
}

func TestSearchThatEndsEarlyClaimsNoMoreThanItKnows(t *testing.T) {
	t.Parallel()
	missed := 0
	for seed := range uint64(200) {
		rng := seeded(seed)
		s := &simulated{limit: 100 * math.Exp2(4*rng.Float64()), width: 0.1, fickle: 0.1, rng: rng}
		r := find(t, Config{MaxTrials: 5 + int(seed)%25}, s.try)
		if r.Ended != EndedTrials && r.Ended != EndedFound {
			t.Fatal(r.Ended)
		}
		if !contains(r, s.limit) {
			missed++
		}
	}
	if missed > 19 {
		t.Errorf("%d of 200 missed", missed)
	}
}

func TestGeneratorThatIsTheBottleneckGivesALowerBound(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rng := seeded(seed)
		s := &simulated{limit: 50_000, width: 0.01, generator: 500 + 5000*rng.Float64(), rng: rng}
		r := find(t, Config{}, s.try)
		if r.Ended != EndedGenerator || !r.LowerBoundOnly || r.HighPerSecond != nil {
			t.Fatalf("seed %d: %s, %+v", seed, r.Ended, r)
		}
		if low := *r.LowPerSecond; low > s.generator || low < s.generator/1.15 {
			t.Errorf("the generator reaches %v, and the bound is %v", s.generator, low)
		}
	}
}

func TestGeneratorThatStumblesOnceIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := &simulated{limit: 5000, width: 0.001, rng: seeded(1)}
	stumbled := map[float64]bool{}
	r := find(t, Config{}, func(ctx context.Context, rate float64) (Trial, error) {
		if !stumbled[rate] {
			stumbled[rate] = true
			return Trial{Outcome: OutcomeUnclaimed}, nil
		}
		return s.try(ctx, rate)
	})
	if r.Ended != EndedFound || !contains(r, 5000) {
		t.Errorf("%s, %+v", r.Ended, r)
	}
}

func TestGeneratorThatReachesNothingIsSaid(t *testing.T) {
	t.Parallel()
	s := &simulated{limit: 5000, width: 0.001, generator: 0.1, rng: seeded(1)}
	r := find(t, Config{}, s.try)
	if r.Ended != EndedGenerator || r.LowPerSecond != nil || r.LowerBoundOnly {
		t.Errorf("%+v", r)
	}
}

func TestLimitAboveTheHighestRateGivesALowerBound(t *testing.T) {
	t.Parallel()
	s := &simulated{limit: 50_000, width: 0.01, rng: seeded(1)}
	r := find(t, Config{ToPerSecond: 1234}, s.try)
	if r.Ended != EndedCeiling || !r.LowerBoundOnly || *r.LowPerSecond != 1234 || r.RatePerSecond != 1234 {
		t.Errorf("%+v", r)
	}
	// Just at it: the interval is that of the limit, or has no upper end.
	for seed := range uint64(100) {
		s := &simulated{limit: 1200, width: 0.2, rng: seeded(seed)}
		r := find(t, Config{ToPerSecond: 1234}, s.try)
		if r.LowPerSecond != nil && *r.LowPerSecond > 1234 || r.Ended != EndedFound && r.Ended != EndedCeiling && r.Ended != EndedTrials {
			t.Errorf("seed %d: %s, %+v", seed, r.Ended, r)
		}
		for _, trial := range r.Trials {
			if trial.RatePerSecond > 1234 {
				t.Fatalf("seed %d: %v/s was tried", seed, trial.RatePerSecond)
			}
		}
	}
}

func TestLimitBelowTheLowestRateIsNotFound(t *testing.T) {
	t.Parallel()
	s := &simulated{limit: 3, width: 0.001, rng: seeded(1)}
	r := find(t, Config{FromPerSecond: 100, FloorPerSecond: 20}, s.try)
	if r.Ended != EndedFloor || r.LowPerSecond != nil || len(r.Trials) > 5 {
		t.Errorf("%+v", r)
	}
	if last := r.Trials[len(r.Trials)-1].RatePerSecond; last != 20 {
		t.Errorf("the last rate was %v", last)
	}
	// From there on it is found below the first rate, too.
	s = &simulated{limit: 30, width: 0.001, rng: seeded(1)}
	if r := find(t, Config{FromPerSecond: 1000}, s.try); r.Ended != EndedFound || !contains(r, 30) {
		t.Errorf("%s, %+v", r.Ended, r)
	}
}

func TestSixTrialsOfSixProveARate(t *testing.T) {
	t.Parallel()
	l := ledger{low: []stake{{rate: 100}}, high: []stake{{rate: 120}}}
	for range 5 {
		l.points = append(l.points, point{100, true}, point{120, false})
	}
	if low, high := l.interval(0.95); low != 0 || !math.IsInf(high, 1) {
		t.Errorf("5 of 5 prove %v to %v", low, high)
	}
	l.points = append(l.points, point{100, true}, point{120, false})
	if low, high := l.interval(0.95); low != 100 || high != 120 {
		t.Errorf("6 of 6 prove %v to %v", low, high)
	}
	// They prove nothing at a higher confidence, and less so when one was lost.
	if low, _ := l.interval(0.99); low != 0 {
		t.Errorf("6 of 6 prove %v at 99%%", low)
	}
	l.points = append(l.points, point{100, false})
	if low, _ := l.interval(0.95); low != 0 {
		t.Errorf("6 of 7 prove %v", low)
	}
}
