package identity_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

func TestConcurrentRequestsShareOneFetch(t *testing.T) {
	t.Parallel()
	i := &issuerOf{takes: 500 * time.Millisecond}
	i.set("new", true)
	searching(t, i, usual(), func(t *testing.T, u *identity.UnknownKeys) {
		var asking sync.WaitGroup
		var found atomic.Int64
		for range 1000 {
			asking.Go(func() {
				if u.Await("new", "EdDSA") == identity.LookupFound {
					found.Add(1)
				}
			})
		}
		asking.Wait()
		if found.Load() != 1000 || i.fetches.Load() != 1 {
			t.Errorf("%d found it by %d fetches", found.Load(), i.fetches.Load())
		}
		// One that missed it a moment before the fetch ended spends nothing.
		want(t, u, "new", identity.LookupFound)
		if n := i.fetches.Load(); n != 1 {
			t.Errorf("then %d fetches", n)
		}
	})
}

// A key that is published while a fetch is under way is not in its answer. That
// must not keep it out for as long as absent keys are remembered.
func TestAKeyPublishedWhileAFetchIsUnderWayIsNotRememberedAsAbsent(t *testing.T) {
	t.Parallel()
	i := &issuerOf{takes: 500 * time.Millisecond}
	searching(t, i, usual(), func(t *testing.T, u *identity.UnknownKeys) {
		go u.Await("random", "EdDSA")
		synctest.Wait()
		i.set("new", true)
		want(t, u, "new", identity.LookupAbsent)
		want(t, u, "new", identity.LookupFound)
		want(t, u, "random", identity.LookupAbsent)
		if n := i.fetches.Load(); n != 2 {
			t.Errorf("%d fetches", n)
		}
	})
}

func TestARequestWaitsNoLongerThanConfigured(t *testing.T) {
	t.Parallel()
	i := &issuerOf{takes: time.Minute}
	i.set("new", true)
	searching(t, i, usual(), func(t *testing.T, u *identity.UnknownKeys) {
		begin := time.Now()
		want(t, u, "new", identity.LookupWaited)
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("waited %v", waited)
		}
		// The fetch goes on, for those who come later.
		time.Sleep(time.Minute) // virtual
		want(t, u, "new", identity.LookupFound)
	})
}

func TestWithoutWaitingAFetchIsMadeForThoseWhoComeLater(t *testing.T) {
	t.Parallel()
	i := &issuerOf{takes: time.Second}
	i.set("new", true)
	cfg := usual()
	cfg.Wait = 0
	searching(t, i, cfg, func(t *testing.T, u *identity.UnknownKeys) {
		begin := time.Now()
		want(t, u, "new", identity.LookupWaited)
		if time.Since(begin) != 0 {
			t.Error("it waited")
		}
		time.Sleep(time.Minute) // virtual
		want(t, u, "new", identity.LookupFound)
		want(t, u, "absent", identity.LookupWaited)
		time.Sleep(2 * time.Second) // virtual
		want(t, u, "absent", identity.LookupAbsent)
	})
}

func TestNoMoreRequestsWaitThanConfigured(t *testing.T) {
	t.Parallel()
	i := &issuerOf{takes: 500 * time.Millisecond}
	i.set("new", true)
	cfg := usual()
	cfg.Waiters = 2
	searching(t, i, cfg, func(t *testing.T, u *identity.UnknownKeys) {
		for range 2 {
			var asking sync.WaitGroup
			for range cfg.Waiters {
				asking.Go(func() { want(t, u, "new", identity.LookupFound) })
			}
			synctest.Wait()
			begin := time.Now()
			want(t, u, "new", identity.LookupWaited)
			if time.Since(begin) != 0 {
				t.Error("one more waited")
			}
			asking.Wait()
			// The places are free again.
			i.mu.Lock()
			i.known = nil
			i.mu.Unlock()
		}
	})
}

func TestTheEndCutsAFetchShortAndNoneBeginsAfterIt(t *testing.T) {
	t.Parallel()
	i := &issuerOf{takes: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cfg := usual()
		cfg.Wait = time.Minute
		u := i.search(ctx, cfg)
		var asking sync.WaitGroup
		asking.Go(func() { want(t, u, "a", identity.LookupFailed) })
		synctest.Wait()
		cancel()
		u.Wait()
		asking.Wait()
		want(t, u, "b", identity.LookupFailed)
		u.Wait()
		if n := i.fetches.Load(); n != 1 || u.Remembered() != 0 {
			t.Errorf("%d fetches, %d remembered", n, u.Remembered())
		}
	})
}

// In real time, for the race detector: fetches begin, are shared and end while
// the gateway does.
func TestSearchesMayRunIntoTheEnd(t *testing.T) {
	t.Parallel()
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		u := identity.NewUnknownKeys(ctx, identity.UnknownConfig{
			Burst: 100, Every: time.Microsecond, Wait: time.Minute, Waiters: 100, Remember: time.Nanosecond,
			Fetch: func(ctx context.Context) error { runtime.Gosched(); return ctx.Err() },
			Has:   func(string, string) bool { return false },
		})
		var asking sync.WaitGroup
		for n := range 8 {
			asking.Go(func() {
				for range 20 {
					u.Await(fmt.Sprint(n), "EdDSA")
				}
			})
		}
		cancel()
		u.Wait()
		asking.Wait()
	}
}
