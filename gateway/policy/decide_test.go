package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

var (
	vietnam  = time.FixedZone("+07", 7*3600)
	june15   = time.Date(2024, 6, 15, 0, 0, 0, 0, vietnam)
	july2024 = time.Date(2024, 7, 1, 0, 0, 0, 0, vietnam)
	july2025 = time.Date(2025, 7, 1, 0, 0, 0, 0, vietnam)
	jan2024  = time.Date(2024, 1, 1, 0, 0, 0, 0, vietnam)
)

func compile(t testing.TB, spec policy.SiteSpec) *policy.Site {
	t.Helper()
	spec.Name = "hanoi"
	if spec.Issuers == nil {
		spec.Issuers = []string{"vneid", "legacy"}
	}
	s, err := policy.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// decideDefault judges under the site's default requirement.
func decideDefault(s *policy.Site, c token.Claims, issuer string, now time.Time) policy.Decision {
	return policy.Decide(s.Default, s, &c, issuer, now)
}

func check(t *testing.T, what string, d policy.Decision, want policy.Reason) {
	t.Helper()
	outcome := policy.Refuse
	if want == policy.ReasonNone {
		outcome = policy.Allow
	}
	if d.Outcome != outcome || d.Reason != want {
		t.Errorf("%s: %v (%v), want %v (%v)", what, d.Outcome, d.Reason, outcome, want)
	}
}

// The dates of official letter 3701/VPCP-KSTT and Decree 69/2024, to the second.
func TestCutoverHoldsFromItsFirstSecondInVietnam(t *testing.T) {
	t.Parallel()
	ministry := compile(t, policy.SiteSpec{Cutover: []policy.CutoverSpec{
		{Kinds: []token.Kind{token.KindCitizen}, Only: []string{"vneid"}, From: july2024},
		{Kinds: []token.Kind{token.KindOrganisation, token.KindEnterprise}, Only: []string{"vneid"}, From: july2025},
	}})
	portal := compile(t, policy.SiteSpec{Cutover: []policy.CutoverSpec{
		{Kinds: []token.Kind{token.KindCitizen}, Only: []string{"vneid"}, From: june15},
		{Kinds: []token.Kind{token.KindCitizen}, Only: []string{"vneid"}, From: july2024},
	}})
	const refused, allowed = policy.ReasonVNeIDAccountRequired, policy.ReasonNone
	for _, tc := range []struct {
		what   string
		site   *policy.Site
		kind   token.Kind
		issuer string
		now    string
		want   policy.Reason
		since  time.Time
	}{
		{"citizen, last second", ministry, token.KindCitizen, "legacy", "2024-06-30T23:59:59+07:00", allowed, time.Time{}},
		{"citizen, last nanosecond", ministry, token.KindCitizen, "legacy", "2024-06-30T23:59:59.999999999+07:00", allowed, time.Time{}},
		{"citizen, first second", ministry, token.KindCitizen, "legacy", "2024-07-01T00:00:00+07:00", refused, july2024},
		{"citizen, first second told in UTC", ministry, token.KindCitizen, "legacy", "2024-06-30T17:00:00Z", refused, july2024},
		{"citizen, last second told in UTC", ministry, token.KindCitizen, "legacy", "2024-06-30T16:59:59Z", allowed, time.Time{}},
		{"citizen of VNeID", ministry, token.KindCitizen, "vneid", "2024-07-01T00:00:00+07:00", allowed, time.Time{}},
		{"portal, last second", portal, token.KindCitizen, "legacy", "2024-06-14T23:59:59+07:00", allowed, time.Time{}},
		{"portal, first second", portal, token.KindCitizen, "legacy", "2024-06-15T00:00:00+07:00", refused, june15},
		{"portal, second rule", portal, token.KindCitizen, "legacy", "2024-07-01T00:00:00+07:00", refused, july2024},
		{"organisation, after the citizens", ministry, token.KindOrganisation, "legacy", "2024-07-01T00:00:00+07:00", allowed, time.Time{}},
		{"organisation, last second", ministry, token.KindOrganisation, "legacy", "2025-06-30T23:59:59+07:00", allowed, time.Time{}},
		{"organisation, first second", ministry, token.KindOrganisation, "legacy", "2025-07-01T00:00:00+07:00", refused, july2025},
		{"enterprise, first second", ministry, token.KindEnterprise, "legacy", "2025-07-01T00:00:00+07:00", refused, july2025},
		{"foreigner, no date", ministry, token.KindForeigner, "legacy", "2030-01-01T00:00:00+07:00", allowed, time.Time{}},
		{"officer, no date", ministry, token.KindOfficer, "legacy", "2030-01-01T00:00:00+07:00", allowed, time.Time{}},
	} {
		now, err := time.Parse(time.RFC3339Nano, tc.now)
		if err != nil {
			t.Fatal(err)
		}
		d := decideDefault(tc.site, token.Claims{Kind: tc.kind}, tc.issuer, now)
		check(t, tc.what, d, tc.want)
		if d.NoticeUntil != 0 {
			t.Errorf("%s: notice of %d, though none is configured", tc.what, d.NoticeUntil)
		}
		if tc.want == refused && (d.CutoverSince != tc.since.Unix() || d.Kind != tc.kind) {
			t.Errorf("%s: since %d, kind %v, want %d, %v", tc.what, d.CutoverSince, d.Kind, tc.since.Unix(), tc.kind)
		}
	}
}

func TestLatestCutoverThatHasBegunHolds(t *testing.T) {
	t.Parallel()
	citizens := []token.Kind{token.KindCitizen}
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		rules := [2]policy.CutoverSpec{
			{Kinds: citizens, Only: []string{"vneid"}, From: july2024},
			{Kinds: citizens, Only: []string{"vneid", "legacy"}, From: july2025},
		}
		s := compile(t, policy.SiteSpec{Cutover: []policy.CutoverSpec{rules[order[0]], rules[order[1]]}})
		c := token.Claims{Kind: token.KindCitizen}
		check(t, "first rule", decideDefault(s, c, "legacy", july2025.Add(-time.Second)), policy.ReasonVNeIDAccountRequired)
		check(t, "second rule", decideDefault(s, c, "legacy", july2025), policy.ReasonNone)
	}
}

