package identity

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// maxRemembered bounds the keys that are remembered as absent. Beyond it a key
// is not remembered: the budget alone then keeps the backend from being asked.
const maxRemembered = 4096

// UnknownConfig bounds what tokens under unknown keys can make the gateway do.
type UnknownConfig struct {
	// Burst fetches may be triggered at once, one more after each Every,
	// whatever the number of keys. Burst 0 triggers none.
	Burst int
	Every time.Duration
	// Wait bounds how long one request waits, Waiters how many do.
	Wait    time.Duration
	Waiters int
	// Remember is how long the key that a fetch was made for, and that it did
	// not bring, is not looked for.
	Remember time.Duration
	// Fetch fetches the key set once.
	Fetch func(ctx context.Context) error
	// OnPanic is given the stack of a panic in Fetch, which then failed with
	// ErrPanic. Optional.
	OnPanic func(stack []byte)
	// Has reports whether the key is there now. It must be quick: it is called
	// under a lock.
	Has func(kid, alg string) bool
}

// Lookup is what became of a search for an unknown key.
type Lookup uint8

// The outcomes of a search.
const (
	// LookupFound: a fetch brought the key.
	LookupFound Lookup = iota
	// LookupAbsent: a fetch did not bring it.
	LookupAbsent
	// LookupSpent: the budget of fetches is spent.
	LookupSpent
	// LookupWaited: the fetch took longer than the request may wait, or too
	// many requests wait.
	LookupWaited
	// LookupFailed: the fetch failed.
	LookupFailed

	lookups
)

var lookupNames = [lookups]string{"found", "absent", "budget_spent", "not_in_time", "fetch_failed"}

// String returns the metric label.
func (l Lookup) String() string { return lookupNames[l] }

// Lookups lists the outcomes.
func Lookups() []Lookup {
	return []Lookup{LookupFound, LookupAbsent, LookupSpent, LookupWaited, LookupFailed}
}

// UnknownKeys looks for the keys of tokens that are not in memory. All that
// ask at one time share one fetch, and the budget belongs to the issuer, so
// that no number of keys raises the rate of fetches. Its methods are safe for
// concurrent use.
type UnknownKeys struct {
	cfg     UnknownConfig
	budget  *rate.Limiter
	base    context.Context
	waiting atomic.Int64
	counts  [lookups]atomic.Uint64

	mu     sync.Mutex
	absent map[wantedKey]time.Time // until when
	flight *flight
}

type wantedKey struct{ kid, alg string }

// flight is one fetch that requests wait for.
type flight struct {
	done chan struct{}
	err  error // read after done
}

// NewUnknownKeys returns a search whose fetches end with base.
func NewUnknownKeys(base context.Context, cfg UnknownConfig) *UnknownKeys {
	return &UnknownKeys{
		cfg:    cfg,
		base:   base,
		budget: rate.NewLimiter(rate.Every(cfg.Every), cfg.Burst),
		absent: make(map[wantedKey]time.Time),
	}
}

// Await looks for a key that a request's token names. It blocks for Wait at
// the longest.
func (u *UnknownKeys) Await(kid, alg string) Lookup {
	l := u.await(wantedKey{kid, alg})
	u.counts[l].Add(1)
	return l
}

func (u *UnknownKeys) await(want wantedKey) Lookup {
	f, l := u.join(want, time.Now())
	if f == nil {
		return l
	}
	if u.waiting.Add(1) > int64(u.cfg.Waiters) || u.cfg.Wait == 0 {
		u.waiting.Add(-1)
		return LookupWaited
	}
	defer u.waiting.Add(-1)
	timer := time.NewTimer(u.cfg.Wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return LookupWaited
	case <-f.done:
	}
	switch {
	case u.cfg.Has(want.kid, want.alg):
		return LookupFound
	case f.err != nil:
		return LookupFailed
	}
	return LookupAbsent
}

// join finds the fetch to wait for, or begins one. Without either the reason is
// given.
func (u *UnknownKeys) join(want wantedKey, now time.Time) (*flight, Lookup) {
	u.mu.Lock()
	defer u.mu.Unlock()
	// A fetch that ended since the caller looked may have brought it.
	if u.cfg.Has(want.kid, want.alg) {
		return nil, LookupFound
	}
	if until, ok := u.absent[want]; ok {
		if now.Before(until) {
			return nil, LookupAbsent
		}
		delete(u.absent, want)
	}
	if u.flight != nil {
		return u.flight, 0
	}
	if u.base.Err() != nil {
		return nil, LookupFailed
	}
	if !u.budget.AllowN(now, 1) {
		return nil, LookupSpent
	}
	f := &flight{done: make(chan struct{})}
	u.flight = f
	go u.fly(f, want)
	return f, 0
}

// Wait returns when no fetch is under way. It is called after base has ended:
// then none begins any more.
func (u *UnknownKeys) Wait() {
	u.mu.Lock()
	last := u.flight // Whoever saw base alive has begun it by now.
	u.mu.Unlock()
	if last != nil {
		<-last.done
	}
}

func (u *UnknownKeys) fly(f *flight, want wantedKey) {
	f.err = recovered(u.cfg.OnPanic, func() error { return u.cfg.Fetch(u.base) })
	u.mu.Lock()
	u.flight = nil
	// Only the key that the fetch was made for: one that was asked for while it
	// was under way may have been published since.
	if f.err == nil && !u.cfg.Has(want.kid, want.alg) {
		u.remember(want, time.Now())
	}
	u.mu.Unlock()
	close(f.done)
}

// remember notes a key that is not there. The lock is held.
func (u *UnknownKeys) remember(want wantedKey, now time.Time) {
	if len(u.absent) >= maxRemembered {
		for k, until := range u.absent {
			if !now.Before(until) {
				delete(u.absent, k)
			}
		}
		if len(u.absent) >= maxRemembered {
			return
		}
	}
	u.absent[want] = now.Add(u.cfg.Remember)
}

// Forget looks anew for keys that were absent.
func (u *UnknownKeys) Forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.absent)
}

// Counts returns how often each outcome came.
func (u *UnknownKeys) Counts() map[string]uint64 {
	counts := make(map[string]uint64, lookups)
	for _, l := range Lookups() {
		counts[l.String()] = u.counts[l].Load()
	}
	return counts
}
