package metrics_test

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
)

var reasons = []string{"none", "token_expired", "upstream_timeout"}

func sample() metrics.Sample {
	return metrics.Sample{
		Ready:          true,
		Draining:       true,
		RetiredConfigs: 1,
		Connections:    metrics.ConnectionSample{Open: 7, Parked: 5, Limit: 70, Sources: 4, Refused: map[string]uint64{"total": 2, "source": 3}},
		Listeners: []metrics.ListenerSample{
			{Listener: ":8080", AcceptErrors: 1},
			{
				Listener: ":8443", HandshakeFailures: map[string]uint64{"timeout": 6}, ReloadFailures: 7,
				NotAfter: []time.Time{time.Unix(2000000000, 0), time.Unix(1900000000, 0)},
			},
		},
		Overload: metrics.OverloadSample{
			Limit: 256, Shed: map[string]uint64{"rest": 2}, Late: 3 * time.Millisecond, LateWindows: 4,
			Turns: map[string]uint64{"late": 5}, Running: 1, Waiting: 6, Parallel: 2,
		},
		Rates:   []metrics.RateSample{{Site: "hanoi", Refused: map[string]uint64{"client": 8}, Crowded: 9}},
		Tunnels: metrics.TunnelSample{Open: 1, Limit: 10, Opened: 5, Refused: 2, Ended: map[string]uint64{"idle": 3}, ToUpstream: 100, ToClient: 200},
		Sites:   []metrics.SiteSample{{Site: "hanoi", Observes: true}, {Site: "hue"}},
		Issuers: []metrics.IssuerSample{
			{Issuer: "vneid", Keys: 2, Skipped: 1, Age: 90 * time.Second, HasKeys: true, Fetches: 5, Failures: map[string]uint64{"timeout": 3}},
			{Issuer: "legacy", Fetches: 4, Failures: map[string]uint64{"status": 4}, SoftStale: true, Unused: 1, Retirable: 2, Purged: 3, Unsaved: 6, Lookups: map[string]uint64{"found": 8}},
			{
				Issuer: "opaque", IntrospectedOnly: true, Introspections: map[string]uint64{"active": 5},
				IntrospectionFailures: map[string]uint64{"timeout": 2},
				Asked:                 &metrics.AskSample{Calls: 11, Retries: 12, InFlight: 13, Limit: 14, Waiting: 15},
				Breakers: []metrics.BreakerSample{
					{Call: metrics.CallIntrospection, State: "open", States: []string{"closed", "open"}, Opened: 7, Refused: 9},
					{Call: metrics.CallKeys, State: "closed", States: []string{"closed", "open"}},
				},
			},
		},
		Upstreams: []metrics.UpstreamSample{{
			Site: "hanoi", Upstream: "127.0.0.1:1", Connections: 3, Limit: 30,
			InFlight: 2, States: map[string]int{"up": 1, "down": 2}, Requests: 50, Failures: 6, DialFailures: map[string]uint64{"refused": 2},
			Retries: map[string]uint64{"stale": 4}, Ejections: 1, BreakerOpened: 3, Checks: 9, FailedChecks: 4, Lookups: 8, FailedLookups: 1,
		}},
		Revocations: &metrics.RevocationSample{
			Entries: map[string]int{"token": 21, "session": 22}, Limit: 23, Bytes: 24, Hits: map[string]uint64{"token": 25},
			Brought: []metrics.BroughtSample{
				{Source: "operator", Accepted: 26, Refused: map[string]uint64{"revocation_store_full": 27}, Last: time.Unix(1800000000, 5e8)},
				{Source: "fleet"},
			},
			Log: metrics.RevocationLogSample{
				Records: 28, Syncs: 29, Failures: 30, LastSync: 2 * time.Millisecond, Syncing: 1500 * time.Millisecond,
				Bytes: 31, Pending: 32, PendingLimit: 33, Snapshots: 34, FailedSnapshots: 35, SnapshotBytes: 36, LastSnapshot: time.Unix(1700000000, 0),
			},
		},
		Heard: []metrics.HeardSample{{Source: "fleet", Age: 70 * time.Second, SoftStale: true, Behind: true}},
		Fleet: &metrics.FleetSample{
			Connected: true, Lag: 5 * time.Millisecond, Behind: 37, Records: map[string]uint64{"applied": 38}, LastAppend: time.Unix(1600000000, 0),
			Outbox: 39, OutboxBytes: 40, OutboxLimit: 41, Sessions: 42,
			Resyncs: map[string]uint64{"gap": 43}, Errors: map[string]uint64{"timeout": 44}, Damaged: map[string]uint64{"state": 45},
		},
		Events: []metrics.EventSample{
			{Issuer: "vneid", Delivery: "push", Tokens: map[string]uint64{"accepted": 46}, Refused: map[string]uint64{"unmapped": 47}, Unmapped: 48},
			{
				Issuer: "vneid", Delivery: "poll", Events: map[string]uint64{"session_revoked": 49}, Lag: 3 * time.Second,
				Verified: time.Unix(1500000000, 0), Accepted: time.Unix(1400000000, 0), Status: "paused", Statuses: []string{"enabled", "paused"},
				Polls: &metrics.PollSample{Polls: 50, Failures: map[string]uint64{"timeout": 51}, Success: time.Unix(1300000000, 0), More: true},
			},
		},
		Logouts: []metrics.LogoutSample{{Issuer: "vneid", Requests: map[string]uint64{"expired": 52}, Lag: time.Second, Accepted: time.Unix(1200000000, 0)}},
		Receiver: &metrics.ReceiverSample{
			Requests: map[string]uint64{"handled": 53}, InFlight: 54, Limit: 55, HandshakeFailures: 56, Complaints: 57, NotAfter: time.Unix(1100000000, 0),
		},
		Admin: metrics.AdminSample{NotAfter: time.Unix(1000000000, 0), ReloadFailures: 58},
		Statuses: []metrics.StatusSample{{
			Issuer: "vneid", Lists: 59, Missing: 60, Soft: 61, Bytes: 62, OldestAge: 63 * time.Second, Success: time.Unix(1900000000, 0),
			Fetches: map[string]uint64{"changed": 64}, Delayed: 65, Unheld: 66,
			Checks: map[string]uint64{"valid": 67}, Waits: map[string]uint64{"timeout": 68}, Waiting: 69,
		}},
		StatusBytesLimit: 70,
		Verdicts:         metrics.VerdictSample{Hits: 10, Misses: 4, Evicted: 1, Expired: 2, Rejected: 3, Entries: 6, Bytes: 4096, BytesLimit: 8192},
	}
}

