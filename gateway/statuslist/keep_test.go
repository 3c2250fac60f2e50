package statuslist

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

func unreachable(context.Context, string) ([]byte, error) { return nil, identity.ErrUnreachable }

func TestARevocationIsSeenWithinTTLAndChangesTheVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, object{"ttl": 60}, 0, 0)}
		cfg := goodConfig(t, p, ring(s))
		var changes atomic.Int64
		cfg.Changed = func() { changes.Add(1) }
		l := open(t, cfg)
		if got := l.check(t, listURI, 1); got != Valid || l.Version() != 1 {
			t.Fatal(got, l.Version())
		}
		time.Sleep(10 * time.Minute)
		if l.Version() != 1 || changes.Load() != 1 || l.Stats().Fetches["unchanged"] == 0 {
			t.Errorf("a list that stays the same changes the version: %d, %+v", l.Version(), l.Stats().Fetches)
		}
		p.set(serves(t, s, object{"ttl": 60}, 0, 1))
		time.Sleep(60 * time.Second)
		synctest.Wait()
		if got := l.Peek(listURI, 1, time.Now()); got != Invalid || l.Version() != 2 || changes.Load() != 2 {
			t.Errorf("%s, version %d", got, l.Version())
		}
		if used := cfg.Memory.Used(); used != footprint(2) {
			t.Errorf("%d bytes: the edition before was not let go", used)
		}
		// Each wait is ttl, or up to a tenth shorter.
		for i := 1; i < len(p.at); i++ {
			if gap := p.at[i].Sub(p.at[i-1]); gap < 54*time.Second || gap > 60*time.Second {
				t.Errorf("fetched again after %s", gap)
			}
		}
	})
}

func TestBitsThatChangeAreAChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, nil, 0x02)}
		l := open(t, goodConfig(t, p, ring(s)))
		if got := l.check(t, listURI, 0); got != Suspended {
			t.Fatal(got)
		}
		p.set(serves(t, s, object{"status_list": object{"bits": 1, "lst": pack(t, []byte{0x02})}}))
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := l.Peek(listURI, 0, time.Now()); got != Valid || l.Version() != 2 {
			t.Errorf("%s, version %d", got, l.Version())
		}
	})
}

func TestAListThatCannotBeRefreshedCountsUntilTheHardLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, nil, 0)}
		cfg := goodConfig(t, p, ring(s))
		cfg.SoftStale, cfg.HardStale = 10*time.Minute, 20*time.Minute
		l := open(t, cfg)
		l.check(t, listURI, 0)
		p.set(unreachable)
		for _, c := range []struct {
			after         time.Duration
			want          Status
			soft, missing int
		}{
			{10*time.Minute - 1, Valid, 0, 0}, {1, Valid, 1, 0}, {10*time.Minute - 1, Valid, 1, 0}, {1, Unknown, 1, 1},
		} {
			time.Sleep(c.after)
			got, stats := l.check(t, listURI, 0), l.Stats()
			if got != c.want || stats.Soft != c.soft || stats.Missing != c.missing {
				t.Errorf("after %s: %s, %+v", stats.OldestAge, got, stats)
			}
		}
		p.set(serves(t, s, nil, 0))
		time.Sleep(lastRetry)
		synctest.Wait()
		if got := l.Peek(listURI, 0, time.Now()); got != Valid || l.Stats().Soft != 0 {
			t.Errorf("%s, %+v", got, l.Stats())
		}
	})
}

func TestAClockThatIsSetBackMakesNothingFresher(t *testing.T) {
	t.Parallel()
	e := &edition{bits: 8, key: newSigner(t, "k").key, fetched: time.Unix(1_750_000_000, 0)}
	for offset, want := range map[time.Duration]bool{
		0: true, time.Hour - 1: true, time.Hour: false, -time.Hour + 1: true, -time.Hour: false,
	} {
		if e.counts(e.fetched.Add(offset), time.Hour, 0) != want {
			t.Errorf("%s: %v", offset, !want)
		}
	}
}

// Token Status List section 13.7: a list must not be relied upon after exp.
func TestAListDoesNotCountAfterItsExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		start := time.Now()
		p := &provider{answer: serves(t, s, object{"exp": start.Add(100 * time.Second).Unix()}, 0)}
		l := open(t, goodConfig(t, p, ring(s)))
		l.check(t, listURI, 0)
		p.set(unreachable)
		time.Sleep(100*time.Second + leeway - 1)
		if got := l.check(t, listURI, 0); got != Valid {
			t.Errorf("just before: %s", got)
		}
		time.Sleep(time.Nanosecond)
		if got := l.check(t, listURI, 0); got != Unknown {
			t.Errorf("after: %s", got)
		}
		if len(p.at) < 2 || p.at[1].Sub(start) > 90*time.Second {
			t.Errorf("not fetched anew before exp: %v", p.at)
		}
	})
}

func TestAListGoesWithItsKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before, after := newSigner(t, "k1"), newSigner(t, "k2")
		keys := ring(before)
		p := &provider{answer: serves(t, before, nil, 0)}
		l := open(t, goodConfig(t, p, keys))
		l.check(t, listURI, 0)
		time.Sleep(10 * time.Second)
		keys.replace(after)
		// The list that the old key signed is worth nothing, and neither is what is still published.
		if got := l.check(t, listURI, 0); got != Unknown || l.Stats().Missing != 1 {
			t.Errorf("%s, %+v", got, l.Stats())
		}
		p.set(serves(t, after, nil, 1))
		time.Sleep(firstRetry)
		synctest.Wait()
		if got := l.Peek(listURI, 0, time.Now()); got != Invalid || l.Stats().Fetches["key_unknown"] != 1 {
			t.Errorf("%s, %+v", got, l.Stats().Fetches)
		}
	})
}

func TestARequestWaitsForTheListUnderTheNextKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before, after := newSigner(t, "k1"), newSigner(t, "k2")
		keys := ring(before)
		p := &provider{answer: serves(t, before, nil, 0)}
		l := open(t, goodConfig(t, p, keys))
		l.check(t, listURI, 0)
		time.Sleep(10 * time.Second)
		keys.replace(after)
		p.set(serves(t, after, nil, 0))
		if got := l.check(t, listURI, 0); got != Valid || p.count() != 2 {
			t.Errorf("%s after %d fetches", got, p.count())
		}
	})
}

// Whoever can replay what the issuer once signed cannot undo a revocation.
func TestAnOlderListDoesNotReplaceANewerOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		old := s.sign(t, nil, listClaims(t, listURI, time.Now().Add(-time.Second), 0))
		p := &provider{answer: serves(t, s, nil, 1)}
		l := open(t, goodConfig(t, p, ring(s)))
		l.check(t, listURI, 0)
		p.set(func(context.Context, string) ([]byte, error) { return old, nil })
		time.Sleep(50 * time.Minute)
		if got := l.check(t, listURI, 0); got != Invalid || l.Stats().Fetches["older"] == 0 {
			t.Errorf("%s, %+v", got, l.Stats().Fetches)
		}
		time.Sleep(10 * time.Minute)
		if got := l.check(t, listURI, 0); got != Unknown {
			t.Errorf("after the hard limit: %s", got)
		}
	})
}

// What was signed with a key that is withdrawn says nothing, not even when it was signed.
func TestAWithdrawnKeyDoesNotKeepAnOlderListOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stolen, next := newSigner(t, "k1"), newSigner(t, "k2")
		keys := ring(stolen)
		p := &provider{answer: serves(t, stolen, object{"iat": time.Now().Add(leeway).Unix()}, 0)}
		l := open(t, goodConfig(t, p, keys))
		if got := l.check(t, listURI, 0); got != Valid {
			t.Fatal(got)
		}
		time.Sleep(2 * firstRetry)
		keys.replace(next)
		p.set(serves(t, next, nil, 1))
		if got := l.check(t, listURI, 0); got != Invalid {
			t.Errorf("%s, %+v", got, l.Stats().Fetches)
		}
	})
}

func TestAListThatIsTooOldIsNotTakenWhereThatIsConfigured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, object{"iat": time.Now().Add(-2 * time.Hour).Unix()}, 0)}
		cfg := goodConfig(t, p, ring(s))
		if got := open(t, cfg).check(t, listURI, 0); got != Valid {
			t.Errorf("any age: %s", got)
		}
		cfg.MaxAge = time.Hour
		l := open(t, cfg)
		if got := l.check(t, listURI, 0); got != Unknown || l.Stats().Fetches["expired"] != 1 {
			t.Errorf("an hour: %s, %+v", got, l.Stats().Fetches)
		}
	})
}

// Requests do not raise the rate at which a list that fails is fetched.
func TestAListThatFailsIsFetchedAtItsOwnPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: unreachable}
		var text bytes.Buffer
		cfg := goodConfig(t, p, ring(s))
		cfg.Log = slog.New(slog.NewTextHandler(&text, nil))
		l := open(t, cfg)
		uri := listURI + "?token=secret"
		for range 600 {
			if got := l.check(t, uri, 0); got != Unknown {
				t.Fatal(got)
			}
			time.Sleep(100 * time.Millisecond)
		}
		// 1, 2, 4, 8, 16 and 30 s apart, up to a tenth shorter.
		if n := p.count(); n < 6 || n > 8 {
			t.Errorf("%d fetches in a minute", n)
		}
		p.set(serves(t, s, nil, 0))
		time.Sleep(lastRetry)
		synctest.Wait()
		if got := l.Peek(uri, 0, time.Now()); got != Valid {
			t.Error(got)
		}
		logged := text.String()
		if strings.Count(logged, "\n") != 2 || !strings.Contains(logged, "reason=unreachable") ||
			!strings.Contains(logged, "refreshed again") || strings.Contains(logged, "secret") {
			t.Errorf("logged:\n%s", logged)
		}
	})
}

func TestFetchesStayWithinTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, nil, 0)}
		cfg := goodConfig(t, p, ring(s))
		cfg.MaxLists, cfg.Burst, cfg.Every, cfg.Wait = 100, 5, time.Second, 0
		l := open(t, cfg)
		for i := range 100 {
			l.Peek(fmt.Sprintf("%s/statuslists/%d", testIssuer, i), 0, time.Now())
		}
		synctest.Wait()
		if n := p.count(); n != 5 {
			t.Errorf("%d fetches at once", n)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := p.count(); n != 15 || l.Stats().Delayed != 95 {
			t.Errorf("%d fetches in 10 s, %+v", n, l.Stats())
		}
	})
}

func TestFetchesAtOneTimeAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		var now, most atomic.Int64
		good := serves(t, s, nil, 0)
		p := &provider{answer: func(ctx context.Context, uri string) ([]byte, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return good(ctx, uri)
		}}
		cfg := goodConfig(t, p, ring(s))
		cfg.Fetches, cfg.Wait = 2, 0
		l := open(t, cfg)
		for i := range 10 {
			l.Peek(fmt.Sprintf("%s/statuslists/%d", testIssuer, i), 0, time.Now())
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if p.count() != 10 || most.Load() != 2 || l.Stats().Missing != 0 {
			t.Errorf("%d fetches, %d at one time", p.count(), most.Load())
		}
	})
}

// Token Status List section 13.4: lists grow. A token may be younger than the list that is held.
func TestATokenThatIsYoungerThanTheListHasItFetchedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: serves(t, s, object{"ttl": 300}, 0)}
		cfg := goodConfig(t, p, ring(s))
		l := open(t, cfg)
		l.check(t, listURI, 0)
		p.set(serves(t, s, object{"ttl": 300}, 0, 0))
		// Not before the least refresh time: whatever the index, the rate stays bounded.
		for range 10 {
			time.Sleep(1400 * time.Millisecond)
			if got := l.check(t, listURI, 1); got != OutOfRange || l.Allows(got) {
				t.Fatal(got)
			}
		}
		if p.count() != 1 {
			t.Fatalf("%d fetches", p.count())
		}
		time.Sleep(time.Second)
		if got := l.check(t, listURI, 1); got != Valid || p.count() != 2 {
			t.Errorf("%s after %d fetches", got, p.count())
		}
	})
}

func TestListsThatDoNotFitIntoMemoryAreNotHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		large := serves(t, s, nil, make([]byte, 100_000)...)
		p := &provider{answer: large}
		cfg := goodConfig(t, p, ring(s))
		cfg.Memory = NewMemory(250_000)
		l := open(t, cfg)
		other := open(t, cfg)
		second := testIssuer + "/statuslists/2"
		if other.check(t, listURI, 0) != Valid || l.check(t, listURI, 0) != Valid || l.check(t, second, 0) != Unknown {
			t.Errorf("%+v %+v", l.Stats(), other.Stats())
		}
		if cfg.Memory.Used() > cfg.Memory.Limit() || l.Stats().Fetches["memory"] != 1 {
			t.Errorf("%d bytes, %+v", cfg.Memory.Used(), l.Stats())
		}
		// One that changes needs room for both editions at a time; until there is, the last one stays.
		p.set(serves(t, s, nil, append(make([]byte, 100_000), 1)...))
		time.Sleep(2 * time.Minute)
		if got := other.check(t, listURI, 100_000); got != OutOfRange || other.check(t, listURI, 0) != Valid {
			t.Error(got)
		}
		l.Close()
		time.Sleep(lastRetry)
		if got := other.check(t, listURI, 100_000); got != Invalid {
			t.Errorf("%s, %+v", got, other.Stats())
		}
	})
}

func TestAPanicInAFetchFailsThatFetchAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		p := &provider{answer: func(context.Context, string) ([]byte, error) { panic("personal data") }}
		cfg := goodConfig(t, p, ring(s))
		var stacks []string
		cfg.OnPanic = func(stack []byte) { stacks = append(stacks, string(stack)) }
		l := open(t, cfg)
		if got := l.check(t, listURI, 0); got != Unknown || l.Stats().Fetches["panic"] != 1 {
			t.Errorf("%s, %+v", got, l.Stats().Fetches)
		}
		p.set(serves(t, s, nil, 0))
		time.Sleep(firstRetry)
		if got := l.check(t, listURI, 0); got != Valid || len(stacks) != 1 {
			t.Errorf("%s, %d stacks", got, len(stacks))
		}
	})
}
