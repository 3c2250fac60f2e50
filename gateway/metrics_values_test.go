package gateway

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

func TestMetricsCountWhatHappened(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token()
	for range 3 {
		r.get("/open/x")
	}
	r.get("/private", bearer(tok))
	r.get("/private", bearer(r.faulty(corpus.Forged)))
	r.get("/private", bearer(r.faulty(corpus.WrongIssuer)))
	r.get("/private")
	r.get("/api/cam/x")
	r.dial().send("GET / HTTP/1.1\r\nHost: other.example\r\n\r\n").answer("GET")
	for _, want := range []struct {
		n      float64
		name   string
		labels []string
	}{
		{3, "requests_total", []string{"site=hanoi", "outcome=allowed", "reason=none"}}, // verified below
		{1, "requests_total", []string{"site=hanoi", "outcome=refused", "reason=signature_invalid"}},
		{1, "requests_total", []string{"site=hanoi", "outcome=refused", "reason=issuer_unknown"}},
		{1, "requests_total", []string{"site=hanoi", "outcome=refused", "reason=credential_missing"}},
		{1, "requests_total", []string{"site=hanoi", "outcome=refused", "reason=route_denied"}},
		{1, "requests_total", []string{"site=-", "outcome=refused", "reason=host_unknown"}},
		{9, "requests_total", nil},
		{8, "request_duration_seconds", []string{"site=hanoi"}},
		{1, "request_duration_seconds", []string{"site=-"}},
		{8, "overhead_duration_seconds", []string{"site=hanoi"}},
		{9, "stage_duration_seconds", []string{"stage=route"}},
		{3, "stage_duration_seconds", []string{"stage=verify"}},
		{4, "stage_duration_seconds", []string{"stage=upstream"}},
		{5, "stage_duration_seconds", []string{"stage=policy"}},
		{3, "stage_duration_seconds", []string{"stage=lookup"}},
		{1, "verifications_total", []string{"issuer=vneid", "reason=none"}},
		{1, "verifications_total", []string{"issuer=vneid", "reason=signature_invalid"}},
		{1, "verifications_total", []string{"issuer=unknown", "reason=issuer_unknown"}},
		{3, "verifications_total", nil},
		{3, "verdict_cache_lookups_total", []string{"result=miss"}},
		{0, "verdict_cache_lookups_total", []string{"result=hit"}},
		{3, "key_set_keys", []string{"issuer=vneid"}},
		{1, "key_set_keys", []string{"issuer=legacy"}},
		{0, "key_set_skipped_keys", []string{"issuer=vneid"}},
		{1, "key_set_fetches_total", []string{"issuer=vneid"}},
		{0, "key_set_fetch_failures_total", nil},
		{0, "in_flight_requests", nil},
		{0, "panics_total", nil},
		{0, "wire_refusals_total", nil},
		{1, "build_info", []string{"version=test"}},
	} {
		if slices.Equal(want.labels, []string{"site=hanoi", "outcome=allowed", "reason=none"}) {
			want.n = 4
		}
		r.wantMetric(want.n, want.name, want.labels...)
	}
	r.eventually("a verdict held", func() bool { return r.metric("verdict_cache_entries") == 1 })
	r.warm(tok)
	r.wantMetric(1, "verdict_cache_lookups_total", "result=hit")
	r.wantMetric(1, "verifications_total", "issuer=vneid", "reason=none")
}

func TestOverheadLeavesTheUpstreamOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{upstreams: "[" + startSite(t) + "]"})
	r.get("/open/../slow?ms=120", bearer(r.token()))
	total, overhead, waited := 0.0, 0.0, 0.0
	for name, to := range map[string]*float64{"request_duration_seconds": &total, "overhead_duration_seconds": &overhead} {
		for _, m := range r.gathered()[name].GetMetric() {
			*to += m.GetHistogram().GetSampleSum()
		}
	}
	for _, m := range r.gathered()["stage_duration_seconds"].GetMetric() {
		if hasLabels(m, []string{"stage=upstream"}) {
			waited = m.GetHistogram().GetSampleSum()
		}
	}
	if waited < 0.12 || total < waited || overhead <= 0 || overhead > total-waited+1e-3 {
		t.Errorf("total %v, overhead %v, upstream %v", total, overhead, waited)
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	a, b := r.dial(), r.dial()
	a.send(openGet + "\r\n").answer("GET")
	b.send(openGet + "\r\n").answer("GET")
	r.wantMetric(2, "connections")
	a.Close()
	r.eventually("one connection", func() bool { return r.metric("connections") == 1 })
	b.Close()
	r.eventually("no connection", func() bool { return r.metric("connections") == 0 })
	r.wantMetric(0, "connections_refused_total")
	r.wantMetric(2, "requests_total")
}

