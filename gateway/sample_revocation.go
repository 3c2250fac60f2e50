package gateway

import (
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/fleet"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/intake"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/receiver"
	"github.com/vneid-gateway/vneid-gateway/gateway/secevent"
	"github.com/vneid-gateway/vneid-gateway/gateway/statuslist"
)

// sampleRevocations reads what is counted of revocations, wherever they come from.
func (g *Gateway) sampleRevocations(s *metrics.Sample, st *state, now time.Time) {
	if g.intake != nil {
		s.Revocations = g.sampleKept()
	}
	if g.fleet != nil {
		stats := g.fleet.Stats()
		s.Fleet = fleetSample(&stats)
	}
	if g.receiver != nil {
		stats := g.receiver.Stats()
		s.Receiver = &metrics.ReceiverSample{
			Requests: byName(receiver.Outcomes(), stats.Requests[:]), InFlight: stats.InFlight, Limit: g.cfg.Revocation.Receiver.Requests,
			HandshakeFailures: stats.HandshakeFailures, Complaints: stats.Complaints, NotAfter: stats.NotAfter,
		}
	}
	for i := range st.sources {
		source := &st.sources[i]
		age := source.age(now)
		s.Heard = append(s.Heard, metrics.HeardSample{
			Source: source.label, Age: age, SoftStale: age >= g.staleness.soft, HardStale: age >= g.staleness.hard, Behind: source.behind() != "",
		})
	}
	for _, i := range st.issuers {
		s.Events = append(s.Events, i.told.sampleEvents(i.name)...)
		if i.told.logout != nil {
			stats := i.told.logout.Stats()
			s.Logouts = append(s.Logouts, metrics.LogoutSample{
				Issuer: i.name, Requests: byName(logout.Outcomes(), stats.Requests[:]), Lag: stats.Lag, Accepted: stats.LastSuccess,
			})
		}
		if i.lists != nil {
			s.Statuses = append(s.Statuses, statusSample(i.name, i.lists.Stats()))
			s.StatusBytesLimit = g.listMemory.Limit()
		}
	}
	certificate := g.admin.Stats()
	s.Admin = metrics.AdminSample{NotAfter: certificate.NotAfter, ReloadFailures: certificate.Failures}
}

// sampleKept reads what is counted of the revocations that are kept here.
func (g *Gateway) sampleKept() *metrics.RevocationSample {
	stats, log := g.intake.Store().Stats(), g.journal.Stats()
	s := &metrics.RevocationSample{
		Entries: make(map[string]int), Limit: stats.Limit, Bytes: stats.Bytes,
		Hits: byName(revocation.Kinds(), stats.Hits[:]),
		Log: metrics.RevocationLogSample{
			Records: log.Records, Syncs: log.Groups, Failures: log.Failures, LastSync: log.Sync, Syncing: log.Syncing,
			Bytes: log.LogBytes, Pending: log.SinceSnapshot, PendingLimit: log.LogLimit,
			Snapshots: log.Snapshots, FailedSnapshots: log.SnapshotFailures, SnapshotBytes: log.SnapshotBytes, LastSnapshot: log.LastSnapshot,
		},
	}
	for _, k := range revocation.Kinds() {
		s.Entries[k.String()] = stats.Entries[k]
	}
	brought := func(source string, b intake.Stats) {
		s.Brought = append(s.Brought, metrics.BroughtSample{
			Source: source, Accepted: b.Accepted, Refused: byName(intake.Reasons(), b.Refused[:]), Last: b.Last,
		})
	}
	for _, source := range intake.Sources() {
		brought(source.String(), g.intake.From(source).Stats())
	}
	if g.fleet != nil {
		brought("fleet", g.intake.Applied())
	}
	return s
}

func fleetSample(f *fleet.Stats) *metrics.FleetSample {
	return &metrics.FleetSample{
		Connected: f.Connected, CaughtUp: f.CaughtUp, Lag: f.Lag, Behind: f.Behind, LastAppend: f.LastAppend, Sessions: f.Sessions,
		Records: map[string]uint64{
			"appended": f.Appended, "applied": f.Applied, "deferred": f.Deferred, "forwarded": f.Forwarded, "offered": f.Offered, "refused": f.Refused,
		},
		Outbox: f.OutboxRecords, OutboxBytes: f.OutboxBytes, OutboxLimit: f.OutboxLimit,
		Resyncs: byName(fleet.Causes(), f.Resyncs[:]), Errors: byName(fleet.Reasons(), f.Errors[:]),
		Damaged: map[string]uint64{"stream": f.DamagedEntries, "state": f.DamagedRecords, "outbox": f.OutboxDamaged},
	}
}

// sampleEvents reads what is counted of an issuer's events, in each way in which
// they come.
func (t *told) sampleEvents(issuer string) (all []metrics.EventSample) {
	for _, way := range []struct {
		delivery intake.Source
		stream   *secevent.Stream
	}{{intake.Push, t.pushed}, {intake.Poll, t.polled}} {
		if way.stream == nil {
			continue
		}
		stats := way.stream.Stats()
		all = append(all, metrics.EventSample{
			Issuer: issuer, Delivery: way.delivery.String(),
			Refused: byName(upTo(secevent.NumReasons), stats.Refused[:]), Events: byName(upTo(secevent.NumKinds), stats.Events[:]),
			Unmapped: stats.Unmapped, Lag: stats.Lag, Verified: stats.LastVerified, Accepted: stats.LastAccepted,
			Status: stats.Status, Statuses: append(secevent.StreamStatuses(), "other"),
		})
		s := &all[len(all)-1]
		s.Tokens = map[string]uint64{"accepted": stats.Accepted, "duplicate": stats.Duplicates, "refused": 0}
		for _, n := range stats.Refused {
			s.Tokens["refused"] += n
		}
		if way.delivery == intake.Poll {
			s.Polls = t.samplePolls()
		}
	}
	return all
}

func (t *told) samplePolls() *metrics.PollSample {
	stats := t.poller.Stats()
	s := &metrics.PollSample{
		Polls: stats.Polls, Failures: make(map[string]uint64), Success: stats.LastSuccess, More: stats.MoreAvailable,
	}
	for _, reason := range identity.Reasons() {
		s.Failures[reason] = stats.Failures[reason]
	}
	return s
}

func statusSample(issuer string, l statuslist.Stats) metrics.StatusSample {
	return metrics.StatusSample{
		Issuer: issuer, Lists: l.Lists, Missing: l.Missing, Soft: l.Soft, Bytes: l.Bytes, OldestAge: l.OldestAge, Success: l.LastSuccess,
		Fetches: l.Fetches, Delayed: l.Delayed, Unheld: l.Full, Checks: l.Checks, Waiting: l.Waiting,
		Waits: map[string]uint64{"in_time": l.Waits, "timeout": l.Timeouts, "crowded": l.Crowded},
	}
}

// byName gives the counts of a closed set the names of its values.
func byName[T interface {
	~int | ~uint8
	fmt.Stringer
}](set []T, counts []uint64) map[string]uint64 {
	names := make(map[string]uint64, len(set))
	for _, value := range set {
		names[value.String()] = counts[value]
	}
	return names
}

// upTo returns the values from 0 to n.
func upTo[T ~int | ~uint8](n T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = T(i)
	}
	return all
}
