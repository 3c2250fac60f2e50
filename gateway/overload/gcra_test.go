package overload

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRateIsLetThroughAsStated(t *testing.T) {
	t.Parallel()
	second := int64(time.Second)
	for name, tc := range map[string]struct {
		rate Rate
		at   []int64 // ns
		wait []int64
	}{
		"one a second":          {Rate{1, 1}, []int64{1, 1, second, second + 1}, []int64{0, second, 1, 0}},
		"a burst of three":      {Rate{1, 3}, []int64{1, 1, 1, 1}, []int64{0, 0, 0, second}},
		"the burst comes back":  {Rate{2, 2}, []int64{1, 1, 1, 1 + second, 1 + second, 1 + second}, []int64{0, 0, second / 2, 0, 0, second / 2}},
		"burst is the rate":     {Rate{2, 0}, []int64{1, 1, 1}, []int64{0, 0, second / 2}},
		"never more than burst": {Rate{1, 2}, []int64{1, 1 + 100*second, 1 + 100*second, 1 + 100*second}, []int64{0, 0, 0, second}},
		"thirds are rounded up": {Rate{3, 1}, []int64{1, 1}, []int64{0, 333_333_334}},
		"time that goes back":   {Rate{1, 2}, []int64{second, 1, 1}, []int64{0, second - 1, second - 1}},
	} {
		g, bounded, err := newGCRA(tc.rate)
		if !bounded || err != nil {
			t.Fatal(name, bounded, err)
		}
		b := bucket{rate: g}
		for i, now := range tc.at {
			if got := b.take(now); got != tc.wait[i] {
				t.Errorf("%s: event %d at %s waits %s, want %s", name, i, time.Duration(now), time.Duration(got), time.Duration(tc.wait[i]))
			}
		}
	}
}

func TestRateOutsideItsBoundsIsAnError(t *testing.T) {
	t.Parallel()
	for _, r := range []Rate{{-1, 1}, {1, -1}, {MaxPerSecond + 1, 1}, {1, MaxBurst + 1}, {1, 86_401}} {
		if _, _, err := newGCRA(r); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	for _, r := range []Rate{{}, {0, 5}} {
		if _, bounded, err := newGCRA(r); bounded || err != nil {
			t.Errorf("%+v: %v %v", r, bounded, err)
		}
	}
	if _, _, err := newGCRA(Rate{1, 86_400}); err != nil {
		t.Error(err)
	}
}

// FuzzRate holds against the definition: in no window of t are more than burst +
// rate * t let through, and who is told to wait is let through after it.
func FuzzRate(f *testing.F) {
	f.Add(uint32(5), uint32(3), uint64(1))
	f.Add(uint32(10_000_000), uint32(1), uint64(2))
	f.Add(uint32(1), uint32(86_400), uint64(3))
	f.Fuzz(func(t *testing.T, perSecond, burst uint32, seed uint64) {
		r := Rate{1 + int(perSecond%MaxPerSecond), 1 + int(burst%1000)}
		g, _, err := newGCRA(r)
		if err != nil {
			t.Skip()
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		var full int64
		var admitted []int64
		now := int64(1)
		for range 300 {
			var wait int64
			before := full
			if full, wait = g.take(full, now); wait == 0 {
				admitted = append(admitted, now)
			} else {
				if full != before {
					t.Fatal("a refusal costs something")
				}
				if _, again := g.take(full, now+wait); again != 0 {
					t.Fatalf("refused after the %d ns that it was told to wait", wait)
				}
				if _, again := g.take(full, now+wait-1); again == 0 {
					t.Fatal("told to wait for longer than needed")
				}
			}
			now += rng.Int64N(3*g.interval + 1)
		}
		for i := range admitted {
			for j := i; j < len(admitted); j++ {
				window := float64(admitted[j]-admitted[i]) / 1e9
				if n := float64(j - i + 1); n > float64(r.Burst)+float64(r.PerSecond)*window+1e-6 {
					t.Fatalf("%+v: %v in %v s", r, n, window)
				}
			}
		}
	})
}

func TestSharedBucketAdmitsItsBurstOnceHoweverManyAsk(t *testing.T) {
	t.Parallel()
	g, _, err := newGCRA(Rate{1, 100})
	if err != nil {
		t.Fatal(err)
	}
	b := bucket{rate: g}
	var admitted atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				if b.take(1) == 0 {
					admitted.Add(1)
				}
			}
		})
	}
	all.Wait()
	if admitted.Load() != 100 {
		t.Errorf("%d of a burst of 100", admitted.Load())
	}
}