func expect(t *testing.T, m *metrics.Metrics, want string, names ...string) {
	t.Helper()
	for i, n := range names {
		names[i] = metrics.Namespace + "_" + n
	}
	if err := testutil.GatherAndCompare(m.Gatherer(), strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestRequestsAreCountedBySiteOutcomeAndReason(t *testing.T) {
	t.Parallel()
	m := metrics.New(reasons, "v1", sample)
	site := m.Site("hanoi")
	site.Request(metrics.Allowed, 0, 3*time.Millisecond, 20*time.Microsecond)
	site.Request(metrics.Allowed, 0, 3*time.Millisecond, 20*time.Microsecond)
	site.Request(metrics.Refused, 1, time.Millisecond, 30*time.Microsecond)
	// A site that is asked for again shares its children with the first.
	m.Site("hanoi").Request(metrics.Failed, 2, 2*time.Second, 40*time.Microsecond)
	m.Site("hue").Request(metrics.Observed, 1, time.Millisecond, time.Microsecond)
	expect(t, m, `
# HELP vneid_gateway_requests_total Requests by site, outcome and reason; reason is none for a request that passed.
# TYPE vneid_gateway_requests_total counter
vneid_gateway_requests_total{outcome="allowed",reason="none",site="hanoi"} 2
vneid_gateway_requests_total{outcome="failed",reason="upstream_timeout",site="hanoi"} 1
vneid_gateway_requests_total{outcome="observed",reason="token_expired",site="hue"} 1
vneid_gateway_requests_total{outcome="refused",reason="token_expired",site="hanoi"} 1
`, "requests_total")
}

func TestTimesFallIntoTheirBuckets(t *testing.T) {
	t.Parallel()
	m := metrics.New(reasons, "v1", sample)
	m.Site("hanoi").Request(metrics.Allowed, 0, 3*time.Millisecond, 20*time.Microsecond)
	m.Stage(metrics.StageLookup, 2*time.Microsecond)
	body := scrape(t, m)
	for _, line := range []string{
		`vneid_gateway_overhead_duration_seconds_bucket{site="hanoi",le="1e-05"} 0`,
		`vneid_gateway_overhead_duration_seconds_bucket{site="hanoi",le="2.5e-05"} 1`,
		`vneid_gateway_request_duration_seconds_bucket{site="hanoi",le="0.0025"} 0`,
		`vneid_gateway_request_duration_seconds_bucket{site="hanoi",le="0.005"} 1`,
		`vneid_gateway_request_duration_seconds_sum{site="hanoi"} 0.003`,
		`vneid_gateway_stage_duration_seconds_bucket{stage="lookup",le="1e-06"} 0`,
		`vneid_gateway_stage_duration_seconds_bucket{stage="lookup",le="2.5e-06"} 1`,
		`vneid_gateway_stage_duration_seconds_count{stage="verify"} 0`,
		`vneid_gateway_build_info{version="v1"} 1`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("scrape lacks %s", line)
		}
	}
}

func TestWhatOtherPackagesCountIsReadAtEachScrape(t *testing.T) {
	t.Parallel()
	body := scrape(t, metrics.New(reasons, "v1", sample))
	for _, line := range []string{
		`vneid_gateway_ready 1`,
		`vneid_gateway_draining 1`,
		`vneid_gateway_connections 7`,
		`vneid_gateway_connections_limit 70`,
		`vneid_gateway_site_observes{site="hanoi"} 1`,
		`vneid_gateway_site_observes{site="hue"} 0`,
		`vneid_gateway_upstream_connections_limit{site="hanoi",upstream="127.0.0.1:1"} 30`,
		`vneid_gateway_verdict_cache_bytes_limit 8192`,
		`vneid_gateway_key_set_age_seconds{issuer="vneid"} 90`,
		`vneid_gateway_key_set_keys{issuer="vneid"} 2`,
		`vneid_gateway_key_set_skipped_keys{issuer="vneid"} 1`,
		`vneid_gateway_key_set_keys{issuer="legacy"} 0`,
		`vneid_gateway_key_set_fetches_total{issuer="legacy"} 4`,
		`vneid_gateway_key_set_stale{issuer="legacy",limit="soft"} 1`,
		`vneid_gateway_key_set_stale{issuer="legacy",limit="hard"} 0`,
		`vneid_gateway_key_set_unused_keys{issuer="legacy"} 1`,
		`vneid_gateway_key_set_retirable_keys{issuer="legacy"} 2`,
		`vneid_gateway_key_set_purged_keys{issuer="legacy"} 3`,
		`vneid_gateway_key_set_unsaved_total{issuer="legacy"} 6`,
		`vneid_gateway_unknown_key_lookups_total{issuer="legacy",outcome="found"} 8`,
		`vneid_gateway_introspections_total{issuer="opaque",outcome="active"} 5`,
		`vneid_gateway_introspection_failures_total{issuer="opaque",reason="timeout"} 2`,
		`vneid_gateway_introspection_calls_total{issuer="opaque"} 11`,
		`vneid_gateway_introspection_retries_total{issuer="opaque"} 12`,
		`vneid_gateway_introspection_calls_in_flight{issuer="opaque"} 13`,
		`vneid_gateway_introspection_calls_limit{issuer="opaque"} 14`,
		`vneid_gateway_introspection_calls_waiting{issuer="opaque"} 15`,
		`vneid_gateway_backend_breaker{call="introspection",issuer="opaque",state="open"} 1`,
		`vneid_gateway_backend_breaker{call="introspection",issuer="opaque",state="closed"} 0`,
		`vneid_gateway_backend_breaker{call="keys",issuer="opaque",state="closed"} 1`,
		`vneid_gateway_backend_breaker_opened_total{call="introspection",issuer="opaque"} 7`,
		`vneid_gateway_backend_breaker_refused_total{call="introspection",issuer="opaque"} 9`,
		`vneid_gateway_backend_breaker_opened_total{call="keys",issuer="opaque"} 0`,
		`vneid_gateway_key_set_fetch_failures_total{issuer="vneid",reason="timeout"} 3`,
		`vneid_gateway_upstream_connections{site="hanoi",upstream="127.0.0.1:1"} 3`,
		`vneid_gateway_upstream_dial_failures_total{reason="refused",site="hanoi",upstream="127.0.0.1:1"} 2`,
		`vneid_gateway_upstream_requests_in_flight{site="hanoi",upstream="127.0.0.1:1"} 2`,
		`vneid_gateway_upstream_addresses{site="hanoi",state="down",upstream="127.0.0.1:1"} 2`,
		`vneid_gateway_upstream_requests_total{site="hanoi",upstream="127.0.0.1:1"} 50`,
		`vneid_gateway_upstream_failures_total{site="hanoi",upstream="127.0.0.1:1"} 6`,
		`vneid_gateway_upstream_retries_total{cause="stale",site="hanoi",upstream="127.0.0.1:1"} 4`,
		`vneid_gateway_upstream_ejections_total{site="hanoi",upstream="127.0.0.1:1"} 1`,
		`vneid_gateway_upstream_breaker_opened_total{site="hanoi",upstream="127.0.0.1:1"} 3`,
		`vneid_gateway_upstream_health_checks_total{result="good",site="hanoi",upstream="127.0.0.1:1"} 5`,
		`vneid_gateway_upstream_health_checks_total{result="bad",site="hanoi",upstream="127.0.0.1:1"} 4`,
		`vneid_gateway_upstream_lookups_total{result="good",site="hanoi",upstream="127.0.0.1:1"} 7`,
		`vneid_gateway_connections_parked 5`,
		`vneid_gateway_connection_sources 4`,
		`vneid_gateway_connections_refused_total{reason="source"} 3`,
		`vneid_gateway_config_retired 1`,
		`vneid_gateway_accept_errors_total{listener=":8080"} 1`,
		`vneid_gateway_tls_handshake_failures_total{listener=":8443",reason="timeout"} 6`,
		`vneid_gateway_tls_reload_failures_total{listener=":8443"} 7`,
		`vneid_gateway_tls_certificate_expiry_timestamp_seconds{listener=":8443"} 1.9e+09`,
		`vneid_gateway_in_flight_limit 256`,
		`vneid_gateway_shed_total{class="rest"} 2`,
		`vneid_gateway_late_seconds 0.003`,
		`vneid_gateway_late_windows_total 4`,
		`vneid_gateway_verification_turns_total{outcome="late"} 5`,
		`vneid_gateway_verifications_running 1`,
		`vneid_gateway_verifications_waiting 6`,
		`vneid_gateway_verifications_limit 2`,
		`vneid_gateway_rate_limited_total{limit="client",site="hanoi"} 8`,
		`vneid_gateway_rate_limit_crowded_total{site="hanoi"} 9`,
		`vneid_gateway_tunnels 1`,
		`vneid_gateway_tunnels_limit 10`,
		`vneid_gateway_tunnels_opened_total 5`,
		`vneid_gateway_tunnels_refused_total 2`,
		`vneid_gateway_tunnels_ended_total{reason="idle"} 3`,
		`vneid_gateway_tunnel_bytes_total{direction="to_client"} 200`,
		`vneid_gateway_verdict_cache_lookups_total{result="hit"} 10`,
		`vneid_gateway_verdict_cache_lookups_total{result="miss"} 4`,
		`vneid_gateway_verdict_cache_entries 6`,
		`vneid_gateway_verdict_cache_bytes 4096`,
		`vneid_gateway_verdict_cache_evictions_total 1`,
		`vneid_gateway_verdict_cache_expirations_total 2`,
		`vneid_gateway_verdict_cache_rejections_total 3`,
		`vneid_gateway_revocation_entries{kind="session"} 22`,
		`vneid_gateway_revocation_entries_limit 23`,
		`vneid_gateway_revocation_bytes 24`,
		`vneid_gateway_revocation_hits_total{kind="token"} 25`,
		`vneid_gateway_revocations_accepted_total{source="operator"} 26`,
		`vneid_gateway_revocations_refused_total{reason="revocation_store_full",source="operator"} 27`,
		`vneid_gateway_revocations_last_accepted_timestamp_seconds{source="operator"} 1.8000000005e+09`,
		`vneid_gateway_revocation_source_age_seconds{source="fleet"} 70`,
		`vneid_gateway_revocation_source_stale{limit="soft",source="fleet"} 1`,
		`vneid_gateway_revocation_source_stale{limit="hard",source="fleet"} 0`,
		`vneid_gateway_revocation_source_behind{source="fleet"} 1`,
		`vneid_gateway_revocation_log_records_total 28`,
		`vneid_gateway_revocation_log_syncs_total 29`,
		`vneid_gateway_revocation_log_failures_total 30`,
		`vneid_gateway_revocation_log_last_sync_seconds 0.002`,
		`vneid_gateway_revocation_log_sync_seconds_total 1.5`,
		`vneid_gateway_revocation_log_bytes 31`,
		`vneid_gateway_revocation_log_pending_bytes 32`,
		`vneid_gateway_revocation_log_pending_bytes_limit 33`,
		`vneid_gateway_revocation_snapshots_total{result="good"} 34`,
		`vneid_gateway_revocation_snapshots_total{result="bad"} 35`,
		`vneid_gateway_revocation_snapshot_bytes 36`,
		`vneid_gateway_revocation_snapshot_timestamp_seconds 1.7e+09`,
		`vneid_gateway_fleet_connected 1`,
		`vneid_gateway_fleet_caught_up 0`,
		`vneid_gateway_fleet_lag_seconds 0.005`,
		`vneid_gateway_fleet_behind_entries 37`,
		`vneid_gateway_fleet_records_total{action="applied"} 38`,
		`vneid_gateway_fleet_last_append_timestamp_seconds 1.6e+09`,
		`vneid_gateway_fleet_outbox_records 39`,
		`vneid_gateway_fleet_outbox_bytes 40`,
		`vneid_gateway_fleet_outbox_bytes_limit 41`,
		`vneid_gateway_fleet_sessions_total 42`,
		`vneid_gateway_fleet_resyncs_total{cause="gap"} 43`,
		`vneid_gateway_fleet_errors_total{reason="timeout"} 44`,
		`vneid_gateway_fleet_damaged_total{place="state"} 45`,
		`vneid_gateway_security_event_tokens_total{delivery="push",issuer="vneid",outcome="accepted"} 46`,
		`vneid_gateway_security_event_tokens_refused_total{delivery="push",issuer="vneid",reason="unmapped"} 47`,
		`vneid_gateway_security_events_unmapped_total{delivery="push",issuer="vneid"} 48`,
		`vneid_gateway_security_events_total{delivery="poll",event="session_revoked",issuer="vneid"} 49`,
		`vneid_gateway_security_event_lag_seconds{delivery="poll",issuer="vneid"} 3`,
		`vneid_gateway_security_event_verified_timestamp_seconds{delivery="poll",issuer="vneid"} 1.5e+09`,
		`vneid_gateway_security_event_accepted_timestamp_seconds{delivery="poll",issuer="vneid"} 1.4e+09`,
		`vneid_gateway_security_event_stream_status{delivery="poll",issuer="vneid",status="paused"} 1`,
		`vneid_gateway_security_event_stream_status{delivery="poll",issuer="vneid",status="enabled"} 0`,
		`vneid_gateway_security_event_polls_total{issuer="vneid"} 50`,
		`vneid_gateway_security_event_poll_failures_total{issuer="vneid",reason="timeout"} 51`,
		`vneid_gateway_security_event_poll_success_timestamp_seconds{issuer="vneid"} 1.3e+09`,
		`vneid_gateway_security_event_poll_more_available{issuer="vneid"} 1`,
		`vneid_gateway_logouts_total{issuer="vneid",outcome="expired"} 52`,
		`vneid_gateway_logout_lag_seconds{issuer="vneid"} 1`,
		`vneid_gateway_logout_accepted_timestamp_seconds{issuer="vneid"} 1.2e+09`,
		`vneid_gateway_receiver_requests_total{outcome="handled"} 53`,
		`vneid_gateway_receiver_requests_in_flight 54`,
		`vneid_gateway_receiver_requests_limit 55`,
		`vneid_gateway_receiver_handshake_failures_total 56`,
		`vneid_gateway_receiver_complaints_total 57`,
		`vneid_gateway_receiver_certificate_expiry_timestamp_seconds 1.1e+09`,
		`vneid_gateway_admin_certificate_expiry_timestamp_seconds 1e+09`,
		`vneid_gateway_admin_certificate_reload_failures_total 58`,
		`vneid_gateway_status_lists{issuer="vneid"} 59`,
		`vneid_gateway_status_lists_missing{issuer="vneid"} 60`,
		`vneid_gateway_status_lists_stale{issuer="vneid"} 61`,
		`vneid_gateway_status_list_bytes{issuer="vneid"} 62`,
		`vneid_gateway_status_list_oldest_age_seconds{issuer="vneid"} 63`,
		`vneid_gateway_status_list_success_timestamp_seconds{issuer="vneid"} 1.9e+09`,
		`vneid_gateway_status_list_fetches_total{issuer="vneid",outcome="changed"} 64`,
		`vneid_gateway_status_list_fetches_delayed_total{issuer="vneid"} 65`,
		`vneid_gateway_status_lists_unheld_total{issuer="vneid"} 66`,
		`vneid_gateway_status_checks_total{issuer="vneid",status="valid"} 67`,
		`vneid_gateway_status_list_waits_total{issuer="vneid",outcome="timeout"} 68`,
		`vneid_gateway_status_list_waiting{issuer="vneid"} 69`,
		`vneid_gateway_status_list_bytes_limit 70`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("scrape lacks %s", line)
		}
	}
	if strings.Contains(body, `key_set_age_seconds{issuer="legacy"}`) {
		t.Error("an issuer without keys has an age")
	}
	if strings.Contains(body, `key_set_keys{issuer="opaque"}`) {
		t.Error("an issuer without a key set is counted as one without keys")
	}
	for _, never := range []string{
		`revocations_last_accepted_timestamp_seconds{source="fleet"}`, `security_event_verified_timestamp_seconds{delivery="push"`,
	} {
		if strings.Contains(body, never) {
			t.Errorf("what never was has a time: %s", never)
		}
	}
}

