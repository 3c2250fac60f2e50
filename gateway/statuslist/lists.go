package statuslist

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Lists are the status lists of one issuer. Its methods are safe for concurrent use. A nil *Lists is that of an issuer
// without any: Check and Peek find every list Foreign.
type Lists struct {
	cfg      Config
	covered  addresses
	meaning  *meanings
	rules    token.StatementRules
	held     atomic.Pointer[map[string]*list] // replaced, never changed
	version  atomic.Uint64
	waiting  atomic.Int64
	budget   *rate.Limiter
	slots    chan struct{} // holds what is taken
	counters counters

	base    context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	mu      sync.Mutex // Held by who replaces held.
	closed  bool
}

// New returns the lists of an issuer, and begins to fetch those that the configuration names. Errors wrap ErrConfig.
func New(cfg Config) (*Lists, error) {
	cfg, covered, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	l := &Lists{
		cfg:     cfg,
		covered: covered,
		meaning: meaningsOf(cfg.AllowedValues),
		rules:   rules(cfg.MaxBytes, cfg.MaxAge),
		budget:  rate.NewLimiter(rate.Every(cfg.Every), cfg.Burst),
		slots:   make(chan struct{}, cfg.Fetches),
	}
	l.held.Store(&map[string]*list{})
	l.counters.init()
	l.base, l.cancel = context.WithCancel(context.Background())
	if cfg.Before != nil {
		l.adopt(cfg.Before)
		l.cfg.Before = nil
	}
	for _, address := range covered {
		if covered.named(address) {
			l.begin(address, cfg.Now())
		}
	}
	return l, nil
}

// Close ends all fetches, waits for their end, and forgets the lists: every status is Unknown from then on.
func (l *Lists) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.running.Wait()
}

// Version changes whenever what a list says changes. It takes no lock.
func (l *Lists) Version() uint64 { return l.version.Load() }

// Allows reports whether a token of that status may pass, as far as its status is concerned.
func (l *Lists) Allows(s Status) bool {
	switch s {
	case Valid, Accepted:
		return true
	case Unknown:
		return l != nil && l.cfg.AllowUnknown
	}
	return false
}

// Peek returns the status of the token at that index of the list of that URI, as far as it is in memory. It neither
// waits nor takes a lock nor allocates where the list is there, and has it fetched where it is not. uri is kept where it
// is a list's.
func (l *Lists) Peek(uri string, index uint64, now time.Time) Status {
	if l == nil {
		return Foreign
	}
	s, _ := l.look(uri, index, now)
	l.counters.count(s, index)
	return s
}

// Check is Peek for a request that can wait: for the fetch that is under way where the status is not in memory, up to
// Config.Wait, or for ctx.
func (l *Lists) Check(ctx context.Context, uri string, index uint64, now time.Time) Status {
	if l == nil {
		return Foreign
	}
	s, f := l.look(uri, index, now)
	if f != nil && l.await(ctx, f) {
		s, _ = l.look(uri, index, l.cfg.Now())
	}
	l.counters.count(s, index)
	return s
}

// look returns a status, and what to wait for where that may bring a better one.
func (l *Lists) look(uri string, index uint64, now time.Time) (Status, *flight) {
	li := (*l.held.Load())[uri]
	if li == nil {
		return l.begin(uri, now)
	}
	li.use(now)
	e := li.current.Load()
	if !e.counts(now, l.cfg.HardStale, l.cfg.Verifier.Leeway()) {
		return Unknown, li.ask(firstRetry, now)
	}
	value, ok := entry(e.data, e.bits, index)
	if !ok {
		// Section 8.3: to be refused. But section 13.4 lets lists grow: this token may be younger than the list.
		return OutOfRange, li.ask(l.cfg.LeastRefresh, now)
	}
	return l.meaning[value], nil
}

// begin has a list fetched that is not held.
func (l *Lists) begin(uri string, now time.Time) (Status, *flight) {
	if !l.covered.cover(uri) {
		return Foreign, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	held := *l.held.Load()
	if li := held[uri]; li != nil {
		return Unknown, li.flight.Load()
	}
	if l.closed {
		return Unknown, nil
	}
	if len(held) >= l.cfg.MaxLists {
		l.counters.full.Add(1)
		return Unknown, nil
	}
	li := newList(uri, l.covered.named(uri), now)
	f := li.flight.Load()
	l.hold(li)
	return Unknown, f
}

// hold enters a list and begins to keep it. The lock is held.
func (l *Lists) hold(li *list) {
	next := maps.Clone(*l.held.Load())
	next[li.uri] = li
	l.held.Store(&next)
	l.running.Go(func() { l.keep(li) })
}

// drop takes a list out, and lets its memory go.
func (l *Lists) drop(li *list) {
	l.mu.Lock()
	next := maps.Clone(*l.held.Load())
	delete(next, li.uri)
	l.held.Store(&next)
	l.mu.Unlock()
	if e := li.current.Load(); e != nil {
		l.cfg.Memory.release(int64(len(e.data)))
	}
	li.abandon()
}

// adopt takes over what old holds. Nobody has l yet.
func (l *Lists) adopt(old *Lists) {
	now := l.cfg.Now()
	old.budget.SetLimitAt(now, l.budget.Limit())
	old.budget.SetBurstAt(now, l.budget.Burst())
	l.budget = old.budget
	l.mu.Lock()
	defer l.mu.Unlock()
	for uri, before := range *old.held.Load() {
		e := before.current.Load()
		if e == nil || len(*l.held.Load()) >= l.cfg.MaxLists || !l.covered.cover(uri) ||
			int64(len(e.data)) > l.cfg.MaxListBytes || !l.cfg.Memory.reserve(int64(len(e.data))) {
			continue
		}
		li := newList(uri, l.covered.named(uri), before.begun)
		li.used.Store(before.used.Load())
		li.last.Store(before.last.Load())
		li.flight.Store(nil)
		li.current.Store(e)
		l.hold(li)
	}
}

// await waits for a fetch, and reports whether it has ended.
func (l *Lists) await(ctx context.Context, f *flight) bool {
	if l.cfg.Wait == 0 {
		return false
	}
	if l.waiting.Add(1) > int64(l.cfg.Waiters) {
		l.waiting.Add(-1)
		l.counters.crowded.Add(1)
		return false
	}
	defer l.waiting.Add(-1)
	timer := time.NewTimer(l.cfg.Wait)
	defer timer.Stop()
	select {
	case <-f.done:
		l.counters.waits.Add(1)
		return true
	case <-timer.C:
		l.counters.timeouts.Add(1)
	case <-ctx.Done():
	}
	return false
}