// TestLabelsComeFromClosedSets walks the whole registry after a hostile run.
func TestLabelsComeFromClosedSets(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	matrix(r)
	for _, c := range malformedBodies {
		conn := r.dial().send(openPost + "Transfer-Encoding: chunked\r\n\r\n" + c.body)
		_, _ = conn.tryAnswer("POST")
		conn.Close()
	}
	r.idle()
	codes := []string{"none"}
	for _, c := range reject.Codes() {
		codes = append(codes, c.String())
	}
	var framing []string
	for _, reason := range wire.Reasons() {
		framing = append(framing, reason.String())
	}
	issuers := []string{"vneid", "legacy"}
	allowed := map[string]map[string][]string{
		"requests_total":                {"site": {"hanoi", "-"}, "outcome": {"allowed", "refused", "failed", "observed"}, "reason": codes},
		"request_duration_seconds":      {"site": {"hanoi", "-"}},
		"overhead_duration_seconds":     {"site": {"hanoi", "-"}},
		"notices_total":                 {"site": {"hanoi", "-"}},
		"verifications_total":           {"issuer": append(issuers, "unknown"), "reason": codes},
		"wire_refusals_total":           {"reason": framing},
		"stage_duration_seconds":        {"stage": {"route", "lookup", "verify", "introspect", "policy", "upstream"}},
		"build_info":                    {"version": {"test"}},
		"key_set_age_seconds":           {"issuer": issuers},
		"key_set_keys":                  {"issuer": issuers},
		"key_set_skipped_keys":          {"issuer": issuers},
		"key_set_fetches_total":         {"issuer": issuers},
		"key_set_fetch_failures_total":  {"issuer": issuers, "reason": identity.Reasons()},
		"site_observes":                 {"site": {"hanoi"}},
		"key_set_stale":                 {"issuer": issuers, "limit": {"soft", "hard"}},
		"key_set_unused_keys":           {"issuer": issuers},
		"key_set_retirable_keys":        {"issuer": issuers},
		"key_set_purged_keys":           {"issuer": issuers},
		"key_set_unsaved_total":         {"issuer": issuers},
		"unknown_key_lookups_total":     {"issuer": issuers, "outcome": lookups()},
		"backend_breaker":               {"issuer": issuers, "call": {"keys"}, "state": identity.BreakerStates()},
		"backend_breaker_opened_total":  {"issuer": issuers, "call": {"keys"}},
		"backend_breaker_refused_total": {"issuer": issuers, "call": {"keys"}},
		"verdict_cache_lookups_total":   {"result": {"hit", "miss"}},
		"config_reloads_total":          {"outcome": {"applied", "refused"}},
		"connections_refused_total":     {"reason": {"total", "source", "proxy_header"}},
		"accept_errors_total":           {"listener": {r.address()}},
		"shed_total":                    {"class": {"verification", "over_share", "rest"}},
		"verification_turns_total":      {"outcome": {"at_once", "after_wait", "full", "late"}},
		"tunnels_ended_total":           {"reason": {"idle", "expired", "closed"}},
		"tunnel_bytes_total":            {"direction": {"to_upstream", "to_client"}},
	}
	upstreams := map[string][]string{"site": {"hanoi"}, "upstream": {r.upstream.Address()}}
	for name, more := range map[string]map[string][]string{
		"upstream_connections": nil, "upstream_connections_limit": nil, "upstream_requests_in_flight": nil,
		"upstream_requests_total": nil, "upstream_failures_total": nil, "upstream_ejections_total": nil, "upstream_breaker_opened_total": nil,
		"upstream_addresses":           {"state": {"up", "down", "breaker_open", "breaker_half_open", "ejected", "returning"}},
		"upstream_dial_failures_total": {"reason": dialFailures()},
		"upstream_retries_total":       {"cause": {"passed_over", "stale", "over_budget"}},
		"upstream_health_checks_total": {"result": {"good", "bad"}},
		"upstream_lookups_total":       {"result": {"good", "bad"}},
	} {
		allowed[name] = maps.Clone(upstreams)
		maps.Copy(allowed[name], more)
	}
	series := 0
	for name, family := range r.gathered() {
		for _, m := range family.GetMetric() {
			series++
			for _, l := range m.GetLabel() {
				if !slices.Contains(allowed[name][l.GetName()], l.GetValue()) {
					t.Errorf("%s: label %s=%q is of no closed set", name, l.GetName(), l.GetValue())
				}
			}
		}
	}
	if series < 60 || r.metric("wire_refusals_total") < 30 {
		t.Errorf("not much of a run: %d series", series)
	}
	_, exposition := r.adminGet("/metrics")
	for name := range allowed {
		if !strings.Contains(exposition, "# HELP vneid_gateway_"+name+" ") {
			t.Errorf("%s is not exposed", name)
		}
	}
}

func dialFailures() (names []string) {
	for _, f := range upstream.DialFailures() {
		names = append(names, f.String())
	}
	return names
}

func lookups() (names []string) {
	for _, l := range identity.Lookups() {
		names = append(names, l.String())
	}
	return names
}
