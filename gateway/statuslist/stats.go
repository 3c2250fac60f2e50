package statuslist

import (
	"strings"
	"sync/atomic"
	"time"
)

// stripes spread the counters of checks over cache lines: all requests count on them.
const stripes = 8

// counters is what happened so far.
type counters struct {
	fetches map[string]*atomic.Uint64 // by outcome; never changed
	// lastSuccess is in Unix nanoseconds, 0 for never.
	lastSuccess                             atomic.Int64
	delayed, full, waits, timeouts, crowded atomic.Uint64

	checks [stripes]struct {
		n [statuses]atomic.Uint64
		_ [256 - 8*int(statuses)]byte // two cache lines, or more, for themselves
	}
}

func (c *counters) init() {
	c.fetches = make(map[string]*atomic.Uint64)
	for _, outcome := range Outcomes() {
		c.fetches[outcome] = new(atomic.Uint64)
	}
}

// count counts a check. index is any number that differs from token to token.
func (c *counters) count(s Status, index uint64) { c.checks[index%stripes].n[s].Add(1) }

// Stats is a snapshot of the lists of an issuer.
type Stats struct {
	// Lists are those held or asked for; Missing are those of them of which nothing counts: not fetched yet, expired,
	// under a withdrawn key, or too long not refreshed.
	Lists, Missing int
	// Soft are those whose last good fetch is longer ago than Config.SoftStale, Missing ones included.
	Soft int
	// Bytes is the memory that they take. All issuers' together is Memory.Used.
	Bytes int64
	// OldestAge is the longest time since a last good fetch or, for a list that was never fetched, since it was first
	// asked for. 0 where there are no lists.
	OldestAge time.Duration
	// LastSuccess is the time of the last good fetch; the zero time for never.
	LastSuccess time.Time

	// Fetches counts fetches by what became of them: see Outcomes. Delayed counts those that the budget kept waiting.
	Fetches map[string]uint64
	Delayed uint64
	// Full counts checks of lists that were not asked for since Config.MaxLists are held.
	Full uint64

	// Checks counts what Check and Peek returned: see Statuses.
	Checks map[string]uint64
	// Waits counts requests that waited for a fetch until it ended, Timeouts those that waited too long, Crowded those
	// that did not wait since too many did. Waiting is how many do now.
	Waits, Timeouts, Crowded uint64
	Waiting                  int64
}

// Stats returns what happened so far. It is meant for a few calls a minute.
func (l *Lists) Stats() Stats {
	c := &l.counters
	s := Stats{
		Fetches:  make(map[string]uint64, len(c.fetches)),
		Delayed:  c.delayed.Load(),
		Full:     c.full.Load(),
		Checks:   make(map[string]uint64, statuses),
		Waits:    c.waits.Load(),
		Timeouts: c.timeouts.Load(),
		Crowded:  c.crowded.Load(),
		Waiting:  l.waiting.Load(),
	}
	if last := c.lastSuccess.Load(); last != 0 {
		s.LastSuccess = time.Unix(0, last)
	}
	for outcome, n := range c.fetches {
		s.Fetches[outcome] = n.Load()
	}
	for _, status := range Statuses() {
		var n uint64
		for i := range c.checks {
			n += c.checks[i].n[status].Load()
		}
		s.Checks[status.String()] = n
	}
	now := l.cfg.Now()
	for _, li := range *l.held.Load() {
		s.Lists++
		e, since := li.current.Load(), li.begun
		if e != nil {
			s.Bytes += footprint(int64(len(e.data)))
			since = e.fetched
		}
		if !e.counts(now, l.cfg.HardStale, l.cfg.Verifier.Leeway()) {
			s.Missing++
		}
		age := now.Sub(since)
		if age >= l.cfg.SoftStale {
			s.Soft++
		}
		s.OldestAge = max(s.OldestAge, age)
	}
	return s
}

// shown is what a log has of an address: no query.
func shown(uri string) string {
	address, _, _ := strings.Cut(uri, "?")
	return address
}

// report counts what became of a fetch, and logs what is news.
func (l *Lists) report(li *list, changed bool, err error) {
	if err != nil {
		outcome := outcomeOf(err)
		l.counters.fetches[outcome].Add(1)
		if outcome != li.reason {
			l.cfg.Log.Warn("status list not refreshed", "issuer", l.cfg.Issuer, "list", shown(li.uri), "reason", outcome)
		}
		li.reason = outcome
		return
	}
	outcome := outcomeUnchanged
	if changed {
		outcome = outcomeChanged
	}
	l.counters.fetches[outcome].Add(1)
	l.counters.lastSuccess.Store(l.cfg.Now().UnixNano())
	if li.reason != "" {
		l.cfg.Log.Info("status list refreshed again", "issuer", l.cfg.Issuer, "list", shown(li.uri))
	}
	li.reason = ""
	if changed {
		l.version.Add(1)
		if l.cfg.Changed != nil {
			l.cfg.Changed()
		}
	}
}
