//go:build !race

package overload

import (
	"net/netip"
	"testing"
	"time"
)

func TestDecisionsAllocateNothing(t *testing.T) {
	now := time.Now()
	l := rateLimits(t, RateLimitsConfig{Site: Rate{1000, 10}, Client: Rate{1000, 10}, Source: Rate{1000, 10}, MaxKeys: 64})
	s := newTestShedder(t, ShedderConfig{Floor: 1, Ceiling: 1})
	site := s.Site(1)
	v, err := NewVerifications(VerificationsConfig{Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	waitOnce := func() {
		if v.Acquire(now) == Admitted {
			v.Release(now, time.Millisecond) // so that the next one waits
		}
	}
	waitOnce()
	waitOnce()
	n := 0
	for what, f := range map[string]func(){
		"Arrive":  func() { n++; l.Arrive(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), now) },
		"Client":  func() { n++; l.Client(numbered(n), now) },
		"Enter":   func() { s.Enter(site) },
		"Verify":  func() { s.Verify() },
		"Observe": func() { s.Observe(0, now) },
		"Acquire": waitOnce,
	} {
		if got := testing.AllocsPerRun(1000, f); got != 0 {
			t.Errorf("%s: %v allocations", what, got)
		}
	}
	if v.Stats().AfterWait == 0 {
		t.Error("nobody waited")
	}
}
