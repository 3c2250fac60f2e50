package identity

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

const (
	// firstRetry is the mean wait after a first failed fetch. It doubles until
	// it reaches lastRetry, or the refresh interval: a backend that is back is
	// noticed within that time.
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// watchInterval is how often a Watched source is looked at.
	watchInterval = 2 * time.Second
	// jitter spreads the fetches of a fleet that started at one moment.
	jitter = 0.1
)

// RefresherConfig describes how one issuer's key set is kept fresh.
type RefresherConfig struct {
	// Issuer is the issuer's configured name, for the log.
	Issuer string
	// Source yields the key set, Keys receives it.
	Source Source
	Keys   *cache.Keys
	// Algorithms are those that the issuer may use.
	Algorithms []string
	// Interval is the mean time between fetches, where the answer's caching
	// fields do not say otherwise; those are held between LeastInterval and
	// MostInterval, which default to Interval. Each wait is up to a tenth longer
	// or shorter.
	Interval, LeastInterval, MostInterval time.Duration
	// HardStale is the age beyond which a stored set is of no use.
	HardStale time.Duration
	// Breaker is around each fetch as a whole, for which a discovery document
	// alone is no success, nor is an answer that cannot be used. Nil means none:
	// a file is nobody's backend.
	Breaker Breaker
	// OnPanic is given the stack of a panic in a fetch, which then failed with
	// ErrPanic. Optional.
	OnPanic func(stack []byte)
	// Store keeps the last good set for the next start. Optional.
	Store *Store
	// Log takes failures and changes. Required.
	Log *slog.Logger
}

// Refresher keeps one issuer's key set fresh. An answer that cannot be used
// changes nothing: the last good set is kept. Its methods are safe for
// concurrent use.
type Refresher struct {
	cfg    RefresherConfig
	single chan struct{} // holds a token while a fetch is made
	next   atomic.Int64  // nanoseconds from the last success to the next fetch
	saving sync.Mutex
	// stage says what a good answer is for; it is read and changed with
	// changing held, which keeps what is installed and stored to the stage.
	stage    stage
	changing sync.Mutex
	stats    struct {
		fetches  atomic.Uint64
		failures map[string]*atomic.Uint64
		skipped  atomic.Int64
		lastGood atomic.Int64
		lastErr  atomic.Pointer[string]
		unsaved  atomic.Uint64
	}
}

// NewRefresher returns a refresher that has fetched nothing yet.
func NewRefresher(cfg RefresherConfig) *Refresher {
	// An answer that is not to be kept must not be asked for without pause.
	cfg.LeastInterval = cmp.Or(cfg.LeastInterval, cfg.Interval)
	cfg.MostInterval = cmp.Or(cfg.MostInterval, cfg.Interval)
	if cfg.Breaker == nil {
		cfg.Breaker = unbroken{}
	}
	r := &Refresher{cfg: cfg, single: make(chan struct{}, 1)}
	r.stats.failures = make(map[string]*atomic.Uint64)
	for _, reason := range Reasons() {
		r.stats.failures[reason] = new(atomic.Uint64)
	}
	return r
}

// Run fetches at once and then again and again until ctx ends: after the
// interval, after a failure sooner, and within watchInterval where a Watched
// source changed. Once it is retired it returns, too, at its next fetch. It is
// called once.
func (r *Refresher) Run(ctx context.Context) {
	for retry := firstRetry; ; {
		seen := r.stat()
		var wait time.Duration
		switch err := r.Refresh(ctx); {
		case err == nil:
			wait, retry = time.Duration(r.next.Load()), firstRetry
		case errors.Is(err, ErrRetired):
			return
		default:
			wait = min(retry, r.cfg.Interval)
			retry = min(2*retry, lastRetry)
		}
		spread := 1 + jitter*(2*rand.Float64()-1)
		if !r.wait(ctx, time.Duration(float64(wait)*spread), seen) {
			return
		}
	}
}

