package gateway

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/fleet"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/intake"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
	"github.com/vneid-gateway/vneid-gateway/gateway/receiver"
	"github.com/vneid-gateway/vneid-gateway/gateway/secevent"
)

// allowingStale is the plain site, which goes on while a source is silent.
const allowingStale = defaultSite + "\n    when_revocations_stale: allow"

// post sends a body, and returns the status of the answer.
func (r *rig) post(url, mediaType, token, body string) int {
	r.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		r.tb.Fatal(err)
	}
	req.Close = true
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// operatorRevokes asks the admin listener to revoke a token.
func (r *rig) operatorRevokes(jti string) (status int) {
	r.tb.Helper()
	return r.post("http://"+r.AdminAddress().String()+"/revocations", "application/json", operatorToken,
		`{"issuer":"vneid","jti":"`+jti+`","reason":"test"}`)
}

// told is a rig to which operators and an issuer tell of revocations.
func toldRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, operated(t, setup{
		issuer: `revocation: { events: { push: true, poll_url: ISSUER/no-events-here, poll_every: 100ms, audience: [gateway] }, logout: { audience: [tthc] } }`,
		site:   allowingStale,
		top:    `revocation: { directory: ` + filepath.Join(t.TempDir(), "revoked") + `, max_entries: 2, receiver: { address: "127.0.0.1:0", requests: 7 } }`,
	}))
	tok := r.token(func(c *corpus.Token) { c.ID = "jti-1" })
	r.warm(tok)
	for jti, want := range map[string]int{"jti-1": 200, "jti-2": 200} {
		if status := r.operatorRevokes(jti); status != want {
			t.Fatalf("%s: %d", jti, status)
		}
	}
	if status := r.operatorRevokes("jti-3"); status != 503 {
		t.Errorf("a third one: %d", status)
	}
	if a := r.get("/private", bearer(tok)); a.status != 401 {
		t.Errorf("revoked: %d", a.status)
	}
	at := "http://" + r.receiver.Addr().String()
	if status := r.post(at+"/events/vneid", "application/secevent+jwt", "x", "rubbish"); status != 400 {
		t.Errorf("an event of rubbish: %d", status)
	}
	if status := r.post(at+"/logout/vneid", "application/x-www-form-urlencoded", "x", "logout_token=rubbish"); status != 400 {
		t.Errorf("a logout of rubbish: %d", status)
	}
	if status := r.post(at+"/else", "text/plain", "x", ""); status != 404 {
		t.Errorf("another path: %d", status)
	}
	r.eventually("polls that failed", func() bool {
		return r.metric("security_event_poll_failures_total", "issuer=vneid", "reason=status") > 0
	})
	return r
}

func TestMetricsTellWhatBecameOfRevocations(t *testing.T) {
	t.Parallel()
	r := toldRig(t)
	for _, want := range []struct {
		n      float64
		name   string
		labels []string
	}{
		{2, "revocation_entries", []string{"kind=token"}},
		{2, "revocation_entries", nil},
		{2, "revocation_entries_limit", nil},
		{1, "revocation_hits_total", []string{"kind=token"}},
		{2, "revocations_accepted_total", []string{"source=operator"}},
		{2, "revocations_accepted_total", nil},
		{1, "revocations_refused_total", []string{"source=operator", "reason=revocation_store_full"}},
		{1, "revocations_refused_total", nil},
		{2, "revocation_log_records_total", nil},
		{2, "revocation_log_syncs_total", nil},
		{0, "revocation_log_failures_total", nil},
		{0, "revocation_snapshots_total", nil},
		{1, "revocation_source_behind", []string{"source=poll_vneid"}},
		{0, "revocation_source_stale", nil},
		{1, "security_event_tokens_total", []string{"issuer=vneid", "delivery=push", "outcome=refused"}},
		{1, "security_event_tokens_refused_total", []string{"delivery=push", "reason=invalid_request"}},
		{0, "security_event_tokens_total", []string{"delivery=poll"}},
		{0, "security_event_stream_status", nil},
		{1, "logouts_total", []string{"issuer=vneid", "outcome=malformed"}},
		{1, "logouts_total", nil},
		{2, "receiver_requests_total", []string{"outcome=handled"}},
		{1, "receiver_requests_total", []string{"outcome=not_found"}},
		{7, "receiver_requests_limit", nil},
		{0, "receiver_requests_in_flight", nil},
		{1, "backend_breaker", []string{"call=events"}},
		{1, "verifications_total", []string{"issuer=vneid", "reason=none"}},
	} {
		r.wantMetric(want.n, want.name, want.labels...)
	}
	for _, some := range []string{
		"revocation_bytes", "revocation_log_bytes", "revocation_log_pending_bytes", "revocation_log_pending_bytes_limit",
		"revocation_log_sync_seconds_total", "revocation_log_last_sync_seconds", "revocations_last_accepted_timestamp_seconds",
		"security_event_polls_total", "revocation_source_age_seconds",
	} {
		if r.metric(some) <= 0 {
			t.Errorf("%s is nought", some)
		}
	}
}

