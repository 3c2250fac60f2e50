package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestObserveCountsWhatItWouldRefuseAndLetsItPass(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: observedSite})
	for _, c := range []struct {
		reason string
		fields []string
	}{
		{"credential_missing", nil},
		{"credential_malformed", []string{"Authorization: Bearer"}},
		{"credentials_multiple", []string{bearer("a"), bearer("b")}},
		{"signature_invalid", []string{bearer(r.faulty(corpus.Forged))}},
		{"token_expired", []string{bearer(r.faulty(corpus.Expired))}},
		{"issuer_not_accepted", []string{bearer(r.legacyToken())}},
	} {
		a := r.get("/private", c.fields...)
		if a.status != 200 || a.body != "good" || a.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d %s", c.reason, a.status, a.code)
		}
		r.wantMetric(1, "requests_total", "site=hanoi", "outcome=observed", "reason="+c.reason)
	}
	if a := r.get("/private", bearer(r.token())); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
	r.wantMetric(1, "requests_total", "site=hanoi", "outcome=allowed", "reason=none")
	if got := identityLines(r.upstream.Requests()[6]); len(got) == 0 {
		t.Error("a verified request lost its identity under observe")
	}
	// A token that is good, yet not for this path, states nobody here either.
	if a := r.get("/level2/x", bearer(r.token(func(t *corpus.Token) { t.AccountLevel = 1 }))); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
	r.wantMetric(1, "requests_total", "site=hanoi", "outcome=observed", "reason=account_level_insufficient")
	if got := identityLines(r.upstream.Requests()[7]); len(got) > 0 {
		t.Errorf("%q", got)
	}
	for _, line := range r.log.lines("request")[:6] {
		if line["outcome"] != "observed" || line["status"] != 200.0 || line["account_kind"] != nil {
			t.Errorf("%v", line)
		}
	}
}

func TestObserveKeepsDenyRulesAndFraming(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: observedSite + "\n    max_body_bytes: 10"})
	for _, fields := range [][]string{nil, {bearer(r.token())}} {
		if a := r.get("/api/cam/x", fields...); a.status != 403 || a.code != "route_denied" {
			t.Errorf("%d %s", a.status, a.code)
		}
	}
	if a := r.get("/api/%2e%2e%2fcam"); a.status != 400 || a.code != "target_malformed" {
		t.Errorf("%d %s", a.status, a.code)
	}
	if a := r.dial().send(request("POST", "/private", "Content-Length: 11") + "hello world").answer("POST"); a.status != 413 || a.code != "body_too_large" {
		t.Errorf("%d %s", a.status, a.code)
	}
	for _, c := range smuggling[:8] {
		conn := r.dial().send(c.raw + smuggled)
		if a := conn.answer("GET"); a.status != c.status {
			t.Errorf("%.60q: %d", c.raw, a.status)
		}
		conn.wantEnd()
	}
	if r.reached() != 0 {
		t.Errorf("%q", r.upstream.Requests()[0].Lines())
	}
}

func TestObserveStillFailsWhereTheUpstreamDoes(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: observedSite, upstreams: "[http://" + closedPort(t) + "]"})
	if a := r.get("/private"); a.status != 502 || a.code != "upstream_unreachable" {
		t.Errorf("%d %s", a.status, a.code)
	}
	r.wantMetric(1, "requests_total", "outcome=failed", "reason=upstream_unreachable")
	r.wantMetric(1, "requests_total")
}

const bothIssuers = `
    issuers: [vneid, legacy]
    rules:
      - { paths: [/open/**], access: public }`

// moved returns a cutover of citizens to the issuer vneid.
func moved(from, notice time.Time) string {
	rule := "cutover: [{ accounts: [citizen], only: [vneid], from: " + from.Format(time.RFC3339)
	if !notice.IsZero() {
		rule += ", notice_from: " + notice.Format(time.RFC3339)
	}
	return rule + " }]"
}

func TestCutoverGivesNoticeBeforeItRefuses(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	since, until := now.Add(-time.Hour), now.Add(time.Hour)
	r := newRig(t, setup{site: bothIssuers, top: moved(until, since)})
	a := r.get("/private", bearer(r.legacyToken()))
	if a.status != 200 {
		t.Fatal(a.status, a.code)
	}
	// RFC 9745 section 2.1, RFC 8594 section 3.
	if got, want := a.header.Get("Deprecation"), "@"+decimal(int(since.Unix())); got != want {
		t.Errorf("Deprecation: %q, want %q", got, want)
	}
	if got, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", a.header.Get("Sunset")); err != nil || !got.Equal(until) {
		t.Errorf("Sunset: %q (%v), want %v", a.header.Get("Sunset"), err, until)
	}
	r.wantMetric(1, "notices_total", "site=hanoi")
	for name, fields := range map[string][]string{
		"/private": {bearer(r.token())},
		"/open/x":  {bearer(r.legacyToken())},
		"/x":       {bearer(r.legacyOrganisation())},
		"/refused": {"X: y"},
	} {
		a := r.get(name, fields...)
		if len(a.header.Values("Deprecation"))+len(a.header.Values("Sunset")) > 0 {
			t.Errorf("%s: notice for one who is not concerned: %v", name, a.header)
		}
	}
	r.wantMetric(1, "notices_total")
}

func (r *rig) legacyOrganisation() string {
	r.tb.Helper()
	raw, err := r.legacy.Token("organisation", "")
	if err != nil {
		r.tb.Fatal(err)
	}
	return raw
}

func TestCutoverRefusesTheKindsThatMovedAndNoOther(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: bothIssuers, top: moved(time.Now().Add(-time.Hour), time.Time{})})
	for range 2 { // cold, then warm
		a := r.get("/private", bearer(r.legacyToken()), "Accept-Language: vi")
		if a.status != 403 || a.code != "vneid_account_required" || !strings.Contains(a.body, "1900 0368") {
			t.Errorf("%d %s", a.status, a.body)
		}
		if !strings.Contains(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("challenge %q", a.header.Get("WWW-Authenticate"))
		}
	}
	for name, tok := range map[string]string{"organisation": r.legacyOrganisation(), "vneid citizen": r.token()} {
		if a := r.get("/private", bearer(tok)); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.code)
		}
	}
	if a := r.get("/open/x", bearer(r.legacyToken())); a.status != 200 {
		t.Errorf("public: %d %s", a.status, a.code)
	}
	r.wantMetric(2, "requests_total", "reason=vneid_account_required", "outcome=refused")
}

func TestCutoverHoldsFromItsFirstMomentOn(t *testing.T) {
	t.Parallel()
	key := testKeys()["EdDSA"]
	synctest.Test(t, func(t *testing.T) {
		from := time.Now().Add(time.Hour)
		g := newPieces(t, strings.Replace(piecesConfig, "issuers: [vneid]", "issuers: [vneid, other]", 1)+`
cutover: [{ accounts: [citizen], only: [other], from: `+from.Format(time.RFC3339)+` }]
`, key)
		described := corpus.NewToken(piecesIssuer, "tthc", time.Now())
		described.Expires = from.Add(time.Hour)
		tok, err := described.Sign(key)
		if err != nil {
			t.Fatal(err)
		}
		ctx := received(t, request("GET", "/private", bearer(tok)))
		time.Sleep(time.Until(from) - time.Nanosecond)
		if allowed, code := judge(g, ctx); !allowed {
			t.Errorf("a moment before: %s", code)
		}
		time.Sleep(time.Nanosecond)
		if allowed, code := judge(g, ctx); allowed || code != "vneid_account_required" {
			t.Errorf("at the moment: %v %s", allowed, code)
		}
	})
}
