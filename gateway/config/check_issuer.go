package config

import (
	"net/url"
	"strings"
)

const (
	maxNameBytes   = 63
	maxIssuerBytes = 1024
)

func checkIssuers(c *Config, r *report) {
	names, values := make(map[string]int), make(map[string]int)
	for i := range c.Issuers {
		is, p := &c.Issuers[i], (*path)(nil).key("issuers").index(i)
		checkName(is.Name, i, names, p, r)
		checkIssuerValue(is, i, values, p, r)
		checkKeySet(is, p, r)
		checkIntrospection(is, p.key("introspection"), r)
		checkBackend(&is.Backend, p.key("backend"), r)
		checkTypes(is.Types, p.key("types"), r)
		checkAudience(&is.Audience, p.key("audience"), r)
		checkClaims(&is.Claims, p.key("claims"), r)
	}
}

// checkName checks the name of the i-th element at p of a list whose names so
// far are in seen, and adds it.
func checkName(name string, i int, seen map[string]int, p *path, r *report) {
	if name == "" {
		return // required says so
	}
	at := p.key("name")
	if !isLabel(name) {
		r.at(at, "%s is not a name: lower-case letters, digits and dashes, neither first nor last a dash, at most %d",
			quote(name), maxNameBytes)
		return
	}
	if first, again := seen[name]; again {
		r.at(at, "%s is already the name of %s", quote(name), r.places.line(p.up.index(first)))
		return
	}
	seen[name] = i
}

func isLabel(s string) bool {
	if s == "" || len(s) > maxNameBytes || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-':
		default:
			return false
		}
	}
	return true
}

func checkIssuerValue(is *Issuer, i int, seen map[string]int, p *path, r *report) {
	v, at := is.Issuer, p.key("issuer")
	if v == "" {
		return
	}
	if first, again := seen[v]; again {
		r.at(at, "%s is already the issuer of %s", quote(v), r.places.line(p.up.index(first)))
		return
	}
	seen[v] = i
	if len(v) > maxIssuerBytes {
		r.at(at, "has %d bytes; at most %d are allowed", len(v), maxIssuerBytes)
		return
	}
	u, err := url.Parse(v)
	// RFC 7519 section 2: a StringOrURI with a colon must be a URI.
	if strings.ContainsFunc(v, notVisible) || strings.Contains(v, ":") && (err != nil || u.Scheme == "") {
		r.at(at, "%s is neither a URI nor a plain string without spaces and colons", quote(v))
		return
	}
	if is.JWKS.Discovery {
		// OpenID Connect Discovery 1.0 section 3: an https URL without query or fragment.
		msg := is.badFetchURL(v)
		if msg == "" && (u.RawQuery != "" || u.ForceQuery || u.Fragment != "") {
			msg = "has a query or fragment"
		}
		if msg != "" {
			r.at(at, "discovery needs an https URL here: it %s", msg)
		}
	}
}

func notVisible(c rune) bool { return c <= ' ' || c == 0x7f }

func checkTypes(types []string, p *path, r *report) {
	seen := make(map[string]int)
	for i, t := range types {
		at := p.index(i)
		if strings.ContainsFunc(t, notVisible) || len(t) > 255 {
			r.at(at, "%s is not a media type", quote(t))
			continue
		}
		// RFC 7515 section 4.1.9: "application/" may be left out.
		folded := strings.TrimPrefix(strings.ToLower(t), "application/")
		if first, again := seen[folded]; again && types[first] != t {
			r.at(at, "%s is the same type as %s", quote(t), r.places.line(p.index(first)))
		}
		seen[folded] = i
	}
}

func checkAudience(a *Audience, p *path, r *report) {
	switch {
	case a.Unchecked && len(a.AnyOf) > 0:
		r.at(p.key("unchecked"), "true contradicts any_of; keep one")
	case !a.Unchecked && a.AnyOf == nil && !r.places.has(p.key("any_of")):
		r.at(p.key("any_of"), "is required: without it a token issued for anybody else would be accepted; unchecked: true says that this is meant")
	}
}

func checkClaims(c *Claims, p *path, r *report) {
	kind, level := p.key("account_kind"), p.key("account_level")
	k := &c.AccountKind
	switch {
	case k.Claim == "" && len(k.Map) > 0:
		r.at(kind.key("map"), "has no effect without claim")
	case k.Claim != "" && k.Map == nil && !r.incomplete(kind):
		r.at(kind.key("map"), "is required with claim: a value that is not listed is refused")
	}
	if c.AccountLevel.Claim == "" && r.places.has(level.key("map")) {
		r.at(level.key("map"), "has no effect without claim")
	}
}
