package identity

// IntrospectionStats is a snapshot of the decisions about one issuer's tokens.
type IntrospectionStats struct {
	// Fresh counts decisions by a good answer not older than MaxAge, Refusals
	// those by a refusal not older than InactiveAge, Stale those by a good
	// answer beyond MaxAge while the issuer could not be asked, and Unavailable
	// those that could not be taken.
	Fresh, Refusals, Stale, Unavailable uint64
	// Active counts answers that a token is good, Inactive those that it is not,
	// and Unfit those by which it is active, but not for us or not now.
	Active, Inactive, Unfit uint64
	// Failures counts questions without an answer, by Reason.
	Failures map[string]uint64
}

// Stats returns the counters.
func (n *Introspections) Stats() IntrospectionStats {
	s := IntrospectionStats{
		Fresh:       n.fresh.Load(),
		Refusals:    n.refusals.Load(),
		Stale:       n.stale.Load(),
		Unavailable: n.unavailable.Load(),
		Active:      n.active.Load(),
		Inactive:    n.inactive.Load(),
		Unfit:       n.unfit.Load(),
		Failures:    make(map[string]uint64, len(n.failures)),
	}
	for reason, count := range n.failures {
		s.Failures[reason] = count.Load()
	}
	return s
}
