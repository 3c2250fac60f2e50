package identity_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func newKey(t testing.TB, kid string) *corpus.Key {
	t.Helper()
	key, err := corpus.NewKey("EdDSA", kid)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRefresher(source identity.Source, interval time.Duration) (*identity.Refresher, *cache.Keys) {
	keys := new(cache.Keys)
	return identity.NewRefresher(identity.RefresherConfig{
		Issuer: "test", Source: source, Keys: keys, Algorithms: []string{"EdDSA"}, Interval: interval, Log: quiet,
	}), keys
}

// newGuarded is newRefresher behind a breaker.
func newGuarded(source identity.Source, guard *identity.Guard) (*identity.Refresher, *cache.Keys) {
	keys := new(cache.Keys)
	return identity.NewRefresher(identity.RefresherConfig{
		Issuer: "test", Source: source, Keys: keys, Algorithms: []string{"EdDSA"}, Interval: time.Hour, Breaker: guard, Log: quiet,
	}), keys
}

func ids(keys *cache.Keys) []string {
	var list []string
	for _, key := range keys.Snapshot().All() {
		list = append(list, key.ID())
	}
	return list
}

// source is a Source that answers from memory.
type source func(ctx context.Context) ([]byte, error)

func (s source) Fetch(ctx context.Context) (identity.Document, error) {
	body, err := s(ctx)
	return identity.Document{Body: body}, err
}

func TestAReplacedKeyIsWithdrawnAndOneThatStaysIsNot(t *testing.T) {
	t.Parallel()
	a, b, c := newKey(t, "a"), newKey(t, "b"), newKey(t, "c")
	document := corpus.KeySetJSON(a, b)
	r, keys := newRefresher(source(func(context.Context) ([]byte, error) { return document, nil }), time.Hour)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := keys.Snapshot().All()
	document = corpus.KeySetJSON(b, c)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ids(keys); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("keys %q", got)
	}
	if !before[0].Withdrawn() || before[1].Withdrawn() || keys.Snapshot().All()[0] != before[1] {
		t.Errorf("withdrawn: a %v, b %v", before[0].Withdrawn(), before[1].Withdrawn())
	}
}

func TestUnusableAnswersKeepTheLastGoodSetAndAreCounted(t *testing.T) {
	t.Parallel()
	good := corpus.KeySetJSON(newKey(t, "good"))
	for name, c := range map[string]struct {
		document string
		err      error
		want     error
		reason   string
	}{
		"empty answer":     {document: "", want: identity.ErrMalformed, reason: "malformed"},
		"page":             {document: "<!doctype html>", want: identity.ErrMalformed, reason: "malformed"},
		"half a document":  {document: `{"keys":[{"kty":`, want: identity.ErrMalformed, reason: "malformed"},
		"keys twice":       {document: `{"keys":[],"keys":[]}`, want: token.ErrKeySet, reason: "no_usable_key"},
		"no key set":       {document: `{"issuer":"x"}`, want: token.ErrKeySet, reason: "no_usable_key"},
		"null":             {document: `{"keys":null}`, want: token.ErrKeySet, reason: "no_usable_key"},
		"no keys":          {document: `{"keys":[]}`, want: token.ErrKeySet, reason: "no_usable_key"},
		"no usable key":    {document: `{"keys":[{"kty":"oct","k":"AAAA"}]}`, want: token.ErrKeySet, reason: "no_usable_key"},
		"beyond the bound": {document: `{"keys":[]}` + string(make([]byte, token.MaxKeySetBytes)), want: identity.ErrTooLarge, reason: "too_large"},
		"unknown failure":  {err: errors.ErrUnsupported, want: errors.ErrUnsupported, reason: "other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document, err := good, error(nil)
			r, keys := newRefresher(source(func(context.Context) ([]byte, error) { return document, err }), time.Hour)
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			set, lastGood := keys.Snapshot(), r.Stats().LastGood
			document, err = []byte(c.document), c.err
			if err := r.Refresh(t.Context()); !errors.Is(err, c.want) || identity.Reason(err) != c.reason {
				t.Errorf("%v is counted as %q", err, identity.Reason(err))
			}
			stats := r.Stats()
			if keys.Snapshot() != set || set.All()[0].Withdrawn() {
				t.Error("the last good set is gone")
			}
			if stats.Fetches != 2 || stats.Failures[c.reason] != 1 || stats.LastFailure != c.reason || stats.LastGood != lastGood {
				t.Errorf("%+v", stats)
			}
			document, err = good, nil
			if err := r.Refresh(t.Context()); err != nil || r.Stats().LastFailure != "" {
				t.Errorf("then %v, %q", err, r.Stats().LastFailure)
			}
		})
	}
}

func TestUnusableKeysAmongUsableOnesAreCounted(t *testing.T) {
	t.Parallel()
	document := []byte(`{"keys":[{"kty":"oct","k":"AAAA"},` + string(corpus.KeySetJSON(newKey(t, "a"))[len(`{"keys":[`):]))
	r, keys := newRefresher(source(func(context.Context) ([]byte, error) { return document, nil }), time.Hour)
	if err := r.Refresh(t.Context()); err != nil || r.Stats().Skipped != 1 || !slices.Equal(ids(keys), []string{"a"}) {
		t.Errorf("%v, %+v, %q", err, r.Stats(), ids(keys))
	}
}