func TestMetricsTellOfAFleetThatIsAway(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("7c", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, operated(t, setup{
		site: allowingStale,
		top: `revocation: { directory: ` + filepath.Join(t.TempDir(), "revoked") + `, secret_file: ` + secret + `,
  fleet: { redis: ["127.0.0.1:1"], timeout: 100ms, outbox_bytes: 1MiB } }`,
	}))
	if status := r.operatorRevokes("jti-1"); status != 503 {
		t.Errorf("a revocation without the fleet: %d", status)
	}
	r.eventually("a session that failed", func() bool { return r.metric("fleet_errors_total", "reason=connect") > 0 })
	r.wantMetric(0, "fleet_connected")
	r.wantMetric(0, "fleet_caught_up")
	r.wantMetric(1, "fleet_records_total", "action=refused")
	r.wantMetric(1, "fleet_records_total")
	r.wantMetric(1<<20, "fleet_outbox_bytes_limit")
	r.wantMetric(0, "fleet_outbox_records")
	r.wantMetric(1, "revocations_refused_total", "source=operator", "reason=revocation_fleet_unavailable")
	r.wantMetric(1, "revocation_source_behind", "source=fleet")
	r.wantMetric(1, "revocation_entries", "kind=token") // in force here, though not acknowledged
}

// What a node of a fleet counts goes into the metric of its name.
func TestWhatTheFleetCountsIsNotMixedUp(t *testing.T) {
	t.Parallel()
	stats := fleet.Stats{Appended: 1, Applied: 2, Deferred: 3, Forwarded: 4, Offered: 5, Refused: 6, DamagedEntries: 7, DamagedRecords: 8, OutboxDamaged: 9}
	stats.Resyncs[fleet.CauseGap], stats.Errors[fleet.ReasonSecret] = 10, 11
	s := fleetSample(&stats)
	for _, c := range []struct {
		counts map[string]uint64
		name   string
		want   uint64
	}{
		{s.Records, "appended", 1},
		{s.Records, "applied", 2},
		{s.Records, "deferred", 3},
		{s.Records, "forwarded", 4},
		{s.Records, "offered", 5},
		{s.Records, "refused", 6},
		{s.Damaged, "stream", 7},
		{s.Damaged, "state", 8},
		{s.Damaged, "outbox", 9},
		{s.Resyncs, "gap", 10},
		{s.Errors, "secret", 11},
	} {
		if got := c.counts[c.name]; got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestLabelsOfRevocationsComeFromClosedSets(t *testing.T) {
	t.Parallel()
	r := toldRig(t)
	closed := map[string][]string{
		"kind":     stringsOf(revocation.Kinds()),
		"source":   append(stringsOf(intake.Sources()), "poll_vneid"),
		"limit":    {"soft", "hard"},
		"issuer":   {"vneid"},
		"delivery": {"push", "poll"},
		"event":    stringsOf(upTo(secevent.NumKinds)),
		"status":   {"enabled", "paused", "disabled", "other"},
		"result":   {"good", "bad"},
		"outcome": slices.Concat([]string{"accepted", "duplicate", "refused"}, stringsOf(logout.Outcomes()),
			stringsOf(receiver.Outcomes())),
		"reason": slices.Concat(stringsOf(intake.Reasons()), stringsOf(upTo(secevent.NumReasons)), identity.Reasons()),
	}
	series := 0
	for name, family := range r.gathered() {
		prefix, _, _ := strings.Cut(name, "_")
		if !slices.Contains([]string{"revocation", "revocations", "security", "logouts", "logout", "receiver"}, prefix) {
			continue
		}
		for _, m := range family.GetMetric() {
			series++
			for _, l := range m.GetLabel() {
				if !slices.Contains(closed[l.GetName()], l.GetValue()) {
					t.Errorf("%s: label %s=%q is of no closed set", name, l.GetName(), l.GetValue())
				}
			}
		}
	}
	if series < 60 {
		t.Errorf("not much of a run: %d series", series)
	}
}

func stringsOf[T interface{ String() string }](set []T) []string {
	names := make([]string, len(set))
	for i, value := range set {
		names[i] = value.String()
	}
	return names
}
