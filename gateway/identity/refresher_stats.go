package identity

import "time"

// Stats is a snapshot of a refresher's counters.
type Stats struct {
	// Fetches counts attempts, Failures those without success by reason.
	Fetches  uint64
	Failures map[string]uint64
	// Skipped counts the unusable keys of the current set.
	Skipped int64
	// LastGood is the time of the last success; zero for none.
	LastGood time.Time
	// LastFailure is the reason of the last attempt's failure, "" after a
	// success.
	LastFailure string
	// Unsaved counts good sets that could not be written to the Store.
	Unsaved uint64
}

// Stats returns the counters. It is safe for concurrent use.
func (r *Refresher) Stats() Stats {
	s := Stats{
		Fetches:  r.stats.fetches.Load(),
		Failures: make(map[string]uint64, len(r.stats.failures)),
		Skipped:  r.stats.skipped.Load(),
		Unsaved:  r.stats.unsaved.Load(),
	}
	for reason, n := range r.stats.failures {
		s.Failures[reason] = n.Load()
	}
	if ns := r.stats.lastGood.Load(); ns != 0 {
		s.LastGood = time.Unix(0, ns)
	}
	if reason := r.stats.lastErr.Load(); reason != nil {
		s.LastFailure = *reason
	}
	return s
}
