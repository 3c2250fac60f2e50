package overload

import (
	"errors"
	"sync"
	"testing"
	"time"
)

func newTestShedder(t testing.TB, c ShedderConfig) *Shedder {
	t.Helper()
	s, err := NewShedder(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// limitTo makes the process so late that the limit comes down to its floor.
func (s *Shedder) limitTo(t testing.TB) {
	t.Helper()
	now := time.Unix(1, 0)
	for range 10_000 {
		s.Observe(time.Second, now)
		now = now.Add(10 * time.Millisecond)
	}
	if s.limit.Load() != s.state.floor {
		t.Fatalf("limit %d", s.limit.Load())
	}
}

func enter(t *testing.T, s *Shedder, site *SiteShare, n int, want Outcome) {
	t.Helper()
	for range n {
		if got := s.Enter(site); got != want {
			t.Fatalf("%v at %+v, want %v", got, s.Stats(), want)
		}
	}
}

func TestWorkIsShedInOrder(t *testing.T) {
	t.Parallel()
	s := newTestShedder(t, ShedderConfig{Floor: 100, Ceiling: 1000})
	greedy, modest := s.Site(1), s.Site(1)
	s.limitTo(t)
	enter(t, s, greedy, 70, Admitted)
	enter(t, s, modest, 5, Admitted)
	if s.Verify() != Admitted {
		t.Error("a new token is refused below three quarters of the limit")
	}
	enter(t, s, modest, 1, Admitted)
	// First: new verifications.
	if s.Verify() != Refused {
		t.Error("a new token is verified at three quarters of the limit")
	}
	enter(t, s, greedy, 24, Admitted)
	s.Observe(0, time.Time{}) // both are active: half of 100 each
	// Then: sites over their share.
	enter(t, s, greedy, 10, Refused)
	enter(t, s, modest, 44, Admitted)
	enter(t, s, modest, 1, Refused)
	if got, want := s.Stats(), (ShedStats{InFlight: 144, Limit: 100, Verifications: 1, OverShare: 11, LateWindows: got(s)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func got(s *Shedder) uint64 { return s.lateWindows.Load() }

func TestALineOfNewTokensKeepsNobodyElseOut(t *testing.T) {
	t.Parallel()
	s := newTestShedder(t, ShedderConfig{Floor: 100, Ceiling: 1000})
	site := s.Site(1)
	enter(t, s, site, 300, Admitted)
	for range 300 {
		s.StepAside(site)
	}
	s.limitTo(t)
	enter(t, s, site, 100, Admitted)
	enter(t, s, site, 1, Refused)
	for range 300 {
		s.StepBack(site)
		s.Leave(site)
	}
	if n := s.Stats().InFlight; n != 100 || site.InFlight() != 100 {
		t.Errorf("%d in flight, %d of the site", n, site.InFlight())
	}
}

func TestCeilingHoldsForEverybody(t *testing.T) {
	t.Parallel()
	s := newTestShedder(t, ShedderConfig{Floor: 1, Ceiling: 10, Fixed: true})
	a, b := s.Site(1), s.Site(1)
	enter(t, s, a, 10, Admitted)
	enter(t, s, a, 1, Refused)
	enter(t, s, b, 1, Refused) // the rest
	if st := s.Stats(); st.Rest != 2 || st.InFlight != 10 {
		t.Errorf("%+v", st)
	}
	for range 10 {
		s.Leave(a)
	}
	enter(t, s, b, 10, Admitted)
	if a.InFlight() != 0 || b.InFlight() != 10 {
		t.Errorf("%d, %d", a.InFlight(), b.InFlight())
	}
}

// What one site has waiting for its slow upstream takes nothing from others.
func TestSiteUnderItsShareIsNeverShedBeforeOneOverIt(t *testing.T) {
	t.Parallel()
	s := newTestShedder(t, ShedderConfig{Floor: 90, Ceiling: 10_000})
	slow, other, quiet := s.Site(1), s.Site(1), s.Site(1)
	enter(t, s, slow, 5000, Admitted)
	s.limitTo(t)
	enter(t, s, slow, 1, Refused)
	enter(t, s, other, 45, Admitted) // one of two that are active
	s.Observe(0, time.Time{})
	enter(t, s, quiet, 30, Admitted) // one of three
	enter(t, s, quiet, 1, Refused)
	enter(t, s, slow, 1, Refused)
}

func TestSharesFollowWeights(t *testing.T) {
	t.Parallel()
	s := newTestShedder(t, ShedderConfig{Floor: 400, Ceiling: 10_000})
	small, big := s.Site(1), s.Site(3)
	s.limitTo(t)
	enter(t, s, small, 399, Admitted)
	enter(t, s, big, 1, Admitted)
	s.Observe(0, time.Time{})
	if small.share.Load() != 100 || big.share.Load() != 300 {
		t.Errorf("%d, %d", small.share.Load(), big.share.Load())
	}
	enter(t, s, big, 299, Admitted)
	enter(t, s, big, 1, Refused)
	enter(t, s, small, 1, Refused)
	s.Forget(big)
	if small.share.Load() != 400 {
		t.Errorf("%d for the only site", small.share.Load())
	}
}

func TestFixedLimitStays(t *testing.T) {
	t.Parallel()
	s := newTestShedder(t, ShedderConfig{Fixed: true})
	now := time.Unix(1, 0)
	for range 1000 {
		s.Observe(time.Second, now)
		now = now.Add(10 * time.Millisecond)
	}
	if st := s.Stats(); st.Limit != defaultCeiling || st.LateWindows != 0 {
		t.Errorf("%+v", st)
	}
}

func TestLoneRequestMayAlwaysVerify(t *testing.T) {
	t.Parallel()
	s := newTestShedder(t, ShedderConfig{Floor: 1, Ceiling: 1})
	enter(t, s, s.Site(1), 1, Admitted)
	if s.Verify() != Admitted {
		t.Error("nobody could ever log in")
	}
}

func TestShedderOutsideItsBoundsIsAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []ShedderConfig{
		{Floor: -1}, {Floor: 11, Ceiling: 10}, {Ceiling: -1}, {Ceiling: maxCeiling + 1}, {Target: time.Microsecond}, {Target: time.Minute},
	} {
		if _, err := NewShedder(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestNothingStaysInFlightAfterARace(t *testing.T) {
	t.Parallel()
	s := newTestShedder(t, ShedderConfig{Floor: 1, Ceiling: 50})
	sites := []*SiteShare{s.Site(1), s.Site(2)}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			site := sites[i%2]
			for n := range 2000 {
				if s.Enter(site) == Admitted {
					s.Verify()
					s.Leave(site)
				}
				if n%100 == 0 {
					s.Observe(time.Second, time.Now())
				}
			}
		})
	}
	all.Wait()
	if st := s.Stats(); st.InFlight != 0 || sites[0].InFlight() != 0 || sites[1].InFlight() != 0 {
		t.Errorf("%+v", st)
	}
}
