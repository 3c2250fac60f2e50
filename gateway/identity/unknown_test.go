package identity_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// issuerOf is an issuer whose keys and faults a test controls.
type issuerOf struct {
	mu      sync.Mutex
	publish map[string]bool
	known   map[string]bool
	err     error
	takes   time.Duration
	fetches atomic.Int64
}

func (i *issuerOf) set(kid string, there bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.publish == nil {
		i.publish = make(map[string]bool)
	}
	i.publish[kid] = there
}

// fetch reads what is published as it begins and hands it over as it ends.
func (i *issuerOf) fetch(ctx context.Context) error {
	i.fetches.Add(1)
	i.mu.Lock()
	read, err, takes := maps.Clone(i.publish), i.err, i.takes
	i.mu.Unlock()
	select {
	case <-time.After(takes): // virtual
	case <-ctx.Done():
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.known = read
	return nil
}

func (i *issuerOf) has(kid, _ string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.known[kid]
}

func (i *issuerOf) fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.err = err
}

func (i *issuerOf) search(ctx context.Context, cfg identity.UnknownConfig) *identity.UnknownKeys {
	cfg.Fetch, cfg.Has = i.fetch, i.has
	return identity.NewUnknownKeys(ctx, cfg)
}

// usual is a configuration that no test but the one that names it runs into.
func usual() identity.UnknownConfig {
	return identity.UnknownConfig{Burst: 3, Every: 30 * time.Second, Wait: time.Second, Waiters: 1024, Remember: time.Minute}
}

// searching runs a test in virtual time, and sees its fetches off.
func searching(t *testing.T, i *issuerOf, cfg identity.UnknownConfig, test func(t *testing.T, u *identity.UnknownKeys)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		u := i.search(ctx, cfg)
		test(t, u)
		cancel()
		u.Wait()
	})
}

func want(t *testing.T, u *identity.UnknownKeys, kid string, want identity.Lookup) {
	t.Helper()
	if got := u.Await(kid, "EdDSA"); got != want {
		t.Errorf("%s: %v, want %v", kid, got, want)
	}
}

// Invariant 6: no stream of unknown kids raises the rate past the budget.
func TestAFloodOfRandomKidsCausesNoMoreFetchesThanTheBudget(t *testing.T) {
	t.Parallel()
	const flood, senders, lasting = 100_000, 50, 10 * time.Second
	i := &issuerOf{takes: 20 * time.Millisecond}
	i.set("good", true)
	cfg := usual()
	cfg.Every, cfg.Wait = time.Second, 5*time.Millisecond
	searching(t, i, cfg, func(t *testing.T, u *identity.UnknownKeys) {
		var sending sync.WaitGroup
		for s := range senders {
			sending.Go(func() {
				for n := range flood / senders {
					// Evenly: a sender does not wait for its answers.
					time.Sleep(lasting / (flood / senders)) // virtual
					if n%100 == 0 {
						sending.Go(func() { u.Await(fmt.Sprint("random-", s, "-", n), "EdDSA") })
					} else {
						u.Await(fmt.Sprint("random-", s, "-", n), "EdDSA")
					}
				}
			})
		}
		begin := time.Now()
		sending.Wait()
		took := time.Since(begin)
		budget := int64(cfg.Burst) + int64(took/cfg.Every)
		if n := i.fetches.Load(); n < 2 || n > budget {
			t.Errorf("%d fetches in %v, at most %d", n, took, budget)
		}
		if n := u.Remembered(); int64(n) > budget {
			t.Errorf("%d kids are remembered", n)
		}
		if !i.has("good", "") {
			t.Error("the good key is gone")
		}
		var counted uint64
		for _, n := range u.Counts() {
			counted += n
		}
		if counted != flood {
			t.Errorf("%d outcomes: %v", counted, u.Counts())
		}
	})
}

func TestWhatIsRememberedAsAbsentIsBounded(t *testing.T) {
	t.Parallel()
	i := new(issuerOf)
	cfg := usual()
	cfg.Every, cfg.Remember = time.Millisecond, time.Hour
	searching(t, i, cfg, func(t *testing.T, u *identity.UnknownKeys) {
		const kids = identity.MaxRemembered + 1000
		for n := range kids {
			time.Sleep(time.Millisecond) // virtual
			want(t, u, fmt.Sprint(n), identity.LookupAbsent)
		}
		if n := u.Remembered(); n != identity.MaxRemembered {
			t.Errorf("%d are remembered", n)
		}
		// What is over makes room.
		time.Sleep(2 * time.Hour) // virtual
		want(t, u, "late", identity.LookupAbsent)
		if n := u.Remembered(); n != 1 {
			t.Errorf("then %d are remembered", n)
		}
	})
}

