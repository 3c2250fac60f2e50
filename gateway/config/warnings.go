package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
)

// Warnings lists what is allowed and should still be known before the
// configuration is used, in the order of faults. Positions are those of the
// file that c was read from; a Config that no file states has none.
func (c *Config) Warnings() []Fault {
	r := newReport("")
	if c.places != nil {
		r.places = c.places
	}
	c.warnListeners(r)
	c.warnIssuers(r)
	c.warnFiles(r)
	c.warnCutover(r)
	c.warnSites(r)
	c.warnRevocation(r)
	if c.places == nil {
		for i := range r.list {
			r.list[i].Line, r.list[i].Column = 0, 0
		}
	}
	return sorted(r.list)
}

func (c *Config) warnListeners(r *report) {
	root := (*path)(nil)
	if host, _, err := net.SplitHostPort(c.Admin.Address); err == nil && !isLoopback(host) {
		r.at(root.key("admin").key("address"), "is not loopback: whoever reaches it sees metrics and profiles; restrict it by a network policy")
	}
	for i, l := range c.Listen {
		for j, cidr := range l.TrustedProxies {
			if p, err := netip.ParsePrefix(cidr); err == nil && p.Bits() == 0 {
				r.at(root.key("listen").index(i).key("trusted_proxies").index(j),
					"%s trusts everybody: any client can state the address that it comes from", cidr)
			}
		}
	}
}

// warnRevocation finds listeners that a second process is meant to share: it
// cannot share the directory.
func (c *Config) warnRevocation(r *report) {
	if c.Revocation.Directory == "" {
		return
	}
	if slices.ContainsFunc(c.Listen, func(l Listener) bool { return l.ReusePort }) {
		r.at((*path)(nil).key("revocation").key("directory"),
			"one process at a time uses it: give each of those that share a port (reuse_port) its own, by --set revocation.directory=…, and tell them of one another by revocation.fleet")
	}
}

func (c *Config) warnIssuers(r *report) {
	for i := range c.Issuers {
		is, p := &c.Issuers[i], (*path)(nil).key("issuers").index(i)
		if is.Audience.Unchecked {
			r.at(p.key("audience").key("unchecked"), "tokens issued for anybody are accepted (RFC 8725 section 3.9)")
		}
		if is.JWKS.AllowPlainHTTP {
			r.at(p.key("jwks").key("allow_plain_http"), "whoever can answer for the identity backend can forge tokens")
		}
		if u, err := url.Parse(is.Introspection.URL); err == nil && is.crossesPlainly(u) {
			r.at(p.key("introspection").key("url"), "is plain http: whoever is on the way reads the tokens that are asked about, and the client's credential")
		}
		if j := &is.JWKS; is.HasKeySet() && j.SoftStale <= j.slowest() {
			r.at(p.key("jwks").key("soft_stale"), "%s is not more than %s, the longest time between two fetches (%s and its jitter of 10%%): keys will be reported as stale although nothing failed",
				shortDuration(j.SoftStale), shortDuration(j.slowest()), j.pace())
		}
		if kind := is.Claims.AccountKind; len(c.Cutover) > 0 && kind.Claim == "" && kind.Default == "" {
			r.at(p.key("claims").key("account_kind"), "tells no account kind: from the first cutover on, every account of this issuer is refused (account_kind_unknown)")
		}
	}
}

// warnCutover finds the sites at which a rule leaves no issuer for its kinds.
func (c *Config) warnCutover(r *report) {
	for i := range c.Cutover {
		rule, p := &c.Cutover[i], (*path)(nil).key("cutover").index(i)
		for j := range c.Sites {
			s := &c.Sites[j]
			if len(rule.Sites) > 0 && !slices.Contains(rule.Sites, s.Name) || len(s.Issuers) == 0 ||
				!slices.ContainsFunc(rule.Accounts, s.admits) {
				continue
			}
			if !slices.ContainsFunc(s.Issuers, func(name string) bool { return slices.Contains(rule.Only, name) }) {
				r.at(p.key("only"), "leaves no issuer at %s: these accounts cannot log in there from then on",
					r.places.line((*path)(nil).key("sites").index(j)))
			}
		}
	}
}

func (c *Config) warnSites(r *report) {
	decided := false
	for i := range c.Cutover {
		decided = decided || slices.Contains(c.Cutover[i].Accounts, KindForeigner)
	}
	issuers := make(map[string]*Issuer, len(c.Issuers))
	for i := range c.Issuers {
		issuers[c.Issuers[i].Name] = &c.Issuers[i]
	}
	for i := range c.Sites {
		s, p := &c.Sites[i], (*path)(nil).key("sites").index(i)
		if s.Mode == ModeObserve {
			r.at(p.key("mode"), "requests without a valid credential reach the upstream")
		}
		if decided || !s.admits(KindForeigner) {
			continue
		}
		from := func(name string) bool {
			is := issuers[name]
			return is != nil && is.Claims.AccountKind.yields(KindForeigner)
		}
		if j := slices.IndexFunc(s.Issuers, from); j >= 0 {
			r.at(p.key("issuers").index(j), "foreigners are accepted here and no cutover rule names them; the sources conflict: decide, and write a rule")
		}
	}
}

// admits tells whether some path of s that needs a credential takes kind.
func (s *Site) admits(kind string) bool {
	takes := func(q *Requirement) bool {
		return q.AccountKinds == nil || slices.Contains(q.AccountKinds, kind)
	}
	return takes(&s.Require) || slices.ContainsFunc(s.Rules, func(rule Rule) bool {
		return rule.Access == AccessRequire && rule.Deny == "" && takes(&rule.Requirement)
	})
}

// yields tells whether some account of the issuer can be of the given kind.
func (k *KindClaim) yields(kind string) bool {
	for _, v := range k.Map {
		if v == kind {
			return true
		}
	}
	return k.Default == kind
}
