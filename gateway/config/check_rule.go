package config

import (
	"net/url"
	"strings"
)

// checkRules checks a site's requirement and rules, and that no two rules
// decide the same requests: with equal precedence the second could never
// match.
func checkRules(s *Site, p *path, r *report) {
	decided := make(map[target]*path)
	for i := range s.Rules {
		rule, q := &s.Rules[i], p.index(i)
		checkConflicts(rule, q, r)
		for j, m := range rule.Methods {
			if msg := badMethod(m); msg != "" {
				r.at(q.key("methods").index(j), "%s", msg)
			}
		}
		for j, pattern := range rule.Paths {
			at := q.key("paths").index(j)
			if pattern == "" {
				continue
			}
			if msg := badPattern(pattern); msg != "" {
				r.at(at, "%s", msg)
				continue
			}
			if s.IgnorePathCase {
				pattern = strings.ToLower(pattern)
			}
			claimTarget(decided, pattern, rule.Methods, q, at, r)
		}
	}
}

// target is what a rule decides: a pattern, and a method or "" for all that no
// other rule lists.
type target struct{ pattern, method string }

// claimTarget enters the pattern at the path at of the rule q in decided. It
// adds a fault where an earlier rule has it.
func claimTarget(decided map[target]*path, pattern string, methods []string, q, at *path, r *report) {
	if len(methods) == 0 {
		methods = []string{""}
	}
	for _, m := range methods {
		key := target{pattern, m}
		first, again := decided[key]
		if !again {
			decided[key] = q
			continue
		}
		if first == q {
			// The same rule: a repeated element is reported as such, unless the
			// spelling differs in case only.
			continue
		}
		what := quote(pattern)
		if m != "" {
			what += " for " + m
		}
		r.at(at, "%s is already decided by %s; this one can never match", what, r.places.line(first))
		return
	}
}

// checkConflicts refuses settings of one rule of which one has no effect.
func checkConflicts(rule *Rule, p *path, r *report) {
	public := rule.Access == AccessPublic
	switch {
	case rule.Deny != "" && public:
		r.at(p.key("deny"), "contradicts access: public; keep one")
	case rule.Deny != "" || public:
		cause := "deny"
		if public {
			cause = "access: public"
		}
		for _, s := range []struct {
			key   string
			given bool
		}{
			{"account_kinds", rule.AccountKinds != nil},
			{"account_level", rule.AccountLevel != 0},
			{"acr", rule.ACR != nil},
			{"max_auth_age", rule.MaxAuthAge != 0},
		} {
			if s.given {
				r.at(p.key(s.key), "has no effect with %s; remove one", cause)
			}
		}
	}
}

// badMethod returns "" or what is wrong with a rule's method.
func badMethod(m string) string {
	switch {
	case m == "":
		return "" // checkElements says so
	case !isToken(m) || len(m) > 32:
		return quote(m) + " is not a method"
	case m != strings.ToUpper(m):
		return quote(m) + " is not upper-case; methods are case-sensitive, write " + strings.ToUpper(m)
	}
	return ""
}

// badPattern returns "" or what is wrong with a path pattern. A pattern must be
// in the normal form in which requests are matched: one that is not could
// never match.
func badPattern(pattern string) string {
	path, prefix := strings.CutSuffix(pattern, "/**")
	switch {
	case !strings.HasPrefix(pattern, "/"):
		return quote(pattern) + " does not begin with /"
	case len(pattern) > 8<<10:
		return "is longer than 8 KiB"
	case strings.Contains(path, "*"):
		return quote(pattern) + " has * in another place than a final /**"
	case strings.ContainsAny(path, "?#"):
		return quote(pattern) + " has a query or fragment; only paths are matched"
	case strings.Contains(path, ";"):
		return quote(pattern) + " has a path parameter (;); requests are matched without"
	case strings.Contains(path, "//") || prefix && strings.HasSuffix(path, "/"):
		return quote(pattern) + " has an empty segment (//)"
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return quote(pattern) + " has the segment " + segment + "; write the path that results"
		}
	}
	return badPathBytes(path)
}

// badPathBytes holds a path to RFC 3986 section 3.3, in the one spelling that
// section 6.2.2 leaves.
func badPathBytes(path string) string {
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c != '%' {
			if c >= 0x80 || !isAlnum(c) && strings.IndexByte("/-._~!$&'()+,=:@", c) < 0 {
				msg := quote(path) + " has a character that must be percent-encoded"
				if !strings.Contains(path, "%") {
					msg += "; write " + quote((&url.URL{Path: path}).EscapedPath())
				}
				return msg
			}
			continue
		}
		if i+2 >= len(path) || !isUpperHex(path[i+1]) || !isUpperHex(path[i+2]) {
			return quote(path) + " has a % that is not followed by two upper-case hexadecimal digits"
		}
		d := unhex(path[i+1])<<4 | unhex(path[i+2])
		switch {
		case isAlnum(d) || strings.IndexByte("-._~", d) >= 0:
			return quote(path) + " encodes " + quote(string(rune(d))) + ", which needs none; write the character"
		case d == '/' || d == '\\' || d < ' ' || d == 0x7f:
			return quote(path) + " encodes a slash, backslash or control character; requests with one are never matched"
		}
		i += 2
	}
	return ""
}

func isUpperHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'A' + 10
}
