package identity_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// TestRotationOutlivesFailuresAndRestarts plays random histories: a backend that
// rotates, fails and talks rubbish, an operator who purges and allows, and
// restarts of the gateway. What is served is always what the last good fetch
// brought, without what was purged.
func TestRotationOutlivesFailuresAndRestarts(t *testing.T) {
	t.Parallel()
	const histories, steps = 8, 60
	made := make([]*corpus.Key, 5)
	for n := range made {
		made[n] = newKey(t, fmt.Sprint("kid-", n))
	}
	for history := range histories {
		random := rand.New(rand.NewPCG(uint64(history), 0))
		b := startBackend(t, backend.Config{})
		client := newClient(t, identity.ClientConfig{})
		dir := t.TempDir()
		var (
			r                          *identity.Refresher
			keys                       *cache.Keys
			published, served, purgeds []string
			failing                    bool
			before                     []string // of a restart
		)
		restart := func() {
			keys = new(cache.Keys)
			r = identity.NewRefresher(identity.RefresherConfig{
				Issuer: "test", Keys: keys, Interval: time.Hour, HardStale: time.Hour, Store: openStore(t, dir), Log: quiet,
				Source: answers(func(ctx context.Context) (identity.Document, error) {
					return identity.URLSource{Client: client, URL: b.URL() + backend.KeySetPath}.Fetch(ctx)
				}),
			})
			r.Restore(time.Now())
		}
		restart()
		for step := range steps {
			n := random.IntN(len(made))
			kid, did := made[n].ID(), ""
			switch random.IntN(7) {
			case 0, 1:
				did = "rotation"
				var set []*corpus.Key
				published = nil
				for _, key := range made {
					if random.IntN(2) == 0 {
						set, published = append(set, key), append(published, key.ID())
					}
				}
				b.SetKeys(set...)
			case 2:
				faults := []backend.Fault{
					nil, nil, backend.Status(503), backend.HTML(), backend.Truncated(), backend.Down(),
					backend.Body("application/json", []byte(`{"keys":null}`)), b.DuplicateKids(),
				}
				n := random.IntN(len(faults))
				failing, did = faults[n] != nil, fmt.Sprint("fault ", n)
				b.SetFault(faults[n])
			case 3, 4:
				did = "fetch"
				works := !failing && len(published) > 0
				if err := r.Refresh(t.Context()); (err == nil) != works {
					t.Fatalf("history %d, step %d: fetched: %v", history, step, err)
				}
				if works {
					served = slices.DeleteFunc(slices.Clone(published), func(kid string) bool { return slices.Contains(purgeds, kid) })
				}
			case 5:
				did = "purge or allowance of " + kid
				if random.IntN(2) == 0 {
					if got, err := r.Purge(kid, time.Now()); err != nil || (got > 0) != slices.Contains(served, kid) {
						t.Fatalf("history %d, step %d: purged %d, %v", history, step, got, err)
					} else if got > 0 {
						purgeds = append(purgeds, kid)
					}
					served = slices.DeleteFunc(served, func(s string) bool { return s == kid })
				} else {
					if got, err := r.Allow(kid); err != nil || (got > 0) != slices.Contains(purgeds, kid) {
						t.Fatalf("history %d, step %d: allowed %d, %v", history, step, got, err)
					}
					purgeds = slices.DeleteFunc(purgeds, func(s string) bool { return s == kid })
				}
			case 6:
				did, before = "restart", ids(keys)
				restart()
				if !slices.Equal(ids(keys), before) {
					t.Fatalf("history %d, step %d: %q before a restart, %q after it", history, step, before, ids(keys))
				}
			}
			if got := ids(keys); !slices.Equal(got, served) {
				t.Fatalf("history %d, step %d (%s): keys %q, want %q", history, step, did, got, served)
			}
		}
	}
}