func TestAnAbsentKeyIsNotLookedForUntilItIsForgotten(t *testing.T) {
	t.Parallel()
	i := new(issuerOf)
	searching(t, i, usual(), func(t *testing.T, u *identity.UnknownKeys) {
		want(t, u, "a", identity.LookupAbsent)
		i.set("a", true)
		time.Sleep(time.Minute - 1) // virtual
		want(t, u, "a", identity.LookupAbsent)
		if n := i.fetches.Load(); n != 1 {
			t.Errorf("%d fetches", n)
		}
		time.Sleep(time.Nanosecond) // virtual
		want(t, u, "a", identity.LookupFound)
		if n := i.fetches.Load(); n != 2 {
			t.Errorf("then %d fetches", n)
		}
	})
}

func TestAKeyRememberedAsAbsentIsFoundOnceAnyFetchBroughtIt(t *testing.T) {
	t.Parallel()
	i := new(issuerOf)
	searching(t, i, usual(), func(t *testing.T, u *identity.UnknownKeys) {
		want(t, u, "a", identity.LookupAbsent)
		i.set("a", true)
		if err := i.fetch(t.Context()); err != nil { // The refresher's own.
			t.Fatal(err)
		}
		want(t, u, "a", identity.LookupFound)
	})
}

// A key is not looked for under another algorithm's failure.
func TestAbsenceIsOfAKidAndAnAlgorithm(t *testing.T) {
	t.Parallel()
	i := new(issuerOf)
	searching(t, i, usual(), func(t *testing.T, u *identity.UnknownKeys) {
		for _, alg := range []string{"EdDSA", "ES256", "EdDSA", "ES256"} {
			if got := u.Await("a", alg); got != identity.LookupAbsent {
				t.Errorf("%s: %v", alg, got)
			}
		}
		if n := i.fetches.Load(); n != 2 {
			t.Errorf("%d fetches", n)
		}
	})
}

func TestTheBudgetIsSpentAndGrowsAgain(t *testing.T) {
	t.Parallel()
	i := new(issuerOf)
	searching(t, i, usual(), func(t *testing.T, u *identity.UnknownKeys) {
		for n := range 3 {
			want(t, u, fmt.Sprint(n), identity.LookupAbsent)
		}
		want(t, u, "one more", identity.LookupSpent)
		time.Sleep(30*time.Second - 1) // virtual
		want(t, u, "one more", identity.LookupSpent)
		time.Sleep(time.Nanosecond) // virtual
		want(t, u, "one more", identity.LookupAbsent)
		want(t, u, "another", identity.LookupSpent)
	})
}

func TestABurstOfNoneFetchesNever(t *testing.T) {
	t.Parallel()
	i := new(issuerOf)
	cfg := usual()
	cfg.Burst = 0
	searching(t, i, cfg, func(t *testing.T, u *identity.UnknownKeys) {
		for range 10 {
			want(t, u, "a", identity.LookupSpent)
			time.Sleep(time.Hour) // virtual
		}
		if n := i.fetches.Load(); n != 0 {
			t.Errorf("%d fetches", n)
		}
	})
}

func TestAFailedFetchSaysNothingAboutTheKey(t *testing.T) {
	t.Parallel()
	i := new(issuerOf)
	i.set("new", true)
	i.fail(identity.ErrUnreachable)
	searching(t, i, usual(), func(t *testing.T, u *identity.UnknownKeys) {
		want(t, u, "new", identity.LookupFailed)
		if n := u.Remembered(); n != 0 {
			t.Errorf("%d are remembered", n)
		}
		i.fail(nil)
		want(t, u, "new", identity.LookupFound)
	})
}

func TestEveryOutcomeHasItsOwnName(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	for _, l := range identity.Lookups() {
		names[l.String()] = true
	}
	u := new(issuerOf).search(t.Context(), usual())
	if counts := u.Counts(); len(names) != 5 || names[""] || len(counts) != len(names) {
		t.Errorf("%v, %v", names, counts)
	}
}
