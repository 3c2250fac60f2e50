package config

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// Upstream is one of Site.Upstreams, taken apart.
type Upstream struct {
	// Secure says that TLS is spoken.
	Secure bool
	// Socket is the path of a unix socket; then Host and Port are "".
	Socket string
	// Host is a name or an address, without brackets; Port is decimal.
	Host, Port string
}

// ParseUpstream takes an element of Site.Upstreams apart. What Load accepted
// never fails.
func ParseUpstream(raw string) (u Upstream, ok bool) {
	u, msg := parseUpstream(raw)
	return u, msg == ""
}

// burstSeconds bounds a burst: more than comes in a day is none.
const burstSeconds = 24 * 60 * 60

const upstreamForms = "; write http://host:port, https://host:port or unix:/path"

// parseUpstream takes an upstream apart, or returns what is wrong with it.
func parseUpstream(raw string) (Upstream, string) {
	if socket, ok := strings.CutPrefix(raw, "unix:"); ok {
		// unix(7): sun_path holds 108 bytes, one of them the NUL.
		if !filepath.IsAbs(socket) || filepath.Clean(socket) != socket || len(socket) > 107 || strings.ContainsFunc(socket, notVisible) {
			return Upstream{}, "is not unix: and a plain absolute path of at most 107 bytes" + upstreamForms
		}
		return Upstream{Socket: socket}, ""
	}
	scheme, _, ok := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return Upstream{}, "must begin with http://, https:// or unix:/" + upstreamForms
	}
	u, err := url.Parse(raw)
	if err != nil {
		return Upstream{}, "is not a URL" + upstreamForms
	}
	if msg := badAuthority(u); msg != "" {
		return Upstream{}, msg + upstreamForms
	}
	if u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(raw, "#") {
		return Upstream{}, "must end after the host and port, without a path or query: the request's own target is sent; write " + scheme + "://" + clip(u.Host)
	}
	parsed := Upstream{Secure: scheme == "https", Host: normalHost(u.Hostname()), Port: u.Port()}
	if parsed.Port == "" {
		parsed.Port = map[bool]string{false: "80", true: "443"}[parsed.Secure]
	}
	return parsed, ""
}

// checkUpstreams checks where the site at p sends its requests, and how.
func checkUpstreams(s *Site, p *path, r *report) {
	list := p.key("upstreams")
	seen := make(map[Upstream]int)
	secure := false
	for i, raw := range s.Upstreams {
		if raw == "" || slices.Contains(s.Upstreams[:i], raw) {
			continue // checkElements says so
		}
		u, msg := parseUpstream(raw)
		if msg != "" {
			r.at(list.index(i), "%s", msg)
			continue
		}
		secure = secure || u.Secure
		u.Secure = false // the same address either way
		if first, again := seen[u]; again {
			r.at(list.index(i), "%s is the same upstream as %s", quote(raw), r.places.line(list.index(first)))
			continue
		}
		seen[u] = i
	}
	checkUpstreamTLS(s, secure, p.key("upstream_tls"), r)
	for name, rate := range map[string]Rate{"site": s.RateLimits.Site, "client": s.RateLimits.Client, "source": s.RateLimits.Source} {
		at := p.key("rate_limits").key(name)
		switch {
		case rate.PerSecond <= 0:
			checkIdle([]string{"burst"}, "without per_second", at, r)
		case rate.Burst > rate.PerSecond*burstSeconds:
			r.at(at.key("burst"), "%d is more than %d a second let through in a day", rate.Burst, rate.PerSecond)
		}
	}
	checkHealth(&s.HealthCheck, p.key("health_check"), r)
	checkUpgrades(s.Upgrades, p.key("upgrades"), r)
	if s.Ejection.AtMost < s.Ejection.For {
		r.at(p.key("ejection").key("at_most"), "%s is less than for, %s", shortDuration(s.Ejection.AtMost), shortDuration(s.Ejection.For))
	}
}

func checkUpstreamTLS(s *Site, secure bool, p *path, r *report) {
	t := &s.UpstreamTLS
	if !secure {
		checkIdle([]string{"ca_file", "server_name", "client_cert_file", "client_key_file"}, "without an https upstream", p, r)
		return
	}
	checkRoots(t.CAFile, p.key("ca_file"), r)
	checkClientPair(t.ClientCertFile, t.ClientKeyFile, p, r)
	if t.ServerName != "" && !isHost(t.ServerName) {
		r.at(p.key("server_name"), "%s is not a host name", quote(t.ServerName))
	}
}

func checkHealth(h *HealthCheck, p *path, r *report) {
	if h.Path == "" {
		checkIdle([]string{"interval", "timeout", "healthy", "unhealthy", "least_status", "most_status"}, "without path", p, r)
		return
	}
	if h.Path[0] != '/' || strings.ContainsFunc(h.Path, notVisible) || strings.Contains(h.Path, "#") {
		r.at(p.key("path"), "%s is not a path such as /healthz", quote(h.Path))
	}
	if h.MostStatus < h.LeastStatus {
		r.at(p.key("most_status"), "%d is less than least_status, %d", h.MostStatus, h.LeastStatus)
	}
}

func checkUpgrades(list []string, p *path, r *report) {
	for i, protocol := range list {
		switch {
		case protocol == "":
		case !isToken(protocol):
			r.at(p.index(i), "%s is not the name of a protocol: letters, digits and !#%%&'*+-.^_`|~", quote(protocol))
		case strings.EqualFold(protocol, "h2c"), strings.HasPrefix(strings.ToUpper(protocol), "HTTP"), strings.HasPrefix(strings.ToUpper(protocol), "TLS"):
			r.at(p.index(i), "%s cannot be listed: requests inside it would pass unchecked", quote(protocol))
		}
	}
}
