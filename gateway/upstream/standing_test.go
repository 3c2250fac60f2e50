package upstream

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
)

// strict is a group of n addresses that nobody listens at, with every judgement
// switched on.
func strict(n int, change func(*GroupConfig)) *Group {
	cfg := GroupConfig{
		MaxConnections: 10,
		Timeouts:       Timeouts{Connect: time.Second, FirstByte: time.Second, Idle: time.Second},
		Eject:          EjectConfig{After: 3, Base: 10 * time.Second, Max: 35 * time.Second, Percent: 50, Return: 20 * time.Second},
		Breaker:        BreakerConfig{After: 5, For: 5 * time.Second},
	}
	for i := range n {
		cfg.Endpoints = append(cfg.Endpoints, Endpoint{Address: fmt.Sprintf("192.0.2.%d:80", i+1)})
	}
	if change != nil {
		change(&cfg)
	}
	return NewGroup(cfg)
}

func (g *Group) at(i int) *Pool { return (*g.pools.Load())[i] }

// lease returns a permission that an exchange now would get.
func (p *Pool) now(t *testing.T) *lease {
	t.Helper()
	l, ok := p.admit()
	if !ok {
		t.Fatal("not admitted")
	}
	return &l
}

func (p *Pool) fail(t *testing.T, n int) {
	t.Helper()
	for range n {
		p.settle(p.now(t), bad)
	}
}

func (p *Pool) heft() uint32 { return p.weight(p.group.clock()) }

func TestAnAddressIsEjectedByFailuresInARow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := strict(2, nil).at(0)
		for range 5 {
			p.fail(t, 2)
			p.settle(p.now(t), neither) // says nothing, and so interrupts nothing
			p.settle(p.now(t), good)
		}
		p.fail(t, 2)
		if p.heft() != fullWeight {
			t.Fatal("ejected although an exchange between was good")
		}
		p.settle(p.now(t), neither)
		p.fail(t, 1)
		if p.heft() != 0 || p.group.Stats()[0].Ejections != 1 {
			t.Fatalf("weight %d, %+v", p.heft(), p.group.Stats()[0])
		}
	})
}

func TestEjectionsGrowLongerAndStartAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := strict(2, func(c *GroupConfig) { c.Breaker.After = 0 }).at(0)
		var got []time.Duration
		eject := func(failures int) {
			p.fail(t, failures)
			before := time.Now()
			for p.heft() == 0 {
				time.Sleep(time.Second)
			}
			got = append(got, time.Since(before))
		}
		eject(3)
		eject(1) // on its way back, once is enough
		eject(1)
		eject(1)
		eject(1)
		time.Sleep(36 * time.Second)
		p.settle(p.now(t), good)
		eject(3)
		want := "[10s 20s 30s 35s 35s 10s]"
		if fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
	})
}

func TestAnAddressReturnsSlowly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := strict(2, nil).at(0)
		p.fail(t, 3)
		time.Sleep(10 * time.Second)
		last := uint32(0)
		for range 20 {
			p.settle(p.now(t), good) // success does not speed it up
			if w := p.heft(); w <= last || w >= fullWeight {
				t.Fatalf("%d behind %d", w, last)
			}
			last = p.heft()
			time.Sleep(time.Second)
		}
		if p.heft() != fullWeight {
			t.Errorf("%d in the end", p.heft())
		}
		p.settle(p.now(t), good)
		if p.doubt.Load() != 0 {
			t.Error("still in doubt")
		}
	})
}