// times runs a refresher for as long as given in virtual time and returns how
// far apart its fetches were.
func times(t *testing.T, interval, runFor time.Duration, fetch source) []time.Duration {
	t.Helper()
	var gaps []time.Duration
	last := time.Now()
	r, _ := newRefresher(source(func(ctx context.Context) ([]byte, error) {
		gaps = append(gaps, time.Since(last))
		last = time.Now()
		return fetch(ctx)
	}), interval)
	ctx, cancel := context.WithTimeout(t.Context(), runFor)
	defer cancel()
	r.Run(ctx)
	if gaps[0] != 0 {
		t.Errorf("the first fetch waited %v", gaps[0])
	}
	return gaps[1:]
}

func TestFetchesAreAnIntervalApartGiveOrTakeATenth(t *testing.T) {
	t.Parallel()
	document := corpus.KeySetJSON(newKey(t, "a"))
	synctest.Test(t, func(t *testing.T) {
		const interval = 5 * time.Minute
		gaps := times(t, interval, 24*time.Hour, func(context.Context) ([]byte, error) { return document, nil })
		if n := len(gaps); n < 260 || n > 320 {
			t.Errorf("%d fetches a day", n)
		}
		least, most := slices.Min(gaps), slices.Max(gaps)
		if least < interval*9/10 || most > interval*11/10 || most-least < interval/10 {
			t.Errorf("from %v to %v", least, most)
		}
	})
}

func TestFailuresAreRetriedSoonThenLaterAndNeverRarely(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const interval = 5 * time.Minute
		// Long enough for a wait that doubles without end to overflow.
		gaps := times(t, interval, 48*time.Hour, func(context.Context) ([]byte, error) { return nil, identity.ErrUnreachable })
		for i, gap := range gaps {
			want := min(time.Second<<min(i, 30), 30*time.Second)
			if gap < want*9/10 || gap > want*11/10 {
				t.Fatalf("retry %d after %v, want %v", i, gap, want)
			}
		}
		if len(gaps) < 500 {
			t.Errorf("%d retries", len(gaps))
		}
	})
}

func TestASuccessEndsTheBackoff(t *testing.T) {
	t.Parallel()
	document := corpus.KeySetJSON(newKey(t, "a"))
	synctest.Test(t, func(t *testing.T) {
		n := 0
		gaps := times(t, time.Hour, 3*time.Hour, func(context.Context) ([]byte, error) {
			if n++; n == 4 {
				return document, nil
			}
			return nil, identity.ErrUnreachable
		})
		for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, time.Hour, time.Second, 2 * time.Second} {
			if gap := gaps[i]; gap < want*9/10 || gap > want*11/10 {
				t.Errorf("gap %d is %v, want %v", i, gap, want)
			}
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, _ := newRefresher(source(func(ctx context.Context) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}), time.Hour)
		ended := make(chan struct{})
		go func() { r.Run(ctx); close(ended) }()
		synctest.Wait()
		cancel()
		<-ended
		if s := r.Stats(); s.LastFailure != "" {
			t.Errorf("the end was counted as a failure: %+v", s)
		}
	})
}

func TestFetchesAreMadeOneAtATime(t *testing.T) {
	t.Parallel()
	document := corpus.KeySetJSON(newKey(t, "a"))
	synctest.Test(t, func(t *testing.T) {
		var inside, most atomic.Int64
		r, _ := newRefresher(source(func(context.Context) ([]byte, error) {
			most.Store(max(most.Load(), inside.Add(1)))
			time.Sleep(time.Second) // virtual
			inside.Add(-1)
			return document, nil
		}), time.Hour)
		var running sync.WaitGroup
		for range 5 {
			running.Go(func() { _ = r.Refresh(t.Context()) })
		}
		running.Wait()
		if most.Load() != 1 || r.Stats().Fetches != 5 {
			t.Errorf("%d at a time, %d in all", most.Load(), r.Stats().Fetches)
		}
	})
}

func TestAFileIsReadAgainWithinSecondsOfItsChange(t *testing.T) {
	t.Parallel()
	a, b, c := corpus.KeySetJSON(newKey(t, "a")), corpus.KeySetJSON(newKey(t, "b")), corpus.KeySetJSON(newKey(t, "c"))
	for name, replace := range map[string]func(t *testing.T, path string, document []byte){
		"written to": func(t *testing.T, path string, document []byte) {
			write(t, path, document)
			// Whatever the resolution of the file system's clock.
			later := time.Now().Add(time.Hour)
			if err := os.Chtimes(path, later, later); err != nil {
				t.Fatal(err)
			}
		},
		"renamed over": func(t *testing.T, path string, document []byte) {
			write(t, path+".new", document)
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		},
		"gone for a while": func(t *testing.T, path string, document []byte) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute) // virtual
			write(t, path, document)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "keys.json")
			write(t, path, a)
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, keys := newRefresher(identity.FileSource{Path: path, MaxBytes: 1 << 20}, 24*time.Hour)
				go r.Run(ctx)
				synctest.Wait()
				for _, step := range []struct {
					document []byte
					want     string
				}{{b, "b"}, {c, "c"}} {
					replace(t, path, step.document)
					time.Sleep(5 * time.Second) // virtual
					synctest.Wait()
					if got := ids(keys); !slices.Equal(got, []string{step.want}) {
						t.Errorf("keys %q, want %q", got, step.want)
					}
				}
				// Looking is no fetching.
				before := r.Stats().Fetches
				time.Sleep(time.Hour) // virtual
				synctest.Wait()
				if n := r.Stats().Fetches; n != before {
					t.Errorf("%d fetches, then %d", before, n)
				}
			})
		})
	}
}

func write(t *testing.T, path string, document []byte) {
	t.Helper()
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
}