func TestNoticeNamesTheNextSwitchThatWouldRefuse(t *testing.T) {
	t.Parallel()
	citizens := []token.Kind{token.KindCitizen}
	s := compile(t, policy.SiteSpec{Cutover: []policy.CutoverSpec{
		{Kinds: citizens, Only: []string{"vneid", "legacy"}, From: june15, NoticeFrom: jan2024},
		{Kinds: citizens, Only: []string{"vneid"}, From: july2024, NoticeFrom: jan2024},
		{Kinds: citizens, Only: []string{"other"}, From: july2025, NoticeFrom: july2024},
	}})
	for _, tc := range []struct {
		what   string
		kind   token.Kind
		issuer string
		now    time.Time
		until  time.Time
	}{
		{"before the notice", token.KindCitizen, "legacy", jan2024.Add(-1), time.Time{}},
		{"first moment of the notice", token.KindCitizen, "legacy", jan2024, july2024},
		{"under a rule that accepts", token.KindCitizen, "legacy", june15, july2024},
		{"last second", token.KindCitizen, "legacy", july2024.Add(-time.Second), july2024},
		{"accepted issuer, no notice yet", token.KindCitizen, "vneid", july2024.Add(-1), time.Time{}},
		{"accepted issuer, later switch", token.KindCitizen, "vneid", july2024, july2025},
		{"unknown kind", token.KindUnknown, "legacy", jan2024, june15},
		{"kind that stays", token.KindOrganisation, "legacy", july2024, time.Time{}},
	} {
		d := decideDefault(s, token.Claims{Kind: tc.kind}, tc.issuer, tc.now)
		check(t, tc.what, d, policy.ReasonNone)
		var want int64
		if !tc.until.IsZero() {
			want = tc.until.Unix()
		}
		if d.NoticeUntil != want {
			t.Errorf("%s: notice until %d, want %d", tc.what, d.NoticeUntil, want)
		}
		if want != 0 && d.NoticeSince != jan2024.Unix() && d.NoticeSince != july2024.Unix() {
			t.Errorf("%s: notice since %d", tc.what, d.NoticeSince)
		}
	}
}

