package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestOpaqueTokenPassesWithTheIdentityThatItsIssuerStates(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "", "", setup{})
	var described corpus.Token
	tok := p.opaque(func(t *corpus.Token) { described = *t })
	p.want(200, "", "/private", tok)
	got := identityLines(p.upstream.Requests()[0])
	slices.Sort(got)
	want := []string{
		"X-VNeID-Account-Kind: citizen",
		"X-VNeID-Account-Level: 2",
		"X-VNeID-Auth-Time: " + decimal(int(described.AuthTime.Unix())),
		"X-VNeID-Issuer: " + p.issuer.Issuer(),
		"X-VNeID-Subject: " + described.Subject,
		"X-VNeID-Token-Id: " + described.ID,
	}
	if !slices.EqualFunc(got, want, strings.EqualFold) {
		t.Errorf("%q, want %q", got, want)
	}
	p.wantMetric(1, "verifications_total", "issuer=portal", "reason=none")
	p.wantMetric(1, "introspections_total", "issuer=portal", "outcome=active")
	p.wantMetric(1, "stage_duration_seconds", "stage=introspect")
	p.wantMetric(0, "stage_duration_seconds", "stage=verify")
}

func TestOpaqueTokenThatItsIssuerRefusesIsRefused(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "inactive_age: 10m", "", setup{})
	before := p.reached()
	// A refusal is taken in behind the request's back.
	p.eventually("a refusal believed", func() bool {
		p.want(401, "token_inactive", "/private", "nobody-knows-this-one")
		return p.metric("introspections_total", "issuer=portal", "outcome=refusal_believed") > 0
	})
	told := p.asked()
	p.want(401, "token_inactive", "/private", "nobody-knows-this-one")
	if p.asked() != told {
		t.Error("asked within inactive_age")
	}
	p.wantMetric(float64(told), "introspections_total", "issuer=portal", "outcome=inactive")
	p.wantMetric(0, "verdict_cache_entries") // it takes no room from good tokens
	p.want(401, "token_inactive", "/private", p.opaque(func(t *corpus.Token) { t.Expires = time.Now().Add(-time.Minute) }))
	p.want(401, "audience_mismatch", "/private", p.opaque(func(t *corpus.Token) { t.Audience = []string{"another"} }))
	p.want(401, "issuer_unknown", "/private", p.opaque(func(t *corpus.Token) { t.Issuer = "https://another.example" }))
	p.wantMetric(2, "introspections_total", "issuer=portal", "outcome=unfit")
	// What cannot be a token is nobody's to judge.
	asked := p.asked()
	p.want(401, "token_malformed", "/private", `no"token`)
	if p.asked() != asked {
		t.Error("the issuer was asked about what cannot be a token")
	}
	if p.reached() != before {
		t.Error("a refused token reached the upstream")
	}
}

func TestAnActiveAnswerIsBelievedForMaxAgeAndNoLonger(t *testing.T) {
	t.Parallel()
	t.Run("believed", func(t *testing.T) {
		t.Parallel()
		p := newPortal(t, "max_age: 1h", "", setup{})
		tok := p.opaque()
		p.warm(tok)
		asked := p.asked()
		if err := p.issuer.Revoke(tok); err != nil {
			t.Fatal(err)
		}
		p.want(200, "", "/private", tok)
		if p.asked() != asked {
			t.Error("asked within max_age")
		}
	})
	t.Run("no longer", func(t *testing.T) {
		t.Parallel()
		p := newPortal(t, "max_age: 1s", "", setup{})
		tok := p.opaque()
		p.want(200, "", "/private", tok)
		if err := p.issuer.Revoke(tok); err != nil {
			t.Fatal(err)
		}
		p.becomes(401, "token_inactive", tok)
	})
}

func TestOpaqueTokensWhileTheirIssuerIsAway(t *testing.T) {
	t.Parallel()
	t.Run("refuse", func(t *testing.T) {
		t.Parallel()
		p := newPortal(t, "max_age: 1s", "", setup{})
		tok := p.opaque()
		p.want(200, "", "/private", tok)
		p.issuer.SetFault(backend.Status(http.StatusInternalServerError))
		p.becomes(503, "introspection_unavailable", tok)
		p.want(503, "introspection_unavailable", "/private", p.opaque())
		if n := p.metric("introspection_failures_total", "issuer=portal", "reason=status"); n < 2 {
			t.Errorf("%v failures counted", n)
		}
		p.wantMetric(1, "ready") // other tokens are none of this issuer's business
		p.issuer.SetFault(nil)
		p.want(200, "", "/private", tok)
	})
	t.Run("use_cached_until_exp", func(t *testing.T) {
		t.Parallel()
		p := newPortal(t, "max_age: 1s, inactive_age: 0s, when_unavailable: use_cached_until_exp", "", setup{})
		tok := p.opaque(func(t *corpus.Token) { t.Expires = time.Now().Add(8 * time.Second) })
		revoked := p.opaque()
		p.warm(tok)
		p.warm(revoked)
		if err := p.issuer.Revoke(revoked); err != nil {
			t.Fatal(err)
		}
		p.becomes(401, "token_inactive", revoked)
		p.issuer.SetFault(backend.Down())
		p.eventually("used while its issuer is away", func() bool {
			p.want(200, "", "/private", tok)
			return p.metric("introspections_total", "issuer=portal", "outcome=used_while_away") > 0
		})
		p.want(503, "introspection_unavailable", "/private", p.opaque())
		// What the issuer took back is not good again because it went away.
		p.want(503, "introspection_unavailable", "/private", revoked)
		p.eventually("refused from exp on", func() bool { return p.get("/private", bearer(tok)).status != 200 })
	})
}

