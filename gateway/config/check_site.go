package config

import (
	"maps"
	"net/url"
	"strings"
)

func checkSites(c *Config, r *report) {
	issuers, introspecting := issuerNames(c), introspectingIssuers(c)
	names, hosts := make(map[string]int), make(map[string]*path)
	for i := range c.Sites {
		s, p := &c.Sites[i], (*path)(nil).key("sites").index(i)
		checkName(s.Name, i, names, p, r)
		checkHosts(s.Hosts, i, hosts, p.key("hosts"), r)
		checkUpstreams(s, p, r)
		checkReferences(s.Issuers, issuers, "issuer", p.key("issuers"), r)
		checkNeedOfIssuers(s, p, r)
		checkOneIntrospects(s, introspecting, p.key("issuers"), r)
		if msg := badCookieName(s.Cookie); msg != "" {
			r.at(p.key("cookie"), "%s", msg)
		}
		if msg := badLoginURL(s.LoginURL); msg != "" {
			r.at(p.key("login_url"), "%s", msg)
		}
		checkRules(s, p.key("rules"), r)
	}
}

// checkHosts checks the hosts of one site against their syntax and against
// seen, the hosts of the sites before it.
func checkHosts(list []string, site int, seen map[string]*path, p *path, r *report) {
	mine := make(map[string]*path)
	for i, h := range list {
		if h == "" {
			continue // checkElements says so
		}
		at := p.index(i)
		if msg := badHostPattern(h); msg != "" {
			r.at(at, "%s", msg)
			continue
		}
		if first, again := seen[h]; again {
			r.at(at, "%s is already served at %s; no host may stand in two sites", quote(h), r.places.line(first))
			continue
		}
		mine[h] = at
	}
	maps.Copy(seen, mine)
}

// checkNeedOfIssuers refuses a site at which nobody could log in although some
// path needs a credential.
func checkNeedOfIssuers(s *Site, p *path, r *report) {
	if len(s.Issuers) > 0 || r.places.has(p.key("issuers")) {
		return
	}
	covered := false
	for i := range s.Rules {
		rule := &s.Rules[i]
		if rule.Access != AccessPublic && rule.Deny == "" {
			r.at(p.key("issuers"), "is required: %s needs a credential", r.places.line(p.key("rules").index(i)))
			return
		}
		for _, pattern := range rule.Paths {
			covered = covered || pattern == "/**" && rule.Methods == nil
		}
	}
	if !covered {
		r.at(p.key("issuers"), "is required: a path that no rule matches needs a credential; or add a public or deny rule for /**")
	}
}

// badCookieName returns "" or what is wrong with the name of a cookie.
func badCookieName(name string) string {
	switch {
	case name == "":
		return ""
	case len(name) > 128:
		return "is longer than 128 bytes"
	case !isToken(name) || name[0] == '$':
		// RFC 6265 section 4.1.1; RFC 2965 reserved names that begin with $.
		return quote(name) + " is not a cookie name: letters, digits and !#%&'*+-.^_`|~"
	}
	switch strings.ToLower(name) {
	case "__proto__", "constructor", "prototype":
		return quote(name) + " is a name that scripts trip over; choose another"
	}
	return ""
}

// isToken tells whether s is a token (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// badLoginURL returns "" or why a page may not link to s.
func badLoginURL(s string) string {
	if s == "" {
		return ""
	}
	if strings.ContainsFunc(s, notVisible) || strings.Contains(s, `\`) {
		return "has spaces, control characters or backslashes"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "is not a URL"
	case u.Scheme == "" && strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//"):
		return ""
	case u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "":
		return "must begin with https://, http:// or a single /"
	}
	return badAuthority(u)
}
