package policy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestCompileRefusesContradictions(t *testing.T) {
	t.Parallel()
	public := func(r ...policy.RuleSpec) policy.SiteSpec { return policy.SiteSpec{Name: "hanoi", Rules: r} }
	require := func(q policy.Requirement) policy.SiteSpec { return policy.SiteSpec{Name: "hanoi", Require: q} }
	cutover := func(c ...policy.CutoverSpec) policy.SiteSpec { return policy.SiteSpec{Name: "hanoi", Cutover: c} }
	citizens := []token.Kind{token.KindCitizen}
	vneid := []string{"vneid"}
	for name, tc := range map[string]struct {
		spec policy.SiteSpec
		want error
	}{
		"no name":                     {policy.SiteSpec{}, policy.ErrSite},
		"mode":                        {policy.SiteSpec{Name: "hanoi", Mode: 2}, policy.ErrSite},
		"no paths":                    {public(policy.RuleSpec{}), policy.ErrRule},
		"relative":                    {public(rule("a")), policy.ErrPattern},
		"empty":                       {public(policy.RuleSpec{Paths: []string{""}}), policy.ErrPattern},
		"star inside":                 {public(rule("/a/*/b")), policy.ErrPattern},
		"single star":                 {public(rule("/a/*")), policy.ErrPattern},
		"double star twice":           {public(rule("/a/**/**")), policy.ErrPattern},
		"query":                       {public(rule("/a?b")), policy.ErrPattern},
		"fragment":                    {public(rule("/a#b")), policy.ErrPattern},
		"backslash":                   {public(rule(`/a\b`)), policy.ErrPattern},
		"control":                     {public(policy.RuleSpec{Paths: []string{"/a\x00"}}), policy.ErrPattern},
		"dot segment":                 {public(rule("/a/./b")), policy.ErrPattern},
		"dot dot segment":             {public(rule("/a/../b/**")), policy.ErrPattern},
		"empty segment":               {public(rule("/a//b")), policy.ErrPattern},
		"empty first segment":         {public(rule("//a")), policy.ErrPattern},
		"empty segment before prefix": {public(rule("/a//**")), policy.ErrPattern},
		"small method":                {public(rule("/a post")), policy.ErrMethod},
		"method with space":           {public(policy.RuleSpec{Paths: []string{"/a"}, Methods: []string{"A B"}}), policy.ErrMethod},
		"empty method":                {public(policy.RuleSpec{Paths: []string{"/a"}, Methods: []string{""}}), policy.ErrMethod},
		"same path, no methods":       {public(rule("/a"), rule("/a")), policy.ErrConflict},
		"same path, same method":      {public(rule("/a GET POST"), rule("/a POST")), policy.ErrConflict},
		"same path, ignoring case":    {policy.SiteSpec{Name: "h", IgnoreCase: true, Rules: []policy.RuleSpec{rule("/a"), rule("/A")}}, policy.ErrConflict},
		"public and denied":           {public(policy.RuleSpec{Paths: []string{"/a"}, Access: policy.Public, Deny: policy.ReasonRouteDenied}), policy.ErrRule},
		"deny for another reason":     {public(policy.RuleSpec{Paths: []string{"/a"}, Deny: policy.ReasonIssuerNotAccepted}), policy.ErrRule},
		"unknown access":              {public(policy.RuleSpec{Paths: []string{"/a"}, Access: 3}), policy.ErrRule},
		"public with a level":         {public(policy.RuleSpec{Paths: []string{"/a"}, Access: policy.Public, Require: policy.Requirement{Level: 1}}), policy.ErrRule},
		"deny with kinds":             {public(policy.RuleSpec{Paths: []string{"/a"}, Access: policy.Deny, Require: policy.Requirement{Kinds: citizens}}), policy.ErrRule},
		"level 3":                     {require(policy.Requirement{Level: 3}), policy.ErrRequirement},
		"unknown kind listed":         {require(policy.Requirement{Kinds: []token.Kind{token.KindUnknown}}), policy.ErrRequirement},
		"kind out of range":           {require(policy.Requirement{Kinds: []token.Kind{77}}), policy.ErrRequirement},
		"acr with space":              {require(policy.Requirement{ACR: []string{"loa 2"}}), policy.ErrRequirement},
		"acr with quote":              {require(policy.Requirement{ACR: []string{`loa"`}}), policy.ErrRequirement},
		"empty acr":                   {require(policy.Requirement{ACR: []string{""}}), policy.ErrRequirement},
		"negative age":                {require(policy.Requirement{MaxAuthAge: -time.Second}), policy.ErrRequirement},
		"part of a second":            {require(policy.Requirement{MaxAuthAge: 1500 * time.Millisecond}), policy.ErrRequirement},
		"level in a rule":             {public(policy.RuleSpec{Paths: []string{"/a"}, Require: policy.Requirement{Level: 3}}), policy.ErrRequirement},
		"cutover without kinds":       {cutover(policy.CutoverSpec{Only: vneid, From: july2024}), policy.ErrCutover},
		"cutover without issuers":     {cutover(policy.CutoverSpec{Kinds: citizens, From: july2024}), policy.ErrCutover},
		"cutover without date":        {cutover(policy.CutoverSpec{Kinds: citizens, Only: vneid}), policy.ErrCutover},
		"cutover of unknown":          {cutover(policy.CutoverSpec{Kinds: []token.Kind{token.KindUnknown}, Only: vneid, From: july2024}), policy.ErrCutover},
		"notice after date":           {cutover(policy.CutoverSpec{Kinds: citizens, Only: vneid, From: july2024, NoticeFrom: july2024.Add(1)}), policy.ErrCutover},
		"two at one moment": {cutover(
			policy.CutoverSpec{Kinds: citizens, Only: vneid, From: july2024},
			policy.CutoverSpec{Kinds: append(citizens, token.KindOfficer), Only: []string{"other"}, From: july2024.UTC()},
		), policy.ErrCutover},
	} {
		if s, err := policy.Compile(tc.spec); !errors.Is(err, tc.want) || s != nil {
			t.Errorf("%s: site %v, error %v, want %v", name, s, err, tc.want)
		}
	}
}

func TestCompileReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := policy.Compile(policy.SiteSpec{
		Name:    "hanoi",
		Require: policy.Requirement{Level: 9},
		Rules:   []policy.RuleSpec{rule("/a get"), rule("/ok"), rule("b")},
	})
	for _, want := range []string{"default requirement", "account level 9", "rule 1", `"get"`, "rule 3", `"b"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not mention %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "rule 2") {
		t.Errorf("error %q blames a good rule", err)
	}
}

func TestCompileSharesNoMemoryWithItsInput(t *testing.T) {
	t.Parallel()
	spec := policy.SiteSpec{
		Name: "hanoi", Issuers: []string{"vneid"},
		Require: policy.Requirement{ACR: []string{"loa3", "loa2"}},
		Cutover: []policy.CutoverSpec{{Kinds: []token.Kind{token.KindCitizen}, Only: []string{"vneid"}, From: july2024}},
	}
	s, err := policy.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	spec.Issuers[0], spec.Require.ACR[0], spec.Cutover[0].Only[0] = "x", "x", "x"
	if s.Issuers[0] != "vneid" || s.Cutover[0].Only[0] != "vneid" || s.Default.ACR[1] != "loa3" {
		t.Errorf("the site changed with its specification: %+v", s)
	}
	// RFC 9470 section 3: in order of preference, as written.
	if s.Default.ACRValues != "loa3 loa2" {
		t.Errorf("acr_values %q, want the order of the configuration", s.Default.ACRValues)
	}
}

func TestDenyRuleTakesItsReasonFromAccessOrDeny(t *testing.T) {
	t.Parallel()
	s, err := policy.Compile(policy.SiteSpec{Name: "hanoi", Rules: []policy.RuleSpec{
		{Paths: []string{"/a"}, Access: policy.Deny},
		{Paths: []string{"/b"}, Deny: policy.ReasonCitizenAccountCreationRemoved},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]policy.Reason{
		"/a": policy.ReasonRouteDenied,
		"/b": policy.ReasonCitizenAccountCreationRemoved,
	} {
		if r := s.Match([]byte("GET"), []byte(path)); r.Access != policy.Deny || r.Deny != want {
			t.Errorf("%s: %v %v, want deny %v", path, r.Access, r.Deny, want)
		}
	}
}
