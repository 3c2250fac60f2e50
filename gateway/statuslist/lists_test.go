package statuslist

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

func TestStatusesAreThoseOfTheList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, nil, 0, 1, 2, 3, 4, 0x0c, 0x0f, 0xff)}
		cfg := goodConfig(t, p, ring(s))
		cfg.AllowedValues = []uint8{0x0c}
		l := open(t, cfg)
		want := []Status{
			Valid, Invalid, Suspended, ApplicationSpecific, Reserved, Accepted, ApplicationSpecific, Reserved, OutOfRange,
		}
		for i, want := range want {
			if got := l.check(t, listURI, uint64(i)); got != want {
				t.Errorf("entry %d is %s, not %s", i, got, want)
			}
			if got := l.Peek(listURI, uint64(i), time.Now()); got != want {
				t.Errorf("entry %d is %s, not %s", i, got, want)
			}
		}
		stats := l.Stats()
		for status, n := range map[Status]uint64{Valid: 2, ApplicationSpecific: 4, OutOfRange: 2, Unknown: 0, Foreign: 0} {
			if stats.Checks[status.String()] != n {
				t.Errorf("%s: %d", status, stats.Checks[status.String()])
			}
		}
		if p.count() != 1 || stats.Lists != 1 || stats.Missing != 0 || stats.Bytes != footprint(8) || stats.Waits != 1 ||
			stats.Fetches["changed"] != 1 || !stats.LastSuccess.Equal(time.Now()) {
			t.Errorf("%d fetches, %+v", p.count(), stats)
		}
	})
}

// blocked never answers before its time is over.
func blocked(ctx context.Context, _ string) ([]byte, error) {
	<-ctx.Done()
	return nil, context.Canceled
}

func TestARequestWaitsNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	for _, wait := range []time.Duration{0, 100 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s := newSigner(t, "k")
			cfg := goodConfig(t, &provider{answer: blocked}, ring(s))
			cfg.Wait = wait
			l := open(t, cfg)
			for range 3 {
				start := time.Now()
				if got := l.check(t, listURI, 0); got != Unknown {
					t.Error(got)
				}
				if took := time.Since(start); took != wait {
					t.Errorf("waited %s of %s", took, wait)
				}
			}
			start := time.Now()
			if got := l.Peek(listURI, 0, start); got != Unknown || time.Since(start) != 0 {
				t.Errorf("%s after %s", got, time.Since(start))
			}
			if stats := l.Stats(); wait != 0 && stats.Timeouts != 3 || stats.Waits != 0 || stats.Waiting != 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

func TestARequestThatIsGoneDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		l := open(t, goodConfig(t, &provider{answer: blocked}, ring(s)))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		if got := l.Check(ctx, listURI, 0, start); got != Unknown || time.Since(start) != 0 {
			t.Errorf("%s after %s", got, time.Since(start))
		}
	})
}

func TestAllThatWaitForAListShareOneFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		good := serves(t, s, nil, 0)
		p := &provider{answer: func(ctx context.Context, uri string) ([]byte, error) {
			time.Sleep(50 * time.Millisecond)
			return good(ctx, uri)
		}}
		cfg := goodConfig(t, p, ring(s))
		cfg.Waiters = 80
		l := open(t, cfg)
		var requests sync.WaitGroup
		for range 100 {
			requests.Go(func() { l.check(t, listURI, 0) })
		}
		requests.Wait()
		stats := l.Stats()
		if p.count() != 1 || stats.Waits != 80 || stats.Crowded != 20 || stats.Checks["valid"] != 80 || stats.Checks["unknown"] != 20 {
			t.Errorf("%d fetches, %+v", p.count(), stats)
		}
	})
}

func TestAnAddressThatIsNotCoveredIsNeverFetched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, nil, 0)}
		cfg := goodConfig(t, p, ring(s))
		cfg.AllowUnknown = true
		l := open(t, cfg)
		for _, uri := range []string{"https://169.254.169.254/latest", testIssuer + "/statuslists/../admin", ""} {
			if got := l.check(t, uri, 0); got != Foreign || l.Allows(got) || l.Peek(uri, 0, time.Now()) != Foreign {
				t.Errorf("%q: %s", uri, got)
			}
		}
		synctest.Wait()
		if p.count() != 0 || l.Stats().Lists != 0 {
			t.Errorf("%d fetches", p.count())
		}
	})
}

func TestAnIssuerWithoutListsHasNoStatuses(t *testing.T) {
	t.Parallel()
	var l *Lists
	if l.check(t, listURI, 0) != Foreign || l.Peek(listURI, 0, time.Now()) != Foreign || l.Allows(Foreign) || l.Allows(Unknown) {
		t.Error("a nil Lists knows something")
	}
}

func TestAnIssuerCannotHaveMoreListsThanItMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, nil, 0)}
		cfg := goodConfig(t, p, ring(s))
		cfg.MaxLists, cfg.IdleAfter = 3, 10*time.Minute
		l := open(t, cfg)
		uri := func(i int) string { return fmt.Sprintf("%s/statuslists/%d", testIssuer, i) }
		for i := range 5 {
			want := Valid
			if i >= 3 {
				want = Unknown
			}
			if got := l.check(t, uri(i), 0); got != want {
				t.Errorf("list %d: %s", i, got)
			}
		}
		if stats := l.Stats(); stats.Lists != 3 || stats.Full != 2 || p.count() != 3 {
			t.Errorf("%d fetches, %+v", p.count(), stats)
		}
		// Those that no token refers to make room in time.
		for range 15 {
			time.Sleep(time.Minute)
			l.check(t, uri(0), 0)
		}
		if got := l.check(t, uri(4), 0); got != Valid || l.Stats().Lists != 2 {
			t.Errorf("%s, %+v", got, l.Stats())
		}
		if used := cfg.Memory.Used(); used != 2*footprint(1) || l.Stats().Bytes != used {
			t.Errorf("%d bytes of memory", used)
		}
	})
}

