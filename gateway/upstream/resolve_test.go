package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// directory answers look-ups.
type directory struct {
	mu    sync.Mutex
	hosts []string
	found []netip.Addr
	err   error
}

func (s *directory) set(err error, addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found, s.err = nil, err
	for _, a := range addresses {
		s.found = append(s.found, netip.MustParseAddr(a))
	}
}

func (s *directory) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hosts = append(s.hosts, network+" "+host)
	return s.found, s.err
}

func (s *directory) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hosts)
}

func (g *Group) addresses() []string {
	var all []string
	for _, p := range *g.pools.Load() {
		all = append(all, p.address)
	}
	return all
}

// named is a group of one name, at every address of which somebody answers.
func named(t *testing.T, s *directory, change func(*GroupConfig)) (*Group, func()) {
	t.Helper()
	g := strict(0, func(c *GroupConfig) {
		c.Endpoints = []Endpoint{{Address: "up.example:8080"}}
		c.Resolve = ResolveConfig{Interval: 30 * time.Second, Resolver: s}
		c.Dial = func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, there); _ = there.Close() }()
			return here, nil
		}
		if change != nil {
			change(c)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); g.Run(ctx) }()
	return g, func() { cancel(); <-done; g.Close() }
}

func TestANameIsDialledUntilItIsLookedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &directory{}
		s.set(errors.New("no server"))
		g, end := named(t, s, nil)
		defer end()
		synctest.Wait()
		if got := fmt.Sprint(g.addresses()); got != "[up.example:8080]" {
			t.Error(got)
		}
		s.set(nil, "192.0.2.2", "2001:db8::1", "192.0.2.1", "::ffff:192.0.2.2")
		time.Sleep(33 * time.Second)
		if got := fmt.Sprint(g.addresses()); got != "[192.0.2.1:8080 192.0.2.2:8080 [2001:db8::1]:8080]" {
			t.Error(got)
		}
		stats := g.Stats()
		if len(stats) != 1 || stats[0].Address != "up.example:8080" || stats[0].Addresses != 3 || stats[0].Up != 3 ||
			stats[0].Lookups != 2 || stats[0].FailedLookups != 1 {
			t.Errorf("%+v", stats)
		}
		if !slices.Equal(s.hosts, []string{"ip up.example", "ip up.example"}) {
			t.Errorf("%q", s.hosts)
		}
		for i := range 3 {
			if host := string(g.at(i).host); host != "up.example:8080" {
				t.Errorf("host %q", host)
			}
		}
	})
}

func TestAFailedLookUpKeepsTheLastAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &directory{}
		s.set(nil, "192.0.2.1", "192.0.2.2")
		g, end := named(t, s, nil)
		defer end()
		synctest.Wait()
		before := *g.pools.Load()
		for _, err := range []error{&net.DNSError{IsNotFound: true}, errors.New("timeout"), nil} {
			s.set(err)
			time.Sleep(33 * time.Second)
			if !slices.Equal(before, *g.pools.Load()) {
				t.Errorf("%v: %v", err, g.addresses())
			}
		}
		if s := g.Stats()[0]; s.FailedLookups != 3 || s.Lookups < 4 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAddressesThatAreGoneAreDrained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &directory{}
		s.set(nil, "192.0.2.1", "192.0.2.2")
		g, end := named(t, s, nil)
		defer end()
		synctest.Wait()
		stays, goes := g.at(0), g.at(1)
		var used []*conn
		for _, p := range []*Pool{stays, goes} {
			for range 2 {
				c, err := p.take(&call{renew: true}, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				used = append(used, c)
			}
		}
		stays.put(used[0], time.Now())
		goes.put(used[2], time.Now())
		goes.fail(t, 3)
		s.set(nil, "192.0.2.1", "192.0.2.3")
		time.Sleep(33 * time.Second)
		if g.at(0) != stays || g.at(1).address != "192.0.2.3:8080" || g.at(1).doubt.Load() != 0 {
			t.Fatalf("%v", g.addresses())
		}
		// The idle one was closed, the one in use was not.
		if stays.connections.Load() != 2 || goes.connections.Load() != 1 || g.Stats()[0].Open != 3 || g.Stats()[0].InFlight != 2 {
			t.Errorf("%d, %d, %+v", stays.connections.Load(), goes.connections.Load(), g.Stats()[0])
		}
		goes.put(used[3], time.Now())
		if goes.connections.Load() != 0 {
			t.Error("kept although its address is gone")
		}
		time.Sleep(33 * time.Second)
		g.changing.Lock()
		if n := len(g.members[0].drained); n != 0 {
			t.Errorf("%d drained addresses kept", n)
		}
		g.changing.Unlock()
		stays.put(used[1], time.Now())
	})
}

func TestWhatIsNeverLookedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &directory{}
		s.set(nil, "192.0.2.9")
		g, end := named(t, s, func(c *GroupConfig) {
			c.Endpoints = []Endpoint{
				{Address: "192.0.2.1:80"},
				{Address: "[2001:db8::1]:80"},
				{Address: "[fe80::1%eth0]:80"},
				{Address: "LocalHost:80"},
				{Network: "unix", Address: "/run/up.sock"},
			}
		})
		time.Sleep(time.Hour)
		if n := s.asked(); n != 0 || len(g.addresses()) != 5 || g.addresses()[0] != "192.0.2.1:80" {
			t.Errorf("asked %d times, %v", n, g.addresses())
		}
		end()

		g, end = named(t, s, func(c *GroupConfig) { c.Resolve.Interval = 0 })
		time.Sleep(time.Hour)
		if n := s.asked(); n != 0 || g.addresses()[0] != "up.example:8080" {
			t.Errorf("switched off: asked %d times, %v", n, g.addresses())
		}
		end()
	})
}

func TestLookUpsAreSpacedAndEndWithTheirContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &directory{}
		s.set(nil, "192.0.2.1")
		_, end := named(t, s, nil)
		time.Sleep(10 * 30 * time.Second)
		n := s.asked()
		if n < 10 || n > 12 {
			t.Errorf("%d look-ups", n)
		}
		end()
		time.Sleep(time.Hour)
		if s.asked() != n {
			t.Error("looked up behind the end")
		}
	})
}

func TestANameOfManyAddressesIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &directory{}
		var many []string
		for i := range 200 {
			many = append(many, fmt.Sprintf("192.0.2.%d", i))
		}
		s.set(nil, many...)
		g, end := named(t, s, nil)
		defer end()
		synctest.Wait()
		if n := len(g.addresses()); n != maxAddresses {
			t.Errorf("%d addresses", n)
		}
	})
}

func TestNewAddressesAreAskedForTheirHealthAndOldOnesNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{}
		p.status.Store(200)
		s := &directory{}
		s.set(nil, "192.0.2.1")
		_, end := named(t, s, func(c *GroupConfig) {
			c.Dial = p.dial
			c.Health = &HealthConfig{Path: "/", Interval: time.Second, Timeout: time.Second}
		})
		asked := func() []string {
			time.Sleep(33 * time.Second) // what was asked before the look-up
			p.mu.Lock()
			p.asked = nil
			p.mu.Unlock()
			time.Sleep(10 * time.Second)
			p.mu.Lock()
			defer p.mu.Unlock()
			slices.Sort(p.asked)
			return slices.Compact(slices.Clone(p.asked))
		}
		if got := asked(); !slices.Equal(got, []string{"192.0.2.1:8080 GET up.example:8080 /"}) {
			t.Errorf("%q", got)
		}
		s.set(nil, "192.0.2.2")
		if got := asked(); !slices.Equal(got, []string{"192.0.2.2:8080 GET up.example:8080 /"}) {
			t.Errorf("%q", got)
		}
		end()
	})
}

func TestCloseHoldsForAddressesThatComeLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &directory{}
		s.set(nil, "192.0.2.1")
		g, end := named(t, s, nil)
		defer end()
		synctest.Wait()
		g.Close()
		s.set(nil, "192.0.2.2")
		time.Sleep(33 * time.Second)
		if got := g.addresses(); !slices.Equal(got, []string{"192.0.2.1:8080"}) || !g.at(0).closed.Load() {
			t.Errorf("%v", got)
		}
	})
}