func TestNothingIsToldOfWhatIsNotConfigured(t *testing.T) {
	t.Parallel()
	body := scrape(t, metrics.New(reasons, "v1", func() metrics.Sample { return metrics.Sample{} }))
	for _, part := range []string{"revocation_", "revocations_", "fleet_", "security_event", "logout", "receiver_", "admin_certificate_", "status_"} {
		if strings.Contains(body, "\nvneid_gateway_"+part) {
			t.Errorf("something is told of %s", part)
		}
	}
}

func TestVerificationsAreCountedByIssuerAndReason(t *testing.T) {
	t.Parallel()
	m := metrics.New(reasons, "v1", sample)
	v := m.Verifications("vneid")
	v.Count(0)
	v.Count(1)
	v.Count(1)
	expect(t, m, `
# HELP vneid_gateway_verifications_total Tokens verified, cached verdicts excluded, by issuer and reason; reason is none for a good token, issuer is unknown for one of nobody's.
# TYPE vneid_gateway_verifications_total counter
vneid_gateway_verifications_total{issuer="vneid",reason="none"} 1
vneid_gateway_verifications_total{issuer="vneid",reason="token_expired"} 2
`, "verifications_total")
}

func TestNamesFollowPrometheusPractice(t *testing.T) {
	t.Parallel()
	m := metrics.New(reasons, "v1", sample)
	m.WireRefused("bare_lf")
	problems, err := promlint.New(strings.NewReader(scrape(t, m))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, metrics.Namespace) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// The children of a pair of outcome and reason are resolved by whoever needs
// them first.
func TestChildrenAreResolvedConcurrently(t *testing.T) {
	t.Parallel()
	m := metrics.New(reasons, "v1", sample)
	site := m.Site("hanoi")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				site.Request(metrics.Refused, 1, time.Microsecond, time.Microsecond)
			}
		})
	}
	all.Wait()
	if body := scrape(t, m); !strings.Contains(body, `vneid_gateway_requests_total{outcome="refused",reason="token_expired",site="hanoi"} 8000`+"\n") {
		t.Error("requests were lost")
	}
}

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("scrape: %d %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}