// wait waits for d, or until the source is no longer what was seen before it
// was fetched. It reports false when ctx has ended.
func (r *Refresher) wait(ctx context.Context, d time.Duration, seen fs.FileInfo) bool {
	due := time.NewTimer(d)
	defer due.Stop()
	var look <-chan time.Time
	if _, ok := r.cfg.Source.(Watched); ok {
		ticker := time.NewTicker(watchInterval)
		defer ticker.Stop()
		look = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-due.C:
			return true
		case <-look:
			if changed(seen, r.stat()) {
				return true
			}
		}
	}
}

// stat describes the source where it is Watched and there; otherwise nil.
func (r *Refresher) stat() fs.FileInfo {
	watched, ok := r.cfg.Source.(Watched)
	if !ok {
		return nil
	}
	info, err := watched.Stat()
	if err != nil {
		return nil
	}
	return info
}

// changed reports whether there is another file now. One that is gone is no
// news: the last good set is kept.
func changed(before, now fs.FileInfo) bool {
	switch {
	case now == nil:
		return false
	case before == nil:
		return true
	}
	return !os.SameFile(before, now) || before.Size() != now.Size() || !before.ModTime().Equal(now.ModTime())
}

// Refresh fetches once and replaces the key set. Fetches are made one at a
// time. Errors are of this package's taxonomy, token's ErrKeySet, or ctx's while
// it waits for another fetch. What the end of ctx cut short counts as no failure.
func (r *Refresher) Refresh(ctx context.Context) error {
	select {
	case r.single <- struct{}{}:
		defer func() { <-r.single }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.retired() {
		return ErrRetired
	}
	r.stats.fetches.Add(1)
	change, skipped, err := r.refresh(ctx)
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, ErrRetired) {
			return err
		}
		reason := Reason(err)
		r.stats.failures[reason].Add(1)
		r.stats.lastErr.Store(&reason)
		r.cfg.Log.Warn("key set not refreshed", "issuer", r.cfg.Issuer, "reason", reason, "error", err.Error())
		return err
	}
	r.stats.lastErr.Store(nil)
	r.stats.lastGood.Store(time.Now().UnixNano())
	r.stats.skipped.Store(int64(len(skipped)))
	if change.Added+change.Removed > 0 {
		r.cfg.Log.Info("key set changed", "issuer", r.cfg.Issuer,
			"added", change.Added, "removed", change.Removed, "kept", change.Kept)
		for _, s := range skipped {
			r.cfg.Log.Warn("key left out", "issuer", r.cfg.Issuer, "index", s.Index, "reason", string(s.Reason))
		}
	}
	return nil
}

func (r *Refresher) refresh(ctx context.Context) (cache.Change, []token.SkippedKey, error) {
	var (
		document Document
		change   cache.Change
		skipped  []token.SkippedKey
	)
	err := r.cfg.Breaker.Do(func() error {
		return recovered(r.cfg.OnPanic, func() (err error) {
			if document, err = r.cfg.Source.Fetch(ctx); err != nil {
				return err
			}
			change, skipped, err = r.take(document.Body)
			return err
		})
	})
	if err != nil {
		return cache.Change{}, nil, err
	}
	r.next.Store(int64(r.interval(document)))
	return change, skipped, nil
}

// interval is the time until the next fetch.
func (r *Refresher) interval(d Document) time.Duration {
	if !d.Aged {
		return r.cfg.Interval
	}
	return min(max(d.MaxAge, r.cfg.LeastInterval), r.cfg.MostInterval)
}

// install makes a key set document the current set, as of at.
func (r *Refresher) install(document []byte, at time.Time) (cache.Change, []token.SkippedKey, error) {
	switch {
	case len(document) > token.MaxKeySetBytes:
		return cache.Change{}, nil, ErrTooLarge
	case !jsontext.Value(document).IsValid(jsontext.AllowDuplicateNames(true)):
		// A proxy's page, or half a document. RFC 7517 section 4: members given
		// twice spoil the one key that has them, in ParseKeySet.
		return cache.Change{}, nil, ErrMalformed
	}
	keys, skipped, err := token.ParseKeySet(document, token.KeySetOptions{Algorithms: r.cfg.Algorithms})
	if err != nil {
		return cache.Change{}, nil, err
	}
	change, err := r.cfg.Keys.Replace(keys, at)
	if err != nil {
		return cache.Change{}, nil, ErrKeySet
	}
	return change, skipped, nil
}
