package config

import (
	"reflect"
	"slices"
)

// Enabled tells whether the issuer is asked about tokens at all.
func (n *Introspection) Enabled() bool { return n.URL != "" }

// checkIntrospection checks the introspection at p of the issuer is.
func checkIntrospection(is *Issuer, p *path, r *report) {
	n := &is.Introspection
	if !n.Enabled() {
		if !r.incomplete(p.key("url")) {
			keys := keysOf(fieldsOf(reflect.TypeFor[Introspection]()))
			keys = slices.DeleteFunc(keys, func(key string) bool { return key == "url" })
			checkIdle(keys, "without url", p, r)
		}
		return
	}
	if msg := is.badFetchURL(n.URL); msg != "" {
		r.at(p.key("url"), "%s", msg)
	}
	switch {
	case n.ClientID == "":
		r.at(p.key("client_id"), "is required with url: the gateway must say who it is (RFC 7662 section 2.1)")
	case !isPrintable(n.ClientID):
		r.at(p.key("client_id"), "%s is not a client identifier: printable ASCII (RFC 6749 appendix A.1)", quote(n.ClientID))
	}
	idle := "with auth: " + n.Auth
	switch n.Auth {
	case AuthSecretBasic, AuthSecretPost:
		checkIdle([]string{"private_key_file", "private_key_id"}, idle, p, r)
		_, err := n.ClientSecret()
		checkSecretFile(n.ClientSecretFile, err, idle, p.key("client_secret_file"), r)
	case AuthPrivateKeyJWT:
		checkIdle([]string{"client_secret_file"}, idle, p, r)
		_, err := n.PrivateKey()
		checkSecretFile(n.PrivateKeyFile, err, idle, p.key("private_key_file"), r)
	}
}

// checkSecretFile reports that the file at p, which is required under the
// condition with, is not named, or what came of reading it.
func checkSecretFile(name string, err error, with string, p *path, r *report) {
	switch {
	case name == "":
		r.at(p, "is required %s", with)
	case err != nil:
		r.at(p, "%s %s", quote(name), err)
	}
}

// checkOneIntrospects refuses a site at which two issuers could be asked about
// the same token. Every issuer that introspects does so for opaque tokens.
func checkOneIntrospects(s *Site, introspecting map[string]bool, p *path, r *report) {
	first := -1
	for i, name := range s.Issuers {
		switch {
		case !introspecting[name] || slices.Contains(s.Issuers[:i], name): // checkElements knows the latter
		case first < 0:
			first = i
		default:
			r.at(p.index(i), "%s introspects opaque tokens, and so does %s: an opaque token names no issuer, so at one site only one can be asked",
				quote(name), r.places.line(p.index(first)))
		}
	}
}

// introspectingIssuers names the issuers that are asked about opaque tokens.
func introspectingIssuers(c *Config) map[string]bool {
	names := make(map[string]bool)
	for i := range c.Issuers {
		if c.Issuers[i].Introspection.Enabled() {
			names[c.Issuers[i].Name] = true
		}
	}
	return names
}
