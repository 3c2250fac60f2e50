package deploy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/fleet"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/intake"
	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/overload"
	"github.com/vneid-gateway/vneid-gateway/gateway/receiver"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/secevent"
	"github.com/vneid-gateway/vneid-gateway/gateway/statuslist"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// series is what may be said about one metric in a query: its labels, and for
// labels from a closed set their values. Other labels have a nil map.
type series map[string]map[string]bool

// targetLabels are those that a scrape adds.
var targetLabels = []string{"job", "instance"}

// exported returns every series of the gateway by name, as its registry gives
// them after one of each event.
func exported(t *testing.T) map[string]series {
	t.Helper()
	reasons := []string{"none"}
	for _, c := range reject.Codes() {
		reasons = append(reasons, c.String())
	}
	m := metrics.New(reasons, "v0.0.0", func() metrics.Sample {
		return metrics.Sample{
			Issuers: []metrics.IssuerSample{{
				Issuer: "vneid", HasKeys: true,
				Failures:              counted(identity.Reasons()),
				Lookups:               counted(lookups()),
				Introspections:        counted(introspected),
				IntrospectionFailures: counted(identity.Reasons()),
				Asked:                 &metrics.AskSample{},
				Breakers: []metrics.BreakerSample{
					{Call: metrics.CallKeys, States: identity.BreakerStates()},
					{Call: metrics.CallIntrospection, States: identity.BreakerStates()},
					{Call: metrics.CallEvents, States: identity.BreakerStates()},
					{Call: metrics.CallStatusLists, States: identity.BreakerStates()},
				},
			}},
			Sites:       []metrics.SiteSample{{Site: "hanoi"}},
			Connections: metrics.ConnectionSample{Refused: named(len(listen.Stats{}.Refused), listen.Refusal.String)},
			Listeners: []metrics.ListenerSample{{
				Listener: ":8443", NotAfter: []time.Time{time.Unix(1, 0)},
				HandshakeFailures: named(len(listen.ListenerStats{}.HandshakeFailures), listen.HandshakeFault.String),
			}},
			Tunnels: metrics.TunnelSample{Ended: counted([]string{"idle", "expired", "closed"})},
			Upstreams: []metrics.UpstreamSample{{
				Site: "hanoi", Upstream: "10.0.0.11:8080",
				States:       map[string]int{"up": 1, "down": 0, "breaker_open": 0, "breaker_half_open": 0, "ejected": 0, "returning": 0},
				DialFailures: named(len(upstream.DialCounts{}), upstream.DialFailure.String),
				Retries:      counted([]string{"passed_over", "stale", "over_budget"}),
			}},
			Overload: metrics.OverloadSample{
				Shed:  counted([]string{"verification", "over_share", "rest"}),
				Turns: counted([]string{"at_once", "after_wait", "full", "late"}),
			},
			Rates: []metrics.RateSample{{
				Site:    "hanoi",
				Refused: counted([]string{overload.LimitSite.String(), overload.LimitClient.String(), overload.LimitSource.String()}),
			}},
			Revocations: revocations(),
			Heard:       []metrics.HeardSample{{Source: "fleet"}, {Source: "poll_vneid"}},
			Fleet: &metrics.FleetSample{
				LastAppend: time.Unix(1, 0),
				Records:    counted([]string{"appended", "applied", "deferred", "forwarded", "offered", "refused"}),
				Resyncs:    counted(texts(fleet.Causes())), Errors: counted(texts(fleet.Reasons())), Damaged: counted([]string{"stream", "state", "outbox"}),
			},
			Events: []metrics.EventSample{events(intake.Push), events(intake.Poll)},
			Logouts: []metrics.LogoutSample{{
				Issuer: "vneid", Requests: counted(texts(logout.Outcomes())), Accepted: time.Unix(1, 0),
			}},
			Receiver: &metrics.ReceiverSample{Requests: counted(texts(receiver.Outcomes())), NotAfter: time.Unix(1, 0)},
			Admin:    metrics.AdminSample{NotAfter: time.Unix(1, 0)},
			Statuses: []metrics.StatusSample{{
				Issuer: "vneid", Success: time.Unix(1, 0), Fetches: counted(statuslist.Outcomes()),
				Checks: counted(texts(statuslist.Statuses())), Waits: counted([]string{"in_time", "timeout", "crowded"}),
			}},
			StatusBytesLimit: 1,
		}
	})
	site := m.Site("hanoi")
	site.Request(metrics.Allowed, 0, time.Millisecond, time.Microsecond)
	site.Notice()
	m.Verifications("vneid").Count(0)
	m.WireRefused(wire.Reasons()[0].String())

	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]series)
	for _, f := range families {
		labels := make(series)
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				labels[l.GetName()] = nil
			}
		}
		switch f.GetType() {
		case dto.MetricType_HISTOGRAM:
		case dto.MetricType_SUMMARY:
			labels["quantile"] = nil
			fallthrough
		default:
			all[f.GetName()] = labels
			continue
		}
		all[f.GetName()+"_sum"], all[f.GetName()+"_count"] = labels, labels
		bucket := series{"le": nil}
		for l := range labels {
			bucket[l] = nil
		}
		all[f.GetName()+"_bucket"] = bucket
	}
	closeSets(all, families, reasons)
	return all
}

