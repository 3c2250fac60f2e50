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
		Verdicts: metrics.VerdictSample{Hits: 10, Misses: 4, Evicted: 1, Expired: 2, Rejected: 3, Entries: 6, Bytes: 4096, BytesLimit: 8192},
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