func TestUnknownKindIsRefusedOnceAnyCutoverHasBegun(t *testing.T) {
	t.Parallel()
	s := compile(t, policy.SiteSpec{Cutover: []policy.CutoverSpec{
		{Kinds: []token.Kind{token.KindCitizen}, Only: []string{"vneid"}, From: july2024},
		{Kinds: []token.Kind{token.KindOrganisation}, Only: []string{"vneid"}, From: july2025},
	}})
	for _, issuer := range []string{"legacy", "vneid"} {
		check(t, issuer+" before", decideDefault(s, token.Claims{}, issuer, july2024.Add(-time.Second)), policy.ReasonNone)
		check(t, issuer+" after", decideDefault(s, token.Claims{}, issuer, july2024), policy.ReasonAccountKindUnknown)
	}
	unmapped := token.Claims{KindUnmapped: true}
	check(t, "unmapped", decideDefault(s, unmapped, "vneid", july2024), policy.ReasonAccountKindUnknown)
	check(t, "no cutover at the site", decideDefault(compile(t, policy.SiteSpec{}), token.Claims{}, "legacy", july2025), policy.ReasonNone)
}

func TestAccountKindMustBeListed(t *testing.T) {
	t.Parallel()
	s := compile(t, policy.SiteSpec{Require: policy.Requirement{Kinds: []token.Kind{token.KindOfficer, token.KindCitizen}}})
	for kind, want := range map[token.Kind]policy.Reason{
		token.KindCitizen:      policy.ReasonNone,
		token.KindOfficer:      policy.ReasonNone,
		token.KindOrganisation: policy.ReasonAccountKindNotAllowed,
		token.KindEnterprise:   policy.ReasonAccountKindNotAllowed,
		token.KindForeigner:    policy.ReasonAccountKindNotAllowed,
		token.KindUnknown:      policy.ReasonAccountKindUnknown,
	} {
		check(t, kind.String(), decideDefault(s, token.Claims{Kind: kind}, "vneid", july2024), want)
	}
}

// Decree 69/2024 Article 7: organisations have no level.
func TestOrganisationsAndEnterprisesAreNeverLevelChecked(t *testing.T) {
	t.Parallel()
	for _, required := range []uint8{0, 1, 2} {
		s := compile(t, policy.SiteSpec{Require: policy.Requirement{Level: required}})
		for kind := token.KindUnknown; kind <= token.KindOfficer; kind++ {
			for _, level := range []uint8{0, 1, 2} {
				exempt := kind == token.KindOrganisation || kind == token.KindEnterprise
				want := policy.ReasonNone
				if level < required && !exempt {
					want = policy.ReasonAccountLevelInsufficient
				}
				d := decideDefault(s, token.Claims{Kind: kind, Level: level}, "vneid", july2024)
				check(t, kind.String(), d, want)
				if want != policy.ReasonNone && d.RequiredLevel != required {
					t.Errorf("%v: required level %d, want %d", kind, d.RequiredLevel, required)
				}
			}
		}
	}
}

// RFC 9470 section 5.
func TestAuthenticationLevelMustBeListed(t *testing.T) {
	t.Parallel()
	s := compile(t, policy.SiteSpec{Require: policy.Requirement{ACR: []string{"loa2", "loa3"}, MaxAuthAge: time.Hour}})
	now := july2024
	for acr, want := range map[string]policy.Reason{
		"loa2": policy.ReasonNone,
		"loa3": policy.ReasonNone,
		"":     policy.ReasonAuthenticationInsufficient,
		"loa":  policy.ReasonAuthenticationInsufficient,
		"LOA2": policy.ReasonAuthenticationInsufficient,
		"2":    policy.ReasonAuthenticationInsufficient,
	} {
		d := decideDefault(s, token.Claims{ACR: acr, Level: 2, AuthTime: now.Unix()}, "vneid", now)
		check(t, acr, d, want)
		if want != policy.ReasonNone && (d.ACRValues != "loa2 loa3" || d.MaxAuthAge != time.Hour) {
			t.Errorf("%q: acr_values %q, max_age %v", acr, d.ACRValues, d.MaxAuthAge)
		}
	}
}

func TestLoginOlderThanMaxAuthAgeIsRefused(t *testing.T) {
	t.Parallel()
	s := compile(t, policy.SiteSpec{Require: policy.Requirement{MaxAuthAge: 15 * time.Minute}})
	now := july2024.Unix()
	for _, tc := range []struct {
		what string
		at   int64
		want policy.Reason
	}{
		{"just now", now, policy.ReasonNone},
		{"exactly as old as allowed", now - 900, policy.ReasonNone},
		{"a second older", now - 901, policy.ReasonAuthenticationInsufficient},
		{"absent", 0, policy.ReasonAuthenticationInsufficient},
		{"negative", -1, policy.ReasonAuthenticationInsufficient},
		{"least", math.MinInt64, policy.ReasonAuthenticationInsufficient},
		{"clocks apart", now + 300, policy.ReasonNone},
		{"in the future", now + 301, policy.ReasonAuthenticationInsufficient},
		{"greatest", math.MaxInt64, policy.ReasonAuthenticationInsufficient},
	} {
		check(t, tc.what, decideDefault(s, token.Claims{AuthTime: tc.at}, "vneid", july2024), tc.want)
	}
}

