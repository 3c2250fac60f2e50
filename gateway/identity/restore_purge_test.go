package identity_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

func TestWithoutAStoreAPurgeIsSaidNotToLast(t *testing.T) {
	t.Parallel()
	document := corpus.KeySetJSON(newKey(t, "a"))
	r, _ := newRefresher(source(func(context.Context) ([]byte, error) { return document, nil }), time.Hour)
	r.Restore(time.Now())
	refresh(t, r)
	if n, err := r.Purge("a", time.Now()); n != 1 || !errors.Is(err, identity.ErrNotKept) {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := r.Allow("a"); n != 1 || err != nil || r.Stats().Unsaved != 0 {
		t.Errorf("%d, %v", n, err)
	}
	for range 2 { // What there is not makes no difference.
		if n, err := r.Purge("b", time.Now()); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := r.Allow("b"); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
}

func TestAPurgeOutlastsRestartsUntilItIsAllowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	document := corpus.KeySetJSON(newKey(t, "a"), newKey(t, "b"))
	start := func(now time.Time) (*identity.Refresher, *cache.Keys) {
		r, keys, _ := stored(t, dir, document, nil)
		r.Restore(now)
		return r, keys
	}
	expect := func(keys *cache.Keys, want ...string) {
		t.Helper()
		if got := ids(keys); !slices.Equal(got, want) {
			t.Errorf("keys %q, want %q", got, want)
		}
	}
	r, keys := start(time.Now())
	refresh(t, r)
	compromised := keys.Snapshot().All()[0]
	if n, err := r.Purge("a", time.Now()); n != 1 || err != nil || !compromised.Withdrawn() {
		t.Errorf("%d, %v", n, err)
	}
	refresh(t, r)
	expect(keys, "b")
	for name, now := range map[string]time.Time{
		"soon":                  time.Now(),
		"beyond hard_stale":     time.Now().Add(100 * 24 * time.Hour),
		"with a clock set back": time.Now().Add(-100 * 24 * time.Hour),
	} {
		r, keys = start(now)
		refresh(t, r)
		if got := ids(keys); !slices.Equal(got, []string{"b"}) {
			t.Errorf("%s: keys %q", name, got)
		}
	}
	r, keys = start(time.Now())
	expect(keys, "b")
	if n, err := r.Allow("a"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	expect(keys, "b") // Not before a fetch.
	r, keys = start(time.Now())
	refresh(t, r)
	expect(keys, "a", "b")
}

// At three in the morning the backend hangs. The purge must not.
func TestAPurgeWaitsForNoFetch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	document := corpus.KeySetJSON(newKey(t, "a"), newKey(t, "b"))
	synctest.Test(t, func(t *testing.T) {
		slow := time.Duration(0)
		keys := new(cache.Keys)
		r := identity.NewRefresher(identity.RefresherConfig{
			Issuer: "test", Keys: keys, Interval: time.Hour, HardStale: hardStale, Store: openStore(t, dir), Log: quiet,
			Source: source(func(context.Context) ([]byte, error) {
				time.Sleep(slow) // virtual
				return document, nil
			}),
		})
		refresh(t, r)
		slow = time.Hour
		var fetching sync.WaitGroup
		fetching.Go(func() { refresh(t, r) })
		synctest.Wait()
		begin := time.Now()
		if n, err := r.Purge("a", begin); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if time.Since(begin) != 0 {
			t.Error("it waited")
		}
		if got, err := openStore(t, dir).Load(begin); err != nil || len(got.Purged) != 1 || bytes.Contains(got.Document, []byte(`"a"`)) {
			t.Errorf("%v, %+v", err, got.Purged)
		}
		// Nor does the fetch that was under way bring it back.
		fetching.Wait()
		if got := ids(keys); !slices.Equal(got, []string{"b"}) {
			t.Errorf("keys %q", got)
		}
	})
}

// Invariant: whichever write comes last knows of everything before it.
func TestPurgesAndFetchesAtOneTimeAreAllStored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	names := []string{"a", "b", "c", "d"}
	made := []*corpus.Key{newKey(t, "stays")}
	for _, name := range names {
		made = append(made, newKey(t, name))
	}
	r, _, _ := stored(t, dir, corpus.KeySetJSON(made...), nil)
	refresh(t, r)
	var working sync.WaitGroup
	for _, name := range names {
		working.Go(func() {
			if n, err := r.Purge(name, time.Now()); n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		})
		working.Go(func() { refresh(t, r) })
	}
	working.Wait()
	again, keys, _ := stored(t, dir, nil, errBackend)
	again.Restore(time.Now())
	if got := ids(keys); !slices.Equal(got, []string{"stays"}) || len(keys.Purged()) != len(names) {
		t.Errorf("keys %q, %d purged", got, len(keys.Purged()))
	}
}
