package fleet

import (
	"sync/atomic"
	"time"
)

// Stats is what a node's part in the fleet has done since the process started, and how it stands.
type Stats struct {
	// Connected is whether there is a session with Redis.
	Connected bool
	// CaughtUp is what Fleet.CaughtUp says.
	CaughtUp bool
	// Fault is why there is no session; ReasonNone where there is one or none was tried yet.
	Fault Reason
	// Current is the last moment at which this node was known to have applied everything that any node had appended;
	// zero before it caught up for the first time. It moves on at least twice a second while all is well.
	Current time.Time
	// LastAppend is when this node last put something on the stream; zero for never.
	LastAppend time.Time
	// Lag is how long ago the entry that was applied last had been appended by then, by Redis's clock; zero where
	// nothing was waiting.
	Lag time.Duration
	// Behind is the number of entries known to be on the stream and not applied yet.
	Behind uint64

	// Applied counts records of other nodes that were put in force, from stream and state; repetitions count.
	Applied uint64
	// Appended counts records put on the stream by Append, Forwarded those from the outbox, and Offered those offered
	// after Redis had lost data.
	Appended, Forwarded, Offered uint64
	// Deferred counts records that were accepted into the outbox while Redis was away, and Refused those that Append
	// failed with.
	Deferred, Refused uint64
	// OutboxRecords are those that wait, OutboxBytes what the outbox takes of OutboxLimit on disk.
	OutboxRecords            int
	OutboxBytes, OutboxLimit int64
	// OutboxDamaged counts faults found in the outbox; everything was offered anew for each.
	OutboxDamaged uint64
	// DamagedEntries counts entries of the stream, and DamagedRecords those of the state, that could not be read.
	DamagedEntries, DamagedRecords uint64
	// Sessions counts connections that were made.
	Sessions uint64
	// Resyncs counts full comparisons, by their Cause.
	Resyncs [NumCauses]uint64
	// Errors counts failures of sessions and of appends, by their Reason.
	Errors [NumReasons]uint64
}

type counters struct {
	applied, appended, forwarded, offered, deferred, refused atomic.Uint64
	outboxDamaged, damagedEntries, damagedRecords, sessions  atomic.Uint64
	behind                                                   atomic.Uint64
	current, lastAppend, lag, fault                          atomic.Int64
	resyncs                                                  [NumCauses]atomic.Uint64
	errors                                                   [NumReasons]atomic.Uint64
}

// Stats returns the node's counts. They are read one after the other, while others change them.
func (f *Fleet) Stats() Stats {
	c := &f.counts
	s := Stats{
		Connected: f.current.Load() != nil, CaughtUp: f.CaughtUp(), Fault: Reason(c.fault.Load()),
		Current: instant(&c.current), LastAppend: instant(&c.lastAppend),
		Lag: time.Duration(c.lag.Load()), Behind: c.behind.Load(),
		Applied: c.applied.Load(), Appended: c.appended.Load(), Forwarded: c.forwarded.Load(), Offered: c.offered.Load(),
		Deferred: c.deferred.Load(), Refused: c.refused.Load(), OutboxLimit: f.cfg.OutboxBytes,
		OutboxDamaged: c.outboxDamaged.Load(), DamagedEntries: c.damagedEntries.Load(),
		DamagedRecords: c.damagedRecords.Load(), Sessions: c.sessions.Load(),
	}
	s.OutboxRecords, s.OutboxBytes = f.outbox.held()
	for i := range c.resyncs {
		s.Resyncs[i] = c.resyncs[i].Load()
	}
	for i := range c.errors {
		s.Errors[i] = c.errors[i].Load()
	}
	return s
}

func instant(ns *atomic.Int64) time.Time {
	if n := ns.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}