// Each step fails every later check as well: the first one names the reason.
func TestChecksAreMadeInTheirOrder(t *testing.T) {
	t.Parallel()
	s := compile(t, policy.SiteSpec{
		Require: policy.Requirement{Kinds: []token.Kind{token.KindCitizen, token.KindForeigner}, Level: 2, ACR: []string{"loa2"}},
		Rules: []policy.RuleSpec{
			{Paths: []string{"/public"}, Access: policy.Public},
			{Paths: []string{"/denied"}, Deny: policy.ReasonCitizenAccountCreationRemoved},
		},
		Cutover: []policy.CutoverSpec{{Kinds: []token.Kind{token.KindOfficer}, Only: []string{"vneid"}, From: july2024}},
	})
	for _, tc := range []struct {
		what, path, issuer string
		claims             *token.Claims
		want               policy.Reason
	}{
		{"public without credential", "/public", "", nil, policy.ReasonNone},
		{"public with any credential", "/public", "nobody", &token.Claims{}, policy.ReasonNone},
		{"denied without credential", "/denied", "", nil, policy.ReasonCitizenAccountCreationRemoved},
		{"denied with the best credential", "/denied", "vneid", &token.Claims{Kind: token.KindCitizen, Level: 2, ACR: "loa2"}, policy.ReasonCitizenAccountCreationRemoved},
		{"no credential", "/x", "vneid", nil, policy.ReasonCredentialMissing},
		{"issuer", "/x", "nobody", &token.Claims{Kind: token.KindOfficer}, policy.ReasonIssuerNotAccepted},
		{"no issuer", "/x", "", &token.Claims{Kind: token.KindOfficer}, policy.ReasonIssuerNotAccepted},
		{"cutover", "/x", "legacy", &token.Claims{Kind: token.KindOfficer}, policy.ReasonVNeIDAccountRequired},
		{"kind", "/x", "vneid", &token.Claims{Kind: token.KindOfficer}, policy.ReasonAccountKindNotAllowed},
		{"level", "/x", "vneid", &token.Claims{Kind: token.KindCitizen, Level: 1}, policy.ReasonAccountLevelInsufficient},
		{"authentication", "/x", "vneid", &token.Claims{Kind: token.KindCitizen, Level: 2}, policy.ReasonAuthenticationInsufficient},
		{"all", "/x", "vneid", &token.Claims{Kind: token.KindCitizen, Level: 2, ACR: "loa2"}, policy.ReasonNone},
	} {
		r := s.Match([]byte("GET"), []byte(tc.path))
		check(t, tc.what, policy.Decide(r, s, tc.claims, tc.issuer, july2024), tc.want)
	}
}

func TestSiteWithoutIssuersRefusesEveryCredential(t *testing.T) {
	t.Parallel()
	s := compile(t, policy.SiteSpec{Issuers: []string{}})
	check(t, "vneid", decideDefault(s, token.Claims{}, "vneid", july2024), policy.ReasonIssuerNotAccepted)
}

func TestZeroDecisionRefuses(t *testing.T) {
	t.Parallel()
	if (policy.Decision{}).Outcome != policy.Refuse {
		t.Error("a decision nobody took lets the request pass")
	}
}

func TestReasonNamesAreDistinct(t *testing.T) {
	t.Parallel()
	seen := map[string]policy.Reason{"": 0, "invalid": 0, policy.ReasonNone.String(): 0}
	for _, r := range policy.Reasons() {
		if other, ok := seen[r.String()]; ok {
			t.Errorf("reasons %d and %d are both called %q", r, other, r)
		}
		seen[r.String()] = r
	}
	for name, want := range map[string]policy.Reason{
		"route_denied":                     policy.ReasonRouteDenied,
		"citizen_account_creation_removed": policy.ReasonCitizenAccountCreationRemoved,
		"issuer_not_accepted":              policy.ReasonNone,
		"":                                 policy.ReasonNone,
	} {
		if got, ok := policy.DenyReason(name); got != want || ok != (want != policy.ReasonNone) {
			t.Errorf("DenyReason(%q) = %v, %v", name, got, ok)
		}
	}
}
