package metrics

import "time"

// FleetSample tells of this node's part in the fleet.
type FleetSample struct {
	// Connected and CaughtUp tell how the node stands with the stream.
	Connected, CaughtUp bool
	// Lag is how old the entry was that was applied last, Behind how many are known
	// to wait.
	Lag    time.Duration
	Behind uint64
	// Records counts records, by what was done with them.
	Records map[string]uint64
	// LastAppend is when this node last put something on the stream; zero for never.
	LastAppend time.Time
	// Outbox counts the records that wait for the stream, OutboxBytes what they take
	// of OutboxLimit on disk.
	Outbox                   int
	OutboxBytes, OutboxLimit int64
	Sessions                 uint64
	// Resyncs counts full comparisons by cause, Errors failures by reason, and
	// Damaged what could not be read, by where that was.
	Resyncs, Errors, Damaged map[string]uint64
}

// fleetMetrics lists what is exported of the fleet.
var fleetMetrics = []description{
	{"fleet_connected", "1 while there is a session with the fleet's Redis.", nil},
	{"fleet_caught_up", "1 while the node has applied all that was on the stream.", nil},
	{"fleet_lag_seconds", "How long the entry that was applied last had been on the stream, by Redis's clock.", nil},
	{"fleet_behind_entries", "Entries known to be on the stream and not applied yet.", nil},
	{"fleet_records_total", "Revocations, by what was done with them: appended, applied (of others), deferred (into the outbox), forwarded (out of it), offered (after Redis had lost data), refused.", []string{"action"}},
	{"fleet_last_append_timestamp_seconds", "When this node last put something on the stream; absent for never.", nil},
	{"fleet_outbox_records", "Revocations that wait for Redis.", nil},
	{"fleet_outbox_bytes", "Length of the outbox on disk.", nil},
	{"fleet_outbox_bytes_limit", "How long the outbox may become: revocation.fleet.outbox_bytes.", nil},
	{"fleet_sessions_total", "Sessions with Redis that were begun.", nil},
	{"fleet_resyncs_total", "Full comparisons with the state in Redis, by cause.", []string{"cause"}},
	{"fleet_errors_total", "Sessions and appends that failed, by reason.", []string{"reason"}},
	{"fleet_damaged_total", "What could not be read, by where it was: stream, state, outbox.", []string{"place"}},
}

func (f *FleetSample) collect(gauge gauges, count counts) {
	gauge("fleet_connected", truth(f.Connected))
	gauge("fleet_caught_up", truth(f.CaughtUp))
	gauge("fleet_lag_seconds", f.Lag.Seconds())
	gauge("fleet_behind_entries", float64(f.Behind))
	for action, n := range f.Records {
		count("fleet_records_total", n, action)
	}
	moment(gauge, "fleet_last_append_timestamp_seconds", f.LastAppend)
	gauge("fleet_outbox_records", float64(f.Outbox))
	gauge("fleet_outbox_bytes", float64(f.OutboxBytes))
	gauge("fleet_outbox_bytes_limit", float64(f.OutboxLimit))
	count("fleet_sessions_total", f.Sessions)
	for cause, n := range f.Resyncs {
		count("fleet_resyncs_total", n, cause)
	}
	for reason, n := range f.Errors {
		count("fleet_errors_total", n, reason)
	}
	for place, n := range f.Damaged {
		count("fleet_damaged_total", n, place)
	}
}
