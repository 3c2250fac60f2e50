package overload

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

func rateLimits(t testing.TB, c RateLimitsConfig) *RateLimits {
	t.Helper()
	l, err := NewRateLimits(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func numbered(n int) *Key {
	var k Key
	binary.BigEndian.PutUint64(k[:], uint64(n)+1)
	return &k
}

func TestEachLimitRefusesForItself(t *testing.T) {
	t.Parallel()
	now := time.Now()
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")

	l := rateLimits(t, RateLimitsConfig{Source: Rate{1, 2}})
	for i, want := range []Limit{LimitNone, LimitNone, LimitSource} {
		if d := l.Arrive(one, now); d.Over != want || (d.RetryAfter > 0) != (want != LimitNone) {
			t.Errorf("request %d: %+v, want %v", i, d, want)
		}
	}
	if d := l.Arrive(other, now); d.Over != LimitNone {
		t.Errorf("another source: %+v", d)
	}
	if d := l.Arrive(one, now.Add(time.Second)); d.Over != LimitNone {
		t.Errorf("a second later: %+v", d)
	}

	l = rateLimits(t, RateLimitsConfig{Client: Rate{1, 1}})
	if d := l.Client(numbered(1), now); d.Over != LimitNone {
		t.Errorf("%+v", d)
	}
	if d := l.Client(numbered(1), now); d.Over != LimitClient || d.RetryAfter != time.Second {
		t.Errorf("%+v", d)
	}
	if d := l.Client(numbered(2), now); d.Over != LimitNone {
		t.Errorf("another client: %+v", d)
	}
	if s := l.Stats(); s != (RateStats{Client: 1}) {
		t.Errorf("%+v", s)
	}
}

func TestSourceOverItsRateUsesUpNothingOfTheSite(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l := rateLimits(t, RateLimitsConfig{Site: Rate{1, 3}, Source: Rate{1, 1}})
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for range 100 {
		l.Arrive(one, now)
	}
	if d := l.Arrive(other, now); d.Over != LimitNone {
		t.Errorf("%+v", d)
	}
	third := netip.MustParseAddr("192.0.2.3")
	if d := l.Arrive(third, now); d.Over != LimitNone {
		t.Errorf("%+v", d)
	}
	if d := l.Arrive(netip.MustParseAddr("192.0.2.4"), now); d.Over != LimitSite || d.RetryAfter != time.Second {
		t.Errorf("%+v", d)
	}
	if s := l.Stats(); s != (RateStats{Site: 1, Source: 99}) {
		t.Errorf("%+v", s)
	}
}

func TestNoLimitsLetEverythingThrough(t *testing.T) {
	t.Parallel()
	l := rateLimits(t, RateLimitsConfig{})
	if l != nil {
		t.Fatal("limits for nothing")
	}
	now := time.Now()
	if l.Arrive(netip.Addr{}, now) != (RateDecision{}) || l.Client(numbered(1), now) != (RateDecision{}) || l.Clients() || l.Stats() != (RateStats{}) {
		t.Error("nil refuses")
	}
}

func TestSourceIsAnIPv4AddressOrAnIPv6Network(t *testing.T) {
	t.Parallel()
	key := func(s string) Key { return SourceKey(netip.MustParseAddr(s)) }
	for _, same := range [][2]string{
		{"2001:db8::1", "2001:db8::ffff:1"}, {"192.0.2.1", "::ffff:192.0.2.1"}, {"fe80::1%eth0", "fe80::2"},
	} {
		if key(same[0]) != key(same[1]) {
			t.Errorf("%s and %s are two", same[0], same[1])
		}
	}
	for _, other := range [][2]string{
		{"2001:db8::1", "2001:db8:0:1::1"}, {"192.0.2.1", "192.0.2.2"}, {"192.0.2.1", "::1"},
	} {
		if key(other[0]) == key(other[1]) {
			t.Errorf("%s and %s are one", other[0], other[1])
		}
	}
	if SourceKey(netip.Addr{}) != (Key{}) {
		t.Error("no address")
	}
}

func TestTableIsBoundedAndCrowdsOnlyNewcomers(t *testing.T) {
	t.Parallel()
	l := rateLimits(t, RateLimitsConfig{Client: Rate{1, 10}, MaxKeys: 64})
	if len(l.client.sets) != 8 {
		t.Fatalf("%d sets", len(l.client.sets))
	}
	now := time.Now()
	// Those who were there first.
	for n := range 32 {
		l.Client(numbered(n), now)
	}
	crowded := l.Stats().Crowded
	// A flood of keys, each once: the free places, and the spare bucket of each
	// set, at the rate of one.
	admitted := 0
	for n := range 100_000 {
		if l.Client(numbered(1000+n), now).Over == LimitNone {
			admitted++
		}
	}
	if most := 64 + 8*10; admitted > most || admitted < 8*10 {
		t.Errorf("%d newcomers let through, want at most %d", admitted, most)
	}
	if l.Stats().Crowded == crowded {
		t.Error("no spare bucket was used")
	}
	// They still have what they had, where they had a place.
	kept := 0
	for n := range 32 {
		for range 9 {
			if l.Client(numbered(n), now).Over == LimitNone {
				kept++
			}
		}
	}
	if kept < 9*20 {
		t.Errorf("%d of %d are left to those who were there first", kept, 9*32)
	}
	// A bucket that is full again makes room.
	later := now.Add(11 * time.Second)
	before := l.Stats().Crowded
	for n := range 8 {
		if d := l.Client(numbered(1_000_000+n), later); d.Over != LimitNone {
			t.Errorf("%+v", d)
		}
	}
	if l.Stats().Crowded != before {
		t.Error("crowded though all are idle")
	}
}

// A request that was delayed on its way must not find its bucket twice.
func TestTimeThatGoesBackOpensNoSecondBucket(t *testing.T) {
	t.Parallel()
	l := rateLimits(t, RateLimitsConfig{Client: Rate{1, 1}, MaxKeys: 8})
	now := time.Now()
	l.Client(numbered(1), now)                                  // in use until now + 1 s
	l.Client(numbered(2), now.Add(2*time.Second))               // takes a place
	l.Client(numbered(1), now.Add(2*time.Second))               // its own was given up
	if d := l.Client(numbered(1), now); d.Over != LimitClient { // from before
		t.Errorf("%+v", d)
	}
}

func TestKeysOutsideTheirBoundsAreAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []RateLimitsConfig{
		{Client: Rate{1, 1}, MaxKeys: 7},
		{Source: Rate{1, 1}, MaxKeys: maxKeys + 1},
		{Client: Rate{1, 1}, MaxKeys: -1},
		{Site: Rate{-1, 0}},
		{Client: Rate{-1, 0}},
		{Source: Rate{-1, 0}},
	} {
		if _, err := NewRateLimits(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestRateLimitsHoldUnderConcurrency(t *testing.T) {
	t.Parallel()
	l := rateLimits(t, RateLimitsConfig{Site: Rate{1, 500}, Source: Rate{1, 100}, MaxKeys: 64})
	now := time.Now()
	var admitted [10]atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 10_000 {
				who := n % len(admitted)
				if l.Arrive(netip.AddrFrom4([4]byte{192, 0, 2, byte(who)}), now).Over == LimitNone {
					admitted[who].Add(1)
				}
			}
		})
	}
	all.Wait()
	total := int64(0)
	for who := range admitted {
		n := admitted[who].Load()
		if n > 100 {
			t.Errorf("source %d: %d", who, n)
		}
		total += n
	}
	if total != 500 {
		t.Errorf("%d of the site's 500", total)
	}
}

func TestSetsShareNoCacheLine(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(set{}); size != 256 {
		t.Errorf("%d bytes", size)
	}
}

func TestLimitsHaveNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for l := range limits {
		seen[l.String()] = true
	}
	if len(seen) != int(limits) || Limit(200).String() != "none" {
		t.Errorf("%v", seen)
	}
}
