package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
)

// rule makes a public rule; its methods follow the pattern: "/a/** GET POST".
func rule(text string) policy.RuleSpec {
	parts := strings.Fields(text)
	return policy.RuleSpec{Paths: parts[:1], Methods: parts[1:], Access: policy.Public}
}

func site(t testing.TB, ignoreCase bool, rules ...string) *policy.Site {
	t.Helper()
	spec := policy.SiteSpec{Name: "hanoi", IgnoreCase: ignoreCase}
	for _, r := range rules {
		spec.Rules = append(spec.Rules, rule(r))
	}
	s, err := policy.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func name(s *policy.Site, r *policy.Rule) string {
	if r == s.Default {
		return "default"
	}
	return strings.Join(append(slices.Clone(r.Paths), r.Methods...), " ")
}

func TestMostSpecificRuleWins(t *testing.T) {
	t.Parallel()
	rules := []string{
		"/a/**", "/a", "/a/b/**", "/a/b/c", "/a/b/c POST", "/a/b/** PUT", "/a/ ", "/x/** GET", "/x/y/** POST", "/x/y/z HEAD", "/x/y/z GET",
	}
	everything := append(slices.Clone(rules), "/**", "/")
	for _, tc := range []struct {
		rules        []string
		method, path string
		want         string
	}{
		{rules, "GET", "/", "default"},
		{rules, "GET", "/ab", "default"},
		{rules, "GET", "/a", "/a"},
		{rules, "GET", "/a/", "/a/"},
		{rules, "GET", "/a/x", "/a/**"},
		{rules, "GET", "/a/b", "/a/b/**"},
		{rules, "GET", "/a/b/", "/a/b/**"},
		{rules, "GET", "/a/b/d/e/f", "/a/b/**"},
		{rules, "GET", "/a/bb", "/a/**"},
		{rules, "PUT", "/a/b/x", "/a/b/** PUT"},
		{rules, "PUT", "/a/b/c", "/a/b/c"},
		{rules, "GET", "/a/b/c", "/a/b/c"},
		{rules, "POST", "/a/b/c", "/a/b/c POST"},
		{rules, "POST", "/a/b/c/", "/a/b/**"},
		{rules, "GET", "/A/b/c", "default"},
		{rules, "post", "/a/b/c", "/a/b/c"},
		// A rule whose methods leave the request's out does not match.
		{rules, "GET", "/x/y/w", "/x/** GET"},
		{rules, "DELETE", "/x/y/w", "default"},
		{rules, "POST", "/x/y/z", "/x/y/** POST"},
		// HEAD is covered by GET, at the same path, unless it is listed there.
		{rules, "HEAD", "/x/q", "/x/** GET"},
		{rules, "HEAD", "/x/y/q", "/x/** GET"},
		{rules, "HEAD", "/x/y/z", "/x/y/z HEAD"},
		{rules, "GET", "/x/y/z", "/x/y/z GET"},
		{everything, "GET", "/", "/"},
		{everything, "GET", "/zz", "/**"},
		{everything, "OPTIONS", "*", "/**"},
		{everything, "GET", "", "/**"},
		{rules, "OPTIONS", "*", "default"},
	} {
		s := site(t, false, tc.rules...)
		if got := name(s, s.Match([]byte(tc.method), []byte(tc.path))); got != tc.want {
			t.Errorf("%s %s: rule %q, want %q", tc.method, tc.path, got, tc.want)
		}
	}
}

func TestListedGetCoversHeadBeforeARuleThatListsNone(t *testing.T) {
	t.Parallel()
	s := site(t, false, "/a", "/a GET")
	if got := name(s, s.Match([]byte("HEAD"), []byte("/a"))); got != "/a GET" {
		t.Errorf("HEAD /a: rule %q, want /a GET", got)
	}
}

func TestIgnoredCaseFoldsASCIIOnly(t *testing.T) {
	t.Parallel()
	s := site(t, true, "/API/Ho-So/**", "/k", "/đ", "/_x")
	for path, want := range map[string]string{
		"/api/ho-so/1": "/API/Ho-So/**",
		"/Api/HO-SO":   "/API/Ho-So/**",
		"/K":           "/k",
		"/\u212a":      "default", // the Kelvin sign folds to k in Unicode
		"/Đ":           "default",
		"/đ":           "/đ",
		"/_X":          "/_x",
		"/\x7fX":       "default",
	} {
		if got := name(s, s.Match([]byte("GET"), []byte(path))); got != want {
			t.Errorf("%q: rule %q, want %q", path, got, want)
		}
	}
}

// naive is the precedence of the package documentation, without a tree.
func naive(spec *policy.SiteSpec, method, path string) string {
	if spec.IgnoreCase {
		path = asciiLower(path)
	}
	best, bestRank := "default", [2]int{-1, -1}
	for _, r := range spec.Rules {
		byMethod := 0
		switch {
		case slices.Contains(r.Methods, method):
			byMethod = 3
		case method == "HEAD" && slices.Contains(r.Methods, "GET"):
			byMethod = 2
		case len(r.Methods) == 0:
			byMethod = 1
		default:
			continue
		}
		for _, p := range r.Paths {
			pattern := p
			if spec.IgnoreCase {
				pattern = asciiLower(p)
			}
			prefix, isPrefix := strings.CutSuffix(pattern, "/**")
			byPath := -1
			switch {
			case !isPrefix && pattern == path:
				byPath = 1 << 20
			case isPrefix && (prefix == "" || path == prefix || strings.HasPrefix(path, prefix+"/")):
				byPath = len(prefix)
			default:
				continue
			}
			if rank := [2]int{byPath, byMethod}; slices.Compare(rank[:], bestRank[:]) > 0 {
				best, bestRank = strings.Join(append([]string{p}, r.Methods...), " "), rank
			}
		}
	}
	return best
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

var (
	segments = []string{"a", "b", "A", "ab", "", "b_", "~"}
	methods  = []string{"GET", "HEAD", "POST"}
)

func randomPath(rnd *rand.Rand, last bool) string {
	var b strings.Builder
	for range 1 + rnd.IntN(4) {
		b.WriteString("/" + segments[rnd.IntN(len(segments))])
	}
	if p := b.String(); last || !strings.Contains(p, "//") {
		return p
	}
	return "/a"
}

func randomSpec(rnd *rand.Rand) policy.SiteSpec {
	spec := policy.SiteSpec{Name: "hanoi", IgnoreCase: rnd.IntN(2) == 0}
	for range rnd.IntN(8) {
		pattern := randomPath(rnd, false)
		if rnd.IntN(2) == 0 {
			pattern = strings.TrimSuffix(pattern, "/") + "/**"
		}
		r := policy.RuleSpec{Paths: []string{pattern}, Access: policy.Public}
		for _, m := range methods {
			if rnd.IntN(3) == 0 {
				r.Methods = append(r.Methods, m)
			}
		}
		spec.Rules = append(spec.Rules, r)
	}
	return spec
}

func TestMatchAgreesWithNaiveMatcherInAnyOrder(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	compiled, decided := 0, 0
	for range 3000 {
		spec := randomSpec(rnd)
		s, err := policy.Compile(spec)
		if err != nil {
			continue // two rules tie
		}
		compiled++
		shuffled := spec
		shuffled.Rules = slices.Clone(spec.Rules)
		rnd.Shuffle(len(shuffled.Rules), func(i, j int) {
			shuffled.Rules[i], shuffled.Rules[j] = shuffled.Rules[j], shuffled.Rules[i]
		})
		other, err := policy.Compile(shuffled)
		if err != nil {
			t.Fatalf("seed %d: order decides whether %+v compiles: %v", seed, spec, err)
		}
		for range 20 {
			method, path := methods[rnd.IntN(len(methods))], randomPath(rnd, true)
			want := naive(&spec, method, path)
			got := name(s, s.Match([]byte(method), []byte(path)))
			permuted := name(other, other.Match([]byte(method), []byte(path)))
			if got != want || permuted != want {
				t.Fatalf("seed %d: %s %s under %+v: rule %q, permuted %q, want %q", seed, method, path, spec, got, permuted, want)
			}
			if want != "default" {
				decided++
			}
		}
		if fmt.Sprint(names(s)) != fmt.Sprint(names(other)) {
			t.Fatalf("seed %d: listing depends on order: %v, %v", seed, names(s), names(other))
		}
	}
	if compiled < 1000 || decided < 1000 {
		t.Fatalf("seed %d: only %d sites and %d matches: the property was hardly tried", seed, compiled, decided)
	}
}

func names(s *policy.Site) []string {
	var out []string
	for _, r := range s.Rules {
		out = append(out, name(s, r))
	}
	return out
}

func FuzzMatch(f *testing.F) {
	for _, path := range []string{"/", "", "*", "/a", "/a/", "/a//b", "/A/b/../c", strings.Repeat("/", 5000), "/a/b/c/d\x00"} {
		f.Add("GET", path, uint64(len(path)))
	}
	f.Fuzz(func(t *testing.T, method, path string, seed uint64) {
		spec := randomSpec(rand.New(rand.NewPCG(seed, 2)))
		s, err := policy.Compile(spec)
		if err != nil {
			return
		}
		want := naive(&spec, method, path)
		if got := name(s, s.Match([]byte(method), []byte(path))); got != want && strings.HasPrefix(path, "/") {
			t.Errorf("%q %q under %+v: rule %q, want %q", method, path, spec, got, want)
		}
	})
}

// FuzzCompilePattern: a pattern that compiles matches itself.
func FuzzCompilePattern(f *testing.F) {
	for _, p := range []string{"/", "/**", "/a", "/a/", "/a/**", "a", "/a/*", "/../b", "/a//b", "/a//**", "/a b", ""} {
		f.Add(p, true)
	}
	f.Fuzz(func(t *testing.T, pattern string, fold bool) {
		s, err := policy.Compile(policy.SiteSpec{
			Name: "hanoi", IgnoreCase: fold,
			Rules: []policy.RuleSpec{{Paths: []string{pattern}, Access: policy.Public}},
		})
		if err != nil {
			return
		}
		path, prefix := strings.CutSuffix(pattern, "/**")
		if prefix && s.Match([]byte("GET"), []byte(path+"/x")) == s.Default {
			t.Errorf("%q does not match below itself", pattern)
		}
		if s.Match([]byte("GET"), []byte(path)) == s.Default {
			t.Errorf("%q does not match %q", pattern, path)
		}
	})
}
