package journal

import (
	"sync/atomic"
	"time"
)

type counters struct {
	log, since, snapshotBytes atomic.Int64
	forced                    atomic.Bool

	records, groups, failures   atomic.Uint64
	syncNanos, syncedNanos      atomic.Int64
	snapshots, snapshotFailures atomic.Uint64
	snapshotNanos, lastSnapshot atomic.Int64
}

// Stats is what a journal has done since it was opened.
type Stats struct {
	// Records counts the entries made durable, Groups the fsyncs that it took, and Failures the groups that were not
	// made durable.
	Records, Groups, Failures uint64
	// Sync is how long the last group took to write and fsync, Syncing all of them together.
	Sync, Syncing time.Duration
	// LogBytes is the length of all segments, SinceSnapshot that of what came after the last snapshot, and LogLimit how
	// long the latter may become before nothing more is appended.
	LogBytes, LogLimit, SinceSnapshot int64
	// Snapshots counts those written, SnapshotFailures those that were not.
	Snapshots, SnapshotFailures uint64
	// SnapshotBytes is the last snapshot's length, SnapshotTook how long it took, 0 for one that was there before.
	SnapshotBytes int64
	SnapshotTook  time.Duration
	// LastSnapshot is when the last one was done, zero where none was since the journal was opened.
	LastSnapshot time.Time
}

// Stats returns the journal's counts. They are read one after the other, while others change them.
func (j *Journal) Stats() Stats {
	c := &j.counters
	st := Stats{
		Records: c.records.Load(), Groups: c.groups.Load(), Failures: c.failures.Load(),
		Sync: time.Duration(c.syncNanos.Load()), Syncing: time.Duration(c.syncedNanos.Load()),
		LogBytes: c.log.Load(), LogLimit: j.logLimit(), SinceSnapshot: c.since.Load(),
		Snapshots: c.snapshots.Load(), SnapshotFailures: c.snapshotFailures.Load(),
		SnapshotBytes: c.snapshotBytes.Load(), SnapshotTook: time.Duration(c.snapshotNanos.Load()),
	}
	if at := c.lastSnapshot.Load(); at != 0 {
		st.LastSnapshot = time.Unix(at, 0)
	}
	return st
}
