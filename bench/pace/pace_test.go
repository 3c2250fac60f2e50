package pace_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

func must(p pace.Profile, err error) pace.Profile {
	if err != nil {
		panic(err)
	}
	return p
}

// drawn lists when the requests of a schedule are due.
func drawn(t *testing.T, s pace.Schedule) []time.Duration {
	t.Helper()
	var at []time.Duration
	for a := s.Arrivals(); ; {
		n, due, ok := a.Next()
		if !ok {
			if _, _, again := a.Next(); again {
				t.Error("a schedule that ended went on")
			}
			return at
		}
		if n != int64(len(at)) {
			t.Fatalf("request %d came as number %d", len(at), n)
		}
		at = append(at, due)
	}
}

var profiles = map[string]pace.Profile{
	"constant":       must(pace.Constant(250, 4*time.Second)),
	"less than one":  must(pace.Constant(0.5, 10*time.Second)),
	"ramp up":        must(pace.Ramp(0, 1000, 3*time.Second)),
	"ramp down":      must(pace.Ramp(1000, 0, 3*time.Second)),
	"steps":          must(pace.Steps(time.Second, 100, 0, 300)),
	"spike":          must(pace.Spike(50, 5000, time.Second, 100*time.Millisecond, 3*time.Second)),
	"spike at start": must(pace.Spike(50, 500, 0, time.Second, 2*time.Second)),
}

func TestEvenArrivalsFollowTheIntegralOfTheRate(t *testing.T) {
	t.Parallel()
	for name, p := range profiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := drawn(t, p.Even())
			if want := int(math.Round(p.Due(p.Duration()))); len(at) != want {
				t.Errorf("%d requests, want %d", len(at), want)
			}
			if !slices.IsSorted(at) {
				t.Error("requests are not in order")
			}
			for k, due := range at {
				if got := p.Due(due); math.Abs(got-float64(k)-0.5) > 1e-3 {
					t.Fatalf("request %d is due at %v, when %.4f were due", k, due, got)
				}
			}
		})
	}
}

func TestConstantRateSpacesRequestsEqually(t *testing.T) {
	t.Parallel()
	at := drawn(t, profiles["constant"].Even())
	for k, due := range at {
		if want := time.Duration(2+4*k) * time.Millisecond; (due - want).Abs() > time.Microsecond {
			t.Fatalf("request %d is due at %v, want %v", k, due, want)
		}
	}
}

func TestNoRequestIsDueWhereTheRateIsZero(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]pace.Schedule{"even": profiles["steps"].Even(), "Poisson": profiles["steps"].Poisson(1)} {
		for _, due := range drawn(t, s) {
			if due > time.Second && due < 2*time.Second {
				t.Errorf("%s: a request is due at %v, where the rate is 0", name, due)
			}
		}
	}
}

// Of a Poisson process of mean N the count has mean N and variance N, whatever
// the rate does meanwhile, and the gaps in Λ have mean and variance 1.
func TestPoissonArrivalsAreIndependentAtTheProfilesRate(t *testing.T) {
	t.Parallel()
	p := must(pace.New(pace.Piece{Duration: 10 * time.Second, FromPerSecond: 0, ToPerSecond: 4000}, pace.Piece{Duration: 5 * time.Second, FromPerSecond: 1000, ToPerSecond: 1000}))
	at := drawn(t, p.Poisson(7))
	if n, want := float64(len(at)), p.Due(p.Duration()); math.Abs(n-want) > 5*math.Sqrt(want) {
		t.Errorf("%v requests, want %v, give or take", n, want)
	}
	var sum, squares, last float64
	for _, due := range at {
		y := p.Due(due)
		sum, squares, last = sum+y-last, squares+(y-last)*(y-last), y
	}
	mean := sum / float64(len(at))
	if variance := squares/float64(len(at)) - mean*mean; math.Abs(mean-1) > 0.05 || math.Abs(variance-1) > 0.1 {
		t.Errorf("gaps have mean %.3f and variance %.3f, want 1 and 1", mean, variance)
	}
}