func revocations() *metrics.RevocationSample {
	kinds := counted(texts(revocation.Kinds()))
	s := &metrics.RevocationSample{
		Entries: make(map[string]int), Hits: kinds, Log: metrics.RevocationLogSample{LastSnapshot: time.Unix(1, 0)},
	}
	for kind := range kinds {
		s.Entries[kind] = 1
	}
	for _, source := range append(texts(intake.Sources()), "fleet") {
		s.Brought = append(s.Brought, metrics.BroughtSample{
			Source: source, Refused: counted(texts(intake.Reasons())), Last: time.Unix(1, 0),
		})
	}
	return s
}

func events(delivery intake.Source) metrics.EventSample {
	s := metrics.EventSample{
		Issuer: "vneid", Delivery: delivery.String(),
		Tokens:   counted([]string{"accepted", "duplicate", "refused"}),
		Refused:  named(int(secevent.NumReasons), secevent.Reason.String),
		Events:   named(int(secevent.NumKinds), secevent.Kind.String),
		Verified: time.Unix(1, 0), Accepted: time.Unix(1, 0),
		Statuses: append(secevent.StreamStatuses(), "other"),
	}
	if delivery == intake.Poll {
		s.Polls = &metrics.PollSample{Failures: counted(identity.Reasons()), Success: time.Unix(1, 0)}
	}
	return s
}

// texts returns the names of the values of a closed set.
func texts[T fmt.Stringer](set []T) []string {
	names := make([]string, len(set))
	for i, value := range set {
		names[i] = value.String()
	}
	return names
}

// introspected lists what becomes of introspections, in the order of the
// gateway's own counters.
var introspected = []string{"believed", "refusal_believed", "active", "inactive", "unfit", "used_while_away", "unavailable"}

func lookups() (names []string) {
	for _, l := range identity.Lookups() {
		names = append(names, l.String())
	}
	return names
}

// named counts one of each of a closed set of so many values.
func named[T ~uint8](values int, name func(T) string) map[string]uint64 {
	counts := make(map[string]uint64, values)
	for i := range values {
		counts[name(T(i))] = 1
	}
	return counts
}

func counted(names []string) map[string]uint64 {
	counts := make(map[string]uint64, len(names))
	for _, name := range names {
		counts[name] = 1
	}
	return counts
}

// closeSets fills in the values of labels from closed sets.
func closeSets(all map[string]series, families []*dto.MetricFamily, reasons []string) {
	for _, f := range families {
		// Most have all their children from the start.
		for _, label := range []string{"stage", "result", "limit", "state", "call", "reason", "outcome", "class", "cause", "direction", "kind", "source", "action", "place", "delivery", "event", "status"} {
			values := make(map[string]bool)
			for _, metric := range f.GetMetric() {
				for _, l := range metric.GetLabel() {
					if l.GetName() == label {
						values[l.GetValue()] = true
					}
				}
			}
			for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
				if s, ok := all[f.GetName()+suffix]; ok && len(values) > 0 {
					s[label] = values
				}
			}
		}
	}
	// These have a child when something has happened.
	all[ns("requests_total")]["outcome"] = set(metrics.Allowed.String(), metrics.Refused.String(), metrics.Failed.String(), metrics.Observed.String())
	all[ns("requests_total")]["reason"] = set(reasons...)
	all[ns("verifications_total")]["reason"] = set(reasons...)
}

func ns(name string) string { return metrics.Namespace + "_" + name }

func set(values ...string) map[string]bool {
	s := make(map[string]bool, len(values))
	for _, v := range values {
		s[v] = true
	}
	return s
}

// family gives the name of the metric that a series belongs to.
func family(name string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, cut := strings.CutSuffix(name, suffix); cut {
			return base
		}
	}
	return name
}
