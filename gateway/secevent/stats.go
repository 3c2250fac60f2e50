package secevent

import (
	"sync/atomic"
	"time"
)

// Stats is what became of a transmitter's tokens since the stream was made.
type Stats struct {
	// Received counts tokens that were delivered: Accepted those that were acknowledged for the first time, Duplicates
	// those that had been before, and Refused, by Reason, those that were not.
	Received, Accepted, Duplicates uint64
	Refused                        [NumReasons]uint64
	// Events counts the events in accepted tokens, by Kind; Entries what they revoked.
	Events  [NumKinds]uint64
	Entries uint64
	// Unmapped counts events about subjects that no token names, each time that they were delivered.
	Unmapped uint64
	// LastVerified is when a token last was the transmitter's, LastAccepted when one was last accepted. Zero for never.
	LastVerified, LastAccepted time.Time
	// Lag is how long after its event the last accepted token that revoked something was taken.
	Lag time.Duration
	// Status is what the transmitter last said of the stream: one of StreamStatuses, "other", or "" for nothing.
	Status string
}

// StreamStatuses lists the status values of SSF 1.0 section 8.1.2.
func StreamStatuses() []string { return []string{"enabled", "paused", "disabled"} }

type counts struct {
	received, accepted, duplicates, entries, unmapped atomic.Uint64
	refused                                           [NumReasons]atomic.Uint64
	events                                            [NumKinds]atomic.Uint64
	verified, last, lag                               atomic.Int64 // Unix nanoseconds, lag nanoseconds
	status                                            atomic.Pointer[string]
}

// Stats returns the counts, read one after the other.
func (s *Stream) Stats() Stats {
	c := &s.counts
	st := Stats{
		Received:     c.received.Load(),
		Accepted:     c.accepted.Load(),
		Duplicates:   c.duplicates.Load(),
		Entries:      c.entries.Load(),
		Unmapped:     c.unmapped.Load(),
		LastVerified: moment(c.verified.Load()),
		LastAccepted: moment(c.last.Load()),
		Lag:          time.Duration(c.lag.Load()),
	}
	for r := range c.refused {
		st.Refused[r] = c.refused[r].Load()
	}
	for k := range c.events {
		st.Events[k] = c.events[k].Load()
	}
	if status := c.status.Load(); status != nil {
		st.Status = *status
	}
	return st
}

// moment returns a time in Unix nanoseconds, zero for never.
func moment(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}