func TestTheSameSeedGivesTheSameArrivals(t *testing.T) {
	t.Parallel()
	p := profiles["ramp up"]
	first := drawn(t, p.Poisson(3))
	if !slices.Equal(first, drawn(t, p.Poisson(3))) {
		t.Error("two runs of one seed differ")
	}
	if slices.Equal(first, drawn(t, p.Poisson(4))) {
		t.Error("two seeds give the same arrivals")
	}
}

func TestRateIsReadOffTheProfile(t *testing.T) {
	t.Parallel()
	p := profiles["spike"]
	for at, want := range map[time.Duration]float64{
		-1: 0, 0: 50, 999 * time.Millisecond: 50, time.Second: 5000, 1099 * time.Millisecond: 5000,
		1100 * time.Millisecond: 50, 3 * time.Second: 0,
	} {
		if got := p.PerSecond(at); got != want {
			t.Errorf("at %v: %v a second, want %v", at, got, want)
		}
	}
	if got := profiles["ramp up"].PerSecond(1500 * time.Millisecond); math.Abs(got-500) > 1e-6 {
		t.Errorf("half way up: %v a second, want 500", got)
	}
	if got := p.PeakPerSecond(); got != 5000 {
		t.Errorf("peak %v a second, want 5000", got)
	}
}

func TestScaledProfileKeepsItsShape(t *testing.T) {
	t.Parallel()
	p := profiles["spike"]
	scaled, err := p.Scale(0.1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := scaled.Due(2*time.Second), p.Due(2*time.Second)/10; math.Abs(got-want) > 1e-9 {
		t.Errorf("%v due, want %v", got, want)
	}
	if _, err := p.Scale(-1); !errors.Is(err, pace.ErrRate) {
		t.Errorf("scaled by -1: %v", err)
	}
}

func TestProfileOutOfRangeIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func() (pace.Profile, error)
		want error
	}{
		"negative rate":      {func() (pace.Profile, error) { return pace.Constant(-1, time.Second) }, pace.ErrRate},
		"no number":          {func() (pace.Profile, error) { return pace.Constant(math.NaN(), time.Second) }, pace.ErrRate},
		"endless rate":       {func() (pace.Profile, error) { return pace.Ramp(1, math.Inf(1), time.Second) }, pace.ErrRate},
		"no time":            {func() (pace.Profile, error) { return pace.Constant(1, 0) }, pace.ErrDuration},
		"too long":           {func() (pace.Profile, error) { return pace.Steps(pace.MaxDuration, 1, 1) }, pace.ErrDuration},
		"nothing due":        {func() (pace.Profile, error) { return pace.Steps(time.Second, 0, 0) }, pace.ErrEmpty},
		"no piece":           {func() (pace.Profile, error) { return pace.New() }, pace.ErrEmpty},
		"spike after it all": {func() (pace.Profile, error) { return pace.Spike(1, 2, time.Second, time.Second, time.Second) }, pace.ErrDuration},
		"spike beforehand":   {func() (pace.Profile, error) { return pace.Spike(1, 2, -1, time.Second, time.Minute) }, pace.ErrDuration},
	} {
		if _, err := c.make(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestMostIsAsManyAsThereAre(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0.3, 0.5, 0.6, 1, 7.5, 1000} {
		p, err := pace.Constant(rate, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		even, random := p.Even(), p.Poisson(uint64(rate*10))
		if n := count(even); n != even.Most() {
			t.Errorf("%v a second: %d, and Most says %d", rate, n, even.Most())
		}
		if n := count(random); n > random.Most() || float64(random.Most()) > 2*rate+20 {
			t.Errorf("%v a second at random: %d, and Most says %d", rate, n, random.Most())
		}
	}
}

func count(s pace.Schedule) (n int64) {
	for a := s.Arrivals(); ; n++ {
		if _, _, ok := a.Next(); !ok {
			return n
		}
	}
}