func TestEjectionsKeepWithinTheirShareAndLeaveTheLast(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ addresses, percent, want int }{
		{1, 50, 0},
		{1, 100, 0},
		{2, 50, 1},
		{2, 49, 0},
		{2, 100, 1},
		{3, 50, 1},
		{4, 50, 2},
		{4, 100, 3},
		{4, 0, 0},
	} {
		g := strict(c.addresses, func(cfg *GroupConfig) { cfg.Eject.Percent, cfg.Breaker.After = c.percent, 0 })
		got := 0
		for i := range c.addresses {
			g.at(i).fail(t, 5)
		}
		for _, s := range g.Stats() {
			got += s.Ejected
		}
		if got != c.want {
			t.Errorf("%d of %d ejected with %d%%, want %d", got, c.addresses, c.percent, c.want)
		}
	}
}

func TestLateResultsSayNothingNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := strict(2, nil).at(0)
		var early []*lease
		for range 20 {
			early = append(early, p.now(t))
		}
		for _, l := range early[:3] {
			p.settle(l, bad)
		}
		for _, l := range early[3:12] {
			p.settle(l, bad) // neither another ejection nor the breaker's business
		}
		if p.fails != 0 {
			t.Errorf("%d failures are still counted", p.fails)
		}
		time.Sleep(10 * time.Second)
		for _, l := range early[12:] {
			p.settle(l, good)
		}
		if s := p.group.Stats()[0]; s.Ejections != 1 || s.BreakerOpened != 0 || s.Returning != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestResultsFromBeforeABreakerOpenedDoNotOpenItAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := strict(1, nil).at(0)
		var early []*lease
		for range 20 {
			early = append(early, p.now(t))
		}
		for _, l := range early[:5] {
			p.settle(l, bad)
		}
		time.Sleep(5*time.Second + 1)
		p.settle(p.now(t), good)
		for _, l := range early[5:] {
			p.settle(l, bad)
		}
		if s := p.group.Stats()[0]; s.BreakerOpened != 1 || s.BreakerOpen != 0 || s.Failures != 20 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTheBreakerOpensLetsOneTryAndCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := strict(1, nil)
		p := g.at(0)
		state := func() string {
			s := g.Stats()[0]
			return fmt.Sprint("up ", s.Up, " open ", s.BreakerOpen, " half-open ", s.BreakerHalfOpen, " returning ", s.Returning)
		}
		steps := []struct {
			do   func()
			want string
		}{
			{func() { p.fail(t, 4) }, "up 1 open 0 half-open 0 returning 0"},
			{func() { p.fail(t, 1) }, "up 0 open 1 half-open 0 returning 0"},
			{func() { time.Sleep(5*time.Second + 1) }, "up 0 open 0 half-open 1 returning 0"},
			{func() { p.settle(p.now(t), bad) }, "up 0 open 1 half-open 0 returning 0"},
			{func() { time.Sleep(5*time.Second + 1) }, "up 0 open 0 half-open 1 returning 0"},
			// A trial without a result makes room for another.
			{func() { p.settle(p.now(t), neither) }, "up 0 open 0 half-open 1 returning 0"},
			{func() {
				trial := p.now(t)
				if _, ok := p.admit(); ok {
					t.Error("two trials at one time")
				}
				p.settle(trial, good)
			}, "up 0 open 0 half-open 0 returning 1"},
			{func() { time.Sleep(20 * time.Second) }, "up 1 open 0 half-open 0 returning 0"},
		}
		for i, step := range steps {
			step.do()
			if got := state(); got != step.want {
				t.Fatalf("step %d: %s, want %s", i, got, step.want)
			}
		}
		p.settle(p.now(t), good)
		if p.doubt.Load() != 0 || g.Stats()[0].BreakerOpened != 2 {
			t.Errorf("doubt %b, %+v", p.doubt.Load(), g.Stats()[0])
		}
	})
}

