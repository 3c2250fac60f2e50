package upstream

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// chosen counts how often each address is chosen of n.
func chosen(t *testing.T, g *Group, n int) []int {
	t.Helper()
	counts := make([]int, len(*g.pools.Load()))
	for range n {
		a := attempt{pools: *g.pools.Load(), now: g.clock()}
		at, _, err := g.choose(&a)
		if err != nil {
			t.Fatal(err)
		}
		counts[at]++
	}
	return counts
}

func TestTheOneOfTwoWithFewerInFlightIsChosen(t *testing.T) {
	t.Parallel()
	g := strict(4, nil)
	for _, c := range chosen(t, g, 4000) {
		if c < 800 || c > 1200 {
			t.Errorf("%d of 4000 with nothing in flight", c)
		}
	}
	for i := range 4 {
		g.at(i).inFlight.Store(int64(i))
	}
	// Of the six pairs the first is in three and always wins, the last never.
	got := chosen(t, g, 6000)
	for i, want := range []int{3000, 2000, 1000, 0} {
		if got[i] < want-300 || got[i] > want+300 || want == 0 && got[i] != 0 {
			t.Errorf("%v", got)
		}
	}
}

func TestRoundRobinUsesAllInTurn(t *testing.T) {
	t.Parallel()
	g := strict(3, func(c *GroupConfig) { c.Balance = RoundRobin })
	g.at(1).inFlight.Store(9)
	for _, n := range chosen(t, g, 300) {
		if n != 100 {
			t.Errorf("%d of 300", n)
		}
	}
}

func TestAnAddressThatReturnsGetsATenthAtFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// whole is what the address gets of 2000 when nothing speaks against it.
		for balance, whole := range map[Balance]float64{LeastInFlight: 2000, RoundRobin: 1000} {
			g := strict(2, func(c *GroupConfig) { c.Balance = balance })
			g.at(0).fail(t, 3)
			// That nothing is in flight there must not draw more requests.
			g.at(1).inFlight.Store(5)
			if n := chosen(t, g, 2000)[0]; n != 0 {
				t.Errorf("%d while ejected", n)
			}
			time.Sleep(10 * time.Second)
			if n := float64(chosen(t, g, 2000)[0]); n < whole*.05 || n > whole*.15 {
				t.Errorf("%v of %v at first", n, whole)
			}
			time.Sleep(10 * time.Second)
			if n := float64(chosen(t, g, 2000)[0]); n < whole*.48 || n > whole*.62 {
				t.Errorf("%v of %v half-way", n, whole)
			}
			time.Sleep(10 * time.Second)
			if n := float64(chosen(t, g, 2000)[0]); n != whole {
				t.Errorf("%v of %v in the end", n, whole)
			}
		}
	})
}

func TestWhatIsChosenForWantOfBetter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second func(*Pool, *testing.T)
		avoid         int
		want          int
		err           error
	}{
		"only ejected":       {first: (*Pool).eject, second: (*Pool).trip, want: 0},
		"all broken":         {first: (*Pool).trip, second: (*Pool).trip, err: ErrUnavailable},
		"all down":           {first: (*Pool).fall, second: (*Pool).fall, err: ErrUnavailable},
		"down and broken":    {first: (*Pool).fall, second: (*Pool).trip, err: ErrUnavailable},
		"ejected and down":   {first: (*Pool).both, second: (*Pool).trip, err: ErrUnavailable},
		"full":               {first: (*Pool).fill, second: (*Pool).trip, err: ErrSaturated},
		"full and ejected":   {first: (*Pool).fill, second: (*Pool).eject, err: ErrSaturated},
		"one full":           {first: (*Pool).fill, second: nil, want: 1},
		"one down":           {first: (*Pool).fall, second: nil, want: 1},
		"avoided":            {avoid: 1, want: 1},
		"avoided, the last":  {avoid: 1, second: (*Pool).trip, want: 0},
		"avoided or ejected": {avoid: 1, second: (*Pool).eject, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := strict(2, func(c *GroupConfig) { c.MaxInFlight = 2 })
			for i, do := range []func(*Pool, *testing.T){c.first, c.second} {
				if do != nil {
					do(g.at(i), t)
				}
			}
			for range 50 {
				a := attempt{pools: *g.pools.Load(), now: g.clock(), avoid: c.avoid}
				if at, _, err := g.choose(&a); !errors.Is(err, c.err) || err == nil && at != c.want {
					t.Fatalf("%d, %v", at, err)
				}
			}
		})
	}
}

func (p *Pool) eject(t *testing.T) { p.fail(t, 3) }
func (p *Pool) fall(*testing.T)    { p.setDown(true) }
func (p *Pool) both(t *testing.T)  { p.eject(t); p.fall(t) }
func (p *Pool) fill(*testing.T)    { p.inFlight.Store(2) }

// trip opens the breaker of an address that is not ejected.
func (p *Pool) trip(t *testing.T) {
	after := p.group.eject.After
	p.group.eject.After = 0
	p.fail(t, 5)
	p.group.eject.After = after
}

func TestAnAddressThatWasTriedIsNotChosenAgain(t *testing.T) {
	t.Parallel()
	g := strict(maxTried+10, nil)
	a := attempt{pools: *g.pools.Load(), now: g.clock()}
	for range maxTried {
		at, _, err := g.choose(&a)
		if err != nil || a.tried.has(at) {
			t.Fatal(at, err)
		}
		a.tried.add(at)
	}
	if _, _, err := g.choose(&a); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
}

func BenchmarkChooseOfTwo(b *testing.B) {
	g := strict(2, nil)
	b.ReportAllocs()
	for b.Loop() {
		a := attempt{pools: *g.pools.Load()}
		if _, _, err := g.choose(&a); err != nil {
			b.Fatal(err)
		}
	}
}
