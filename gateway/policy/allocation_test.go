//go:build !race

package policy_test

import (
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestMatchAndDecideAllocateNothing(t *testing.T) {
	s, method, path, claims := busySite(t)
	var d policy.Decision
	if n := testing.AllocsPerRun(100, func() {
		d = policy.Decide(s.Match(method, path), s, claims, "vneid", july2025)
	}); n != 0 {
		t.Errorf("%v allocations a request, want 0", n)
	}
	if d.Outcome != policy.Allow {
		t.Errorf("%v: the long way was not taken", d.Reason)
	}
}

func busySite(t testing.TB) (s *policy.Site, method, path []byte, c *token.Claims) {
	s = compile(t, policy.SiteSpec{
		IgnoreCase: true,
		Rules: []policy.RuleSpec{
			{Paths: []string{"/static/**", "/tra-cuu/**", "/api/**", "/api/ho-so"}, Access: policy.Public},
			{Paths: []string{"/api/ho-so/**"}, Methods: []string{"POST"}, Require: policy.Requirement{
				Kinds: []token.Kind{token.KindCitizen}, Level: 2, ACR: []string{"loa2"}, MaxAuthAge: 15 * time.Minute,
			}},
		},
		Cutover: []policy.CutoverSpec{
			{Kinds: []token.Kind{token.KindCitizen}, Only: []string{"vneid"}, From: july2024},
			{Kinds: []token.Kind{token.KindOrganisation}, Only: []string{"vneid"}, From: july2025},
		},
	})
	c = &token.Claims{Kind: token.KindCitizen, Level: 2, ACR: "loa2", AuthTime: july2025.Unix()}
	return s, []byte("POST"), []byte("/api/Ho-So/123/dinh-kem"), c
}

func BenchmarkMatch(b *testing.B) {
	s, method, path, _ := busySite(b)
	b.ReportAllocs()
	for b.Loop() {
		s.Match(method, path)
	}
}

func BenchmarkDecide(b *testing.B) {
	s, method, path, c := busySite(b)
	r := s.Match(method, path)
	b.ReportAllocs()
	for b.Loop() {
		policy.Decide(r, s, c, "vneid", july2025)
	}
}