func TestAGatewayErrorCountsForEjectionAndNotForTheBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := strict(2, nil)
		unwellTimes := func(p *Pool, n int) {
			for range n {
				p.settle(p.now(t), unwell)
			}
		}
		unwellTimes(g.at(0), 3)
		unwellTimes(g.at(1), 30) // the last one is not ejected
		for i, ejected := range []int{1, 0} {
			if s := g.Stats()[i]; s.Ejected != ejected || s.BreakerOpened != 0 {
				t.Errorf("%d: %+v", i, s)
			}
		}
		// It says that the upstream answers, between failures that say it does not.
		p := strict(1, nil).at(0)
		p.fail(t, 4)
		unwellTimes(p, 1)
		p.fail(t, 4)
		if s := p.group.Stats()[0]; s.BreakerOpened != 0 || s.Failures != 9 {
			t.Errorf("%+v", s)
		}
		p.fail(t, 1)
		time.Sleep(5*time.Second + 1)
		p.settle(p.now(t), unwell)
		if s := p.group.Stats()[0]; s.BreakerOpened != 1 || s.BreakerOpen+s.BreakerHalfOpen != 0 || s.Returning != 1 {
			t.Errorf("behind a trial that was answered: %+v", s)
		}
	})
}

func TestAnOpenBreakerIsToldInRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := strict(2, nil)
		if d := g.RetryAfter(time.Now()); d != 0 {
			t.Errorf("%v before anything failed", d)
		}
		g.at(0).fail(t, 3)
		g.at(0).fail(t, 2)
		time.Sleep(2 * time.Second)
		if d := g.RetryAfter(time.Now()); d != 0 {
			t.Errorf("%v with one left", d)
		}
		g.at(1).fail(t, 5)
		if d := g.RetryAfter(time.Now()); d != 3*time.Second {
			t.Errorf("%v", d)
		}
		a := attempt{pools: *g.pools.Load(), now: g.clock()}
		if _, _, err := g.choose(&a); err != ErrUnavailable { //nolint:errorlint // the sentinel itself
			t.Errorf("%v", err)
		}
		time.Sleep(3*time.Second + 1)
		a.now = g.clock()
		if at, l, err := g.choose(&a); at != 0 || l.trial == nil || err != nil {
			t.Errorf("%d, %v", at, err)
		}
	})
}

func TestATrialThatPanicsMakesRoomForAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := strict(1, func(c *GroupConfig) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) { panic("a fault of ours") }
		})
		g.at(0).fail(t, 5)
		time.Sleep(5*time.Second + 1)
		for range 3 {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no trial")
					}
				}()
				_, _ = g.Do(&fasthttp.RequestCtx{}, &Request{Method: []byte("GET"), ContentLength: NoBody}, nil)
			}()
		}
		if s := g.Stats()[0]; s.InFlight != 0 || s.Open != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAnAddressThatIsTakenOutLosesItsIdleConnections(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ addresses, failures int }{"ejected": {2, 3}, "broken": {1, 5}} {
		g := strict(c.addresses, func(cfg *GroupConfig) {
			cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
				here, there := net.Pipe()
				_ = there.Close()
				return here, nil
			}
		})
		p := g.at(0)
		conn, err := p.take(&call{}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		p.put(conn, time.Now())
		p.fail(t, c.failures-1)
		if n := p.connections.Load(); n != 1 {
			t.Errorf("%s: %d connections before", name, n)
		}
		p.fail(t, 1)
		if n := p.connections.Load(); n != 0 {
			t.Errorf("%s: %d connections", name, n)
		}
	}
}

// The lock is held for the whole test: whoever asks for it waits for ever.
func TestTheHealthyPathTakesNoLock(t *testing.T) {
	t.Parallel()
	g := strict(2, nil)
	for i := range 2 {
		g.at(i).mu.Lock()
		defer g.at(i).mu.Unlock()
	}
	g.ejecting.Lock()
	defer g.ejecting.Unlock()
	g.changing.Lock()
	defer g.changing.Unlock()
	for range 100 {
		a := attempt{pools: *g.pools.Load(), now: g.clock()}
		at, l, err := g.choose(&a)
		if err != nil {
			t.Fatal(err)
		}
		a.pools[at].settle(&l, good)
		a.pools[at].settle(&l, neither)
	}
}
