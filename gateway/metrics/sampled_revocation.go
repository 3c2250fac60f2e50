package metrics

import "time"

// RevocationSample tells what is kept of revocations, and where they came from.
type RevocationSample struct {
	// Entries are held, by kind; together there may be Limit of them. Bytes is the
	// memory that they take.
	Entries      map[string]int
	Limit, Bytes int
	// Hits counts look-ups that found a token revoked, by the kind of the entry.
	Hits map[string]uint64
	// Brought tells of each source, the fleet's other nodes included.
	Brought []BroughtSample
	// Log is how they are kept on disk.
	Log RevocationLogSample
}

// BroughtSample tells what became of the entries that a source sent.
type BroughtSample struct {
	Source   string
	Accepted uint64
	// Refused counts those that were not acknowledged, by reason.
	Refused map[string]uint64
	// Last is when entries were last acknowledged; zero for never.
	Last time.Time
}

// RevocationLogSample tells of the log and the snapshots on disk.
type RevocationLogSample struct {
	// Records were made durable, in Syncs groups, which took Syncing together and
	// LastSync for the last of them. Failures counts groups that were not.
	Records, Syncs, Failures uint64
	LastSync, Syncing        time.Duration
	// Bytes is the length of all segments, Pending that of what came after the last
	// snapshot, of which there may be PendingLimit.
	Bytes, Pending, PendingLimit int64
	// Snapshots were written, FailedSnapshots were not. The last one has
	// SnapshotBytes and was done at LastSnapshot; zero for none since the start.
	Snapshots, FailedSnapshots uint64
	SnapshotBytes              int64
	LastSnapshot               time.Time
}

// HeardSample tells of a source that is heard of again and again, whether or not
// it has revoked anything.
type HeardSample struct {
	Source string
	// Age is how long it has been silent; SoftStale and HardStale say that this is
	// past these limits.
	Age                  time.Duration
	SoftStale, HardStale bool
	// Behind says that it has more to tell than is known here.
	Behind bool
}

// revocationMetrics lists what is exported of revocations.
var revocationMetrics = []description{
	{"revocation_entries", "Revocations held, by what is revoked (token, session, subject, client, kid, thumbprint).", []string{"kind"}},
	{"revocation_entries_limit", "How many revocations may be held, of all kinds together: revocation.max_entries.", nil},
	{"revocation_bytes", "Memory held by revocations.", nil},
	{"revocation_hits_total", "Look-ups that found a token revoked, by what was revoked.", []string{"kind"}},
	{"revocations_accepted_total", "Revocations that were acknowledged, by who brought them; fleet is what other nodes sent.", []string{"source"}},
	{"revocations_refused_total", "Revocations that were not acknowledged, by who brought them and why.", []string{"source", "reason"}},
	{"revocations_last_accepted_timestamp_seconds", "When a source last brought a revocation that was acknowledged; absent for never.", []string{"source"}},
	{"revocation_source_age_seconds", "How long a source that is heard of again and again has been silent.", []string{"source"}},
	{"revocation_source_stale", "1 where a source has been silent for longer than the limit (soft: reported, hard: as the sites say).", []string{"source", "limit"}},
	{"revocation_source_behind", "1 where a source has not been caught up with.", []string{"source"}},
	{"revocation_log_bytes", "Length of all log segments on disk.", nil},
	{"revocation_log_pending_bytes", "Length of what was logged after the last snapshot.", nil},
	{"revocation_log_pending_bytes_limit", "How long that may become before nothing more is acknowledged.", nil},
	{"revocation_log_records_total", "Revocations made durable.", nil},
	{"revocation_log_syncs_total", "Groups of revocations written and fsynced together.", nil},
	{"revocation_log_sync_seconds_total", "Time spent writing and fsyncing.", nil},
	{"revocation_log_last_sync_seconds", "How long the last group took to write and fsync.", nil},
	{"revocation_log_failures_total", "Groups of revocations that could not be made durable.", nil},
	{"revocation_snapshots_total", "Snapshots of all revocations, by result (good, bad).", []string{"result"}},
	{"revocation_snapshot_bytes", "Length of the last snapshot.", nil},
	{"revocation_snapshot_timestamp_seconds", "When the last snapshot was done; absent where none was since the start.", nil},
}

// collectRevocations tells of all that has to do with revocations.
func (s *Sample) collectRevocations(gauge gauges, count counts, total totals) {
	if s.Revocations != nil {
		s.Revocations.collect(gauge, count, total)
	}
	if s.Fleet != nil {
		s.Fleet.collect(gauge, count)
	}
	if s.Receiver != nil {
		s.Receiver.collect(gauge, count)
	}
	for _, h := range s.Heard {
		h.collect(gauge)
	}
	for _, e := range s.Events {
		e.collect(gauge, count)
	}
	for _, l := range s.Logouts {
		l.collect(gauge, count)
	}
	s.Admin.collect(gauge, count)
	for _, l := range s.Statuses {
		l.collect(gauge, count)
	}
	if s.StatusBytesLimit > 0 {
		gauge("status_list_bytes_limit", float64(s.StatusBytesLimit))
	}
}

func (r *RevocationSample) collect(gauge gauges, count counts, total totals) {
	for kind, n := range r.Entries {
		gauge("revocation_entries", float64(n), kind)
	}
	gauge("revocation_entries_limit", float64(r.Limit))
	gauge("revocation_bytes", float64(r.Bytes))
	for kind, n := range r.Hits {
		count("revocation_hits_total", n, kind)
	}
	for _, b := range r.Brought {
		count("revocations_accepted_total", b.Accepted, b.Source)
		for reason, n := range b.Refused {
			count("revocations_refused_total", n, b.Source, reason)
		}
		moment(gauge, "revocations_last_accepted_timestamp_seconds", b.Last, b.Source)
	}
	r.Log.collect(gauge, count, total)
}

func (l *RevocationLogSample) collect(gauge gauges, count counts, total totals) {
	gauge("revocation_log_bytes", float64(l.Bytes))
	gauge("revocation_log_pending_bytes", float64(l.Pending))
	gauge("revocation_log_pending_bytes_limit", float64(l.PendingLimit))
	count("revocation_log_records_total", l.Records)
	count("revocation_log_syncs_total", l.Syncs)
	total("revocation_log_sync_seconds_total", l.Syncing.Seconds())
	gauge("revocation_log_last_sync_seconds", l.LastSync.Seconds())
	count("revocation_log_failures_total", l.Failures)
	count("revocation_snapshots_total", l.Snapshots, "good")
	count("revocation_snapshots_total", l.FailedSnapshots, "bad")
	gauge("revocation_snapshot_bytes", float64(l.SnapshotBytes))
	moment(gauge, "revocation_snapshot_timestamp_seconds", l.LastSnapshot)
}

func (h *HeardSample) collect(gauge gauges) {
	gauge("revocation_source_age_seconds", h.Age.Seconds(), h.Source)
	gauge("revocation_source_stale", truth(h.SoftStale), h.Source, "soft")
	gauge("revocation_source_stale", truth(h.HardStale), h.Source, "hard")
	gauge("revocation_source_behind", truth(h.Behind), h.Source)
}

// moment tells a time, and nothing of one that has not come.
func moment(gauge gauges, name string, at time.Time, labels ...string) {
	if !at.IsZero() {
		gauge(name, float64(at.UnixNano())/float64(time.Second), labels...)
	}
}
