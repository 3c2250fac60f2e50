package config

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// HasKeySet tells whether jwks names a source. Without one the issuer's tokens
// are introspected, all of them opaque.
func (is *Issuer) HasKeySet() bool { return len(is.JWKS.sources()) > 0 }

// sources lists the keys of jwks that name a source.
func (j *JWKS) sources() []string {
	var found []string
	for _, s := range []struct {
		key   string
		given bool
	}{{"url", j.URL != ""}, {"file", j.File != ""}, {"discovery", j.Discovery}} {
		if s.given {
			found = append(found, s.key)
		}
	}
	return found
}

// checkKeySet checks the jwks of the issuer at p.
func checkKeySet(is *Issuer, p *path, r *report) {
	j, at := &is.JWKS, p.key("jwks")
	found := j.sources()
	introspection := p.key("introspection")
	switch {
	case len(found) > 1 && !r.incomplete(at):
		r.at(at, "needs exactly one of url, file and discovery: true; %s are given", strings.Join(found, " and "))
	case len(found) > 0 || r.incomplete(at) || r.incomplete(introspection):
	case is.Introspection.URL == "" && r.places.has(at):
		r.at(at, "needs exactly one of url, file and discovery: true; none is given, nor is introspection.url: an issuer needs jwks or introspection")
	case is.Introspection.URL == "":
		r.at(p, "needs jwks or introspection: without either, no token of this issuer can be verified")
	case is.Introspection.Tokens == TokensAll:
		r.at(at, "is required with introspection.tokens: all: a JWT is introspected after it was verified")
	default:
		checkNoKeySet(p, r)
	}
	if j.URL != "" {
		if msg := is.badFetchURL(j.URL); msg != "" {
			r.at(at.key("url"), "%s", msg)
		}
	}
	if j.File != "" {
		if err := readable(j.File); err != nil {
			r.at(at.key("file"), "%s %s", quote(j.File), err)
		}
	}
	if len(found) > 0 {
		checkAges(j, at, r)
	}
}

// checkNoKeySet checks that an issuer whose tokens are all introspected says
// nothing about keys.
func checkNoKeySet(p *path, r *report) {
	const why = "at an issuer that has no url, file or discovery: its tokens are opaque, and introspected"
	keys := keysOf(fieldsOf(reflect.TypeFor[JWKS]()))
	keys = slices.DeleteFunc(keys, func(key string) bool {
		return slices.Contains([]string{"url", "file", "discovery", "allow_plain_http"}, key)
	})
	checkIdle(keys, why, p.key("jwks"), r)
	checkIdle([]string{"algorithms", "types"}, why, p, r)
}

// checkAges checks how the intervals and limits of a key set relate.
func checkAges(j *JWKS, p *path, r *report) {
	if r.incomplete(p) {
		return // it is not known what the others would be compared with
	}
	more := func(low string, lowest time.Duration, high string, highest time.Duration) bool {
		if lowest > highest {
			r.at(p.key(low), "%s is more than %s, %s", shortDuration(lowest), high, shortDuration(highest))
		}
		return lowest > highest
	}
	disordered := more("refresh_min", j.RefreshMin, "refresh_max", j.RefreshMax) ||
		more("refresh_min", j.RefreshMin, "refresh", j.Refresh) ||
		more("refresh", j.Refresh, "refresh_max", j.RefreshMax)
	if !more("soft_stale", j.SoftStale, "hard_stale", j.HardStale) && !disordered && j.HardStale <= j.slowest() {
		r.at(p.key("hard_stale"), "%s is not more than %s, the longest time between two fetches (%s and its jitter of 10%%): until the next, every token would be refused",
			shortDuration(j.HardStale), shortDuration(j.slowest()), j.pace())
	}
}

// slowest is the longest time between two fetches that both succeed.
func (j *JWKS) slowest() time.Duration {
	most := j.RefreshMax
	if j.pace() == "refresh" {
		most = j.Refresh
	}
	return most + most/10
}

// pace names the field that bounds the time between two fetches: a file has
// no caching header that could lengthen it.
func (j *JWKS) pace() string {
	if j.File != "" {
		return "refresh"
	}
	return "refresh_max"
}

// settle moves defaults out of the way of what the file states.
func settle(c *Config) {
	for i := range c.Issuers {
		j, p := &c.Issuers[i].JWKS, (*path)(nil).key("issuers").index(i).key("jwks")
		stated := func(key string) bool { return c.places.has(p.key(key)) }
		if !stated("refresh") {
			if stated("refresh_min") {
				j.Refresh = max(j.Refresh, j.RefreshMin)
			}
			if stated("refresh_max") {
				j.Refresh = min(j.Refresh, j.RefreshMax)
			}
		}
		if !stated("refresh_min") {
			j.RefreshMin = min(j.RefreshMin, j.Refresh)
		}
		if !stated("refresh_max") {
			j.RefreshMax = max(j.RefreshMax, j.Refresh)
		}
		if !stated("soft_stale") {
			j.SoftStale = min(j.SoftStale, j.HardStale)
		}
	}
}

// badFetchURL returns "" or why nothing may be fetched from s for the issuer.
func (is *Issuer) badFetchURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Opaque != "":
		return "is not a URL"
	case u.Scheme != "https" && u.Scheme != "http":
		return "is not an https URL"
	}
	if msg := badAuthority(u); msg != "" {
		return msg
	}
	switch {
	case u.Fragment != "":
		return "has a fragment"
	case !is.crossesPlainly(u) || is.JWKS.AllowPlainHTTP:
		return ""
	case is.Backend.ProxyURL != "":
		return "is plain http through backend.proxy_url; use https, or set jwks.allow_plain_http: true and accept that whoever answers for that address can forge tokens"
	}
	return "is plain http to an address other than loopback; use https, or set jwks.allow_plain_http: true and accept that whoever answers for that address can forge tokens"
}

// crossesPlainly tells whether what is sent to u leaves this machine
// unencrypted: a proxy does not stand on our loopback.
func (is *Issuer) crossesPlainly(u *url.URL) bool {
	return u.Scheme == "http" && (!isLoopback(u.Hostname()) || is.Backend.ProxyURL != "")
}
