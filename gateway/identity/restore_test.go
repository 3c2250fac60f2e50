package identity_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

const hardStale = 24 * time.Hour

// stored is a refresher over a store in dir, for a backend that answers with
// document or fails with err, and its log.
func stored(t *testing.T, dir string, document []byte, err error) (*identity.Refresher, *cache.Keys, *bytes.Buffer) {
	t.Helper()
	keys, log := new(cache.Keys), new(bytes.Buffer)
	return identity.NewRefresher(identity.RefresherConfig{
		Issuer: "test", Keys: keys, Algorithms: []string{"EdDSA"}, Interval: time.Hour, HardStale: hardStale,
		Source: source(func(context.Context) ([]byte, error) { return document, err }),
		Store:  openStore(t, dir), Log: slog.New(slog.NewTextHandler(log, nil)),
	}), keys, log
}

func refresh(t *testing.T, r *identity.Refresher) {
	t.Helper()
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAStoredSetServesWithinTheHardLimitAtItsOwnAge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after time.Duration
		used  bool
		said  string
	}{
		"at once":              {0, true, "key set restored"},
		"later":                {time.Hour, true, "key set restored"},
		"just within":          {hardStale - 1, true, "key set restored"},
		"at the limit":         {hardStale, false, "older than hard_stale"},
		"beyond it":            {30 * 24 * time.Hour, false, "older than hard_stale"},
		"a clock a minute off": {-time.Minute, true, "key set restored"},
		"a clock a year off":   {-365 * 24 * time.Hour, false, "from the future"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			r, _, _ := stored(t, dir, corpus.KeySetJSON(newKey(t, "a"), newKey(t, "b")), nil)
			refresh(t, r)
			at := fetchedAt(t, dir)

			again, keys, log := stored(t, dir, nil, errBackend)
			now := at.Add(c.after)
			again.Restore(now)
			if !strings.Contains(log.String(), c.said) {
				t.Errorf("the log says %s", log)
			}
			if !c.used {
				if got := ids(keys); len(got) != 0 {
					t.Errorf("keys %q", got)
				}
				return
			}
			// Neither a restart nor a failed fetch makes it younger.
			for later := range 2 {
				_ = again.Refresh(t.Context())
				then := now.Add(time.Duration(later) * time.Minute)
				want := max(0, c.after) + time.Duration(later)*time.Minute
				if age, ok := keys.Age(then); !ok || age != want {
					t.Errorf("age %v, want %v", age, want)
				}
			}
			if got := ids(keys); !slices.Equal(got, []string{"a", "b"}) {
				t.Errorf("keys %q", got)
			}
		})
	}
}

func fetchedAt(t *testing.T, dir string) time.Time {
	t.Helper()
	got, err := openStore(t, dir).Load(time.Now().Add(hardStale))
	if err != nil {
		t.Fatal(err)
	}
	return got.FetchedAt
}

func TestTheFirstFetchReplacesTheStoredSetAndKeepsTheKeysThatStay(t *testing.T) {
	t.Parallel()
	a, b, c := newKey(t, "a"), newKey(t, "b"), newKey(t, "c")
	dir := t.TempDir()
	r, _, _ := stored(t, dir, corpus.KeySetJSON(a, b), nil)
	refresh(t, r)

	again, keys, _ := stored(t, dir, corpus.KeySetJSON(b, c), nil)
	again.Restore(time.Now().Add(time.Hour))
	before := keys.Snapshot().All()
	if len(before) != 2 {
		t.Fatalf("%d keys", len(before))
	}
	refresh(t, again)
	if got := ids(keys); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("keys %q", got)
	}
	// The same *token.Key: verdicts that rest on it live on.
	if !before[0].Withdrawn() || before[1].Withdrawn() || keys.Snapshot().All()[0] != before[1] {
		t.Error("the wrong keys are withdrawn")
	}
	if age, _ := keys.Age(time.Now()); age > time.Minute {
		t.Errorf("age %v", age)
	}
}

func TestADamagedStoreIsLoggedAndTheGatewayStartsWithoutIt(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, path string){
		"empty":     func(t *testing.T, path string) { write(t, path, nil) },
		"rubbish":   func(t *testing.T, path string) { write(t, path, []byte("<html>")) },
		"cut":       func(t *testing.T, path string) { write(t, path, read(t, path)[:100]) },
		"directory": func(t *testing.T, path string) { _ = os.Remove(path); _ = os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			document := corpus.KeySetJSON(newKey(t, "a"))
			r, _, _ := stored(t, dir, document, nil)
			refresh(t, r)
			damage(t, storeFile(dir))
			again, keys, log := stored(t, dir, document, nil)
			again.Restore(time.Now())
			if got := ids(keys); len(got) != 0 || !strings.Contains(log.String(), "stored key set not used") {
				t.Errorf("keys %q, log %s", got, log)
			}
			refresh(t, again)
			if got := ids(keys); !slices.Equal(got, []string{"a"}) {
				t.Errorf("then keys %q", got)
			}
		})
	}
}

func TestAFirstStartHasNothingToSay(t *testing.T) {
	t.Parallel()
	r, keys, log := stored(t, t.TempDir(), nil, errBackend)
	r.Restore(time.Now())
	if len(ids(keys)) != 0 || log.Len() != 0 {
		t.Errorf("%q, %s", ids(keys), log)
	}
}

func TestKeysThatCannotBeStoredAreUsedAllTheSame(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	r, keys, log := stored(t, dir, corpus.KeySetJSON(newKey(t, "a"), newKey(t, "b")), nil)
	if err := os.RemoveAll(dir); err != nil { // As good as unwritable, for root too.
		t.Fatal(err)
	}
	refresh(t, r)
	if got := ids(keys); !slices.Equal(got, []string{"a", "b"}) || r.Stats().Unsaved != 1 || r.Stats().LastFailure != "" {
		t.Errorf("keys %q, %+v", got, r.Stats())
	}
	if !strings.Contains(log.String(), "key set not stored") {
		t.Errorf("the log says %s", log)
	}
	// A purge that would not last is in force, and said to be what it is.
	n, err := r.Purge("a", time.Now())
	if n != 1 || !errors.Is(err, identity.ErrNotKept) || !slices.Equal(ids(keys), []string{"b"}) || r.Stats().Unsaved != 2 {
		t.Errorf("%d, %v, %q", n, err, ids(keys))
	}
	if n, err := r.Allow("a"); n != 1 || !errors.Is(err, identity.ErrNotKept) {
		t.Errorf("%d, %v", n, err)
	}
}