func TestPolicyAppliesToOpaqueTokensAsToOthers(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "", "", setup{})
	low := p.opaque(func(t *corpus.Token) { t.AccountLevel = 1 })
	for range 2 { // cold, then believed
		p.want(403, "account_level_insufficient", "/level2/x", low)
		p.want(200, "", "/private", low)
		p.want(403, "route_denied", "/api/cam/x", low)
	}
	p.want(200, "", "/level2/x", p.opaque())
	p.want(200, "", "/private", p.opaque(func(t *corpus.Token) { *t = t.Organisation() }))
}

func TestCutoverAppliesToOpaqueTokens(t *testing.T) {
	t.Parallel()
	from := time.Now().Add(-time.Hour).Format(time.RFC3339)
	p := newPortal(t, "", "", setup{top: "cutover: [{ accounts: [citizen], only: [vneid], from: " + from + " }]"})
	citizen, organisation := p.opaque(), p.opaque(func(t *corpus.Token) { *t = t.Organisation() })
	for range 2 { // cold, then believed
		p.want(403, "vneid_account_required", "/private", citizen)
		p.want(200, "", "/private", organisation)
	}
}

func TestJWTIsIntrospectedTooWhereItsIssuerIsAskedAboutAll(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "tokens: all, max_age: 1s", "keys", setup{})
	tok := p.jwt()
	p.want(200, "", "/private", tok)
	p.wantMetric(1, "introspections_total", "issuer=portal", "outcome=active")
	p.wantMetric(1, "key_set_keys", "issuer=portal")
	if err := p.issuer.Revoke(tok); err != nil {
		t.Fatal(err)
	}
	p.becomes(401, "token_inactive", tok)

	revoked := p.jwt()
	if err := p.issuer.Revoke(revoked); err != nil {
		t.Fatal(err)
	}
	p.want(401, "token_inactive", "/private", revoked)
	p.want(200, "", "/private", p.opaque())

	// Nobody asks about a token whose signature is wrong.
	asked := p.asked()
	forged, err := p.describe().SignFaulty(testKeys()["ES256"], corpus.Forged)
	if err != nil {
		t.Fatal(err)
	}
	p.want(401, "signature_invalid", "/private", forged)
	if p.asked() != asked {
		t.Error("the issuer was asked about a forged token")
	}
	p.issuer.SetFault(backend.Down())
	p.want(503, "introspection_unavailable", "/private", p.jwt())
}

// A key that is gone takes its tokens with it, whatever their issuer says.
func TestAnIntrospectedJWTStillNeedsItsKey(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "tokens: all, max_age: 1h", "keys", setup{})
	tok := p.jwt()
	p.warm(tok)
	if n, err := p.state.Load().issuers[1].keys.Purge("es-1", time.Now()); n != 1 || err != nil {
		t.Fatalf("%d keys purged: %v", n, err)
	}
	a := p.get("/private", bearer(tok))
	if a.status != 503 || a.code != "keys_unavailable" {
		t.Errorf("%d %s", a.status, a.code)
	}
}

func TestIssuerWithoutKeysIsAskedAboutJWTsToo(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "", "", setup{})
	tok := p.jwt()
	p.warm(tok)
	asked := p.asked()
	p.want(200, "", "/private", tok)
	if p.asked() != asked || asked == 0 {
		t.Errorf("asked %d times, then %d", asked, p.asked())
	}
	forged, err := p.describe().SignFaulty(testKeys()["ES256"], corpus.Forged)
	if err != nil {
		t.Fatal(err)
	}
	p.want(401, "token_inactive", "/private", forged)
}

func TestOpaqueTokenIsMalformedWhereNobodyCanBeAsked(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "", "", setup{sites: `
  - name: hue
    hosts: [hue.example]
    upstreams: UPSTREAMS
    issuers: [vneid, legacy]`})
	tok := p.opaque()
	askHue := func() answer {
		return p.dial().send("GET /x HTTP/1.1\r\nHost: hue.example\r\n" + bearer(tok) + "\r\n\r\n").answer("GET")
	}
	if a := askHue(); a.status != 401 || a.code != "token_malformed" {
		t.Errorf("%d %s", a.status, a.code)
	}
	if n := p.asked(); n != 0 {
		t.Errorf("asked %d times for a site that does not take its tokens", n)
	}
	// Known from another site it is a token, but not one for here.
	p.warm(tok)
	if a := askHue(); a.status != 401 || a.code != "issuer_not_accepted" {
		t.Errorf("%d %s", a.status, a.code)
	}
}

func TestManyRequestsUnderOneOpaqueTokenAskOnce(t *testing.T) {
	t.Parallel()
	p := newPortal(t, "", "", setup{})
	p.issuer.SetFault(backend.Slow(200 * time.Millisecond))
	tok := p.opaque()
	const clients = 20
	answers := make(chan answer, clients)
	for range clients {
		c := p.dial().send(request("GET", "/private", bearer(tok)))
		go func() {
			a, _ := c.tryAnswer("GET")
			answers <- a
		}()
	}
	for range clients {
		if a := <-answers; a.status != 200 {
			t.Errorf("%d %s", a.status, a.code)
		}
	}
	// A straggler may come after the first answer and before it is kept.
	if n := p.asked(); n > clients/2 {
		t.Errorf("%d clients asked %d times", clients, n)
	}
}