func TestAListThatIsNamedIsFetchedFromTheStartAndAlwaysHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		cfg := goodConfig(t, &provider{answer: serves(t, s, nil, 1)}, ring(s))
		cfg.Addresses, cfg.IdleAfter = []string{listURI}, time.Minute
		l := open(t, cfg)
		synctest.Wait()
		if got := l.Peek(listURI, 0, time.Now()); got != Invalid {
			t.Error(got)
		}
		time.Sleep(2 * time.Hour)
		if got := l.Peek(listURI, 0, time.Now()); got != Invalid || l.Stats().OldestAge > time.Minute {
			t.Errorf("%s, %+v", got, l.Stats())
		}
		cfg.Before, cfg.MaxLists, cfg.Addresses = nil, 1, []string{listURI, listURI + "1"}
		if _, err := New(cfg); !errors.Is(err, ErrConfig) {
			t.Error(err)
		}
	})
}

func TestCloseEndsEverythingAndForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		cfg := goodConfig(t, &provider{answer: serves(t, s, nil, 0)}, ring(s))
		l := open(t, cfg)
		l.check(t, listURI, 0)
		slow := goodConfig(t, &provider{answer: blocked}, ring(s))
		slow.Memory = cfg.Memory
		waiting := open(t, slow)
		waiting.Peek(listURI, 0, time.Now())
		synctest.Wait()
		l.Close()
		waiting.Close()
		if got := l.check(t, listURI, 0); got != Unknown || l.Stats().Lists != 0 || cfg.Memory.Used() != 0 {
			t.Errorf("%s, %+v, %d bytes", got, l.Stats(), cfg.Memory.Used())
		}
		if n := waiting.Stats().Fetches["other"]; n != 0 {
			t.Errorf("what the end cut short counts as %d failures", n)
		}
		l.Close()
	})
}

// A reload leaves no token without its status, and does not raise the rate of fetches.
func TestAReloadTakesOverWhatIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, nil, 2)}
		cfg := goodConfig(t, p, ring(s))
		cfg.Burst, cfg.Every = 4, time.Hour
		l := open(t, cfg)
		l.check(t, listURI, 0)
		l.check(t, testIssuer+"/statuslists/2", 0)
		for range 200 {
			cfg.Before, cfg.Wait, cfg.Addresses = l, 0, []string{listURI, testIssuer + "/statuslists/n/"}
			next := open(t, cfg)
			l.Close()
			l = next
			if got := l.check(t, listURI, 0); got != Suspended {
				t.Fatal(got)
			}
			if got := l.check(t, testIssuer+"/statuslists/2", 0); got != Foreign {
				t.Fatal(got)
			}
			if used := cfg.Memory.Used(); used != footprint(1) {
				t.Fatalf("%d bytes of memory", used)
			}
		}
		for i := range 10 {
			l.Peek(fmt.Sprintf("%s/statuslists/n/%d", testIssuer, i), 0, time.Now())
		}
		synctest.Wait()
		if p.count() != 4 {
			t.Errorf("%d fetches", p.count())
		}
	})
}

func TestRequestsAndRefreshesGoTogether(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "k")
	var n int
	p := &provider{}
	p.set(func(ctx context.Context, uri string) ([]byte, error) {
		n++
		return serves(t, s, nil, byte(n%2), 0)(ctx, uri)
	})
	cfg := goodConfig(t, p, ring(s))
	cfg.Wait, cfg.Burst = time.Minute, 1<<20
	l := open(t, cfg)
	if got := l.check(t, listURI, 1); got != Valid {
		t.Fatal(got)
	}
	li := (*l.held.Load())[listURI]
	var requests sync.WaitGroup
	for i := range 4 {
		requests.Go(func() {
			for range 200 {
				if got := l.check(t, listURI, uint64(i%2)); got != Valid && (i%2 == 1 || got != Invalid) {
					t.Errorf("entry %d is %s", i%2, got)
				}
				if f := li.ask(0, time.Now()); f != nil {
					<-f.done
				}
				l.Stats()
			}
		})
	}
	requests.Wait()
	if l.Version() < 2 {
		t.Errorf("version %d", l.Version())
	}
}

func TestABrokenBackendIsLeftAloneButOneMissingListIsNot(t *testing.T) {
	t.Parallel()
	for err, opens := range map[error]bool{
		identity.ErrUnreachable: true, identity.ErrTimeout: true, identity.ErrUntrusted: true, identity.ErrStatus: true,
		identity.ErrAbsent: false, identity.ErrMalformed: false, identity.ErrTooLarge: false, identity.ErrRedirect: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSigner(t, "k")
			p := &provider{answer: func(context.Context, string) ([]byte, error) { return nil, err }}
			guard := identity.NewGuard(identity.GuardConfig{BreakAfter: 3, BreakFor: time.Hour})
			cfg := goodConfig(t, p, ring(s))
			cfg.Breaker = guard
			l := open(t, cfg)
			l.Peek(listURI, 0, time.Now())
			time.Sleep(10 * time.Minute)
			if opened := guard.Stats().Opened == 1; opened != opens || opens && p.count() != 3 {
				t.Errorf("%v: opened %v after %d fetches", err, opened, p.count())
			}
			if l.Stats().Fetches[outcomeOf(err)] != uint64(p.count()) || opens && l.Stats().Fetches["breaker_open"] == 0 {
				t.Errorf("%v: %+v", err, l.Stats().Fetches)
			}
		})
	}
}
