package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// normalHost lower-cases ASCII letters and drops one trailing dot, the forms
// of a Host that mean the same (RFC 9110 section 4.2.3, RFC 1034 section 3.1).
// "*." stays what it is, a suffix that is missing, and does not become "*".
func normalHost(h string) string {
	b := []byte(h)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	if h == "*." {
		return h
	}
	return strings.TrimSuffix(string(b), ".")
}

// badHostPattern returns "" or what is wrong with a site's host.
func badHostPattern(h string) string {
	if h == "*" {
		return ""
	}
	name := strings.TrimPrefix(h, "*.")
	switch {
	case strings.Contains(name, "*"):
		return quote(h) + ` has * in another place than "*.suffix" or "*"`
	case strings.Contains(name, "://"):
		return quote(h) + " has a scheme; write the host only"
	case strings.ContainsAny(name, "/?#@"):
		return quote(h) + " is more than a host; write the host only"
	}
	for i := range len(name) {
		if name[i] >= 0x80 {
			return quote(h) + " is not ASCII; write its punycode form (xn--…)"
		}
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		if a, err := netip.ParseAddr(inner); !ok || err != nil || !a.Is6() || a.Zone() != "" || name != h {
			return quote(h) + " is not a host; an IPv6 address stands in brackets, without a port: [::1]"
		}
		return ""
	}
	if strings.Contains(name, ":") {
		return quote(h) + " has a port; write the host only, it is served on every port"
	}
	if !isName(name) {
		return quote(h) + " is not a host name: labels of letters, digits, - and _, at most 63 each and 253 together"
	}
	return ""
}

// isHost tells whether h is an IP address, without brackets, or a host name,
// with or without the dot of the root.
func isHost(h string) bool {
	if a, err := netip.ParseAddr(h); err == nil {
		return a.Zone() == ""
	}
	return isName(strings.TrimSuffix(h, "."))
}

// isName tells whether h is a host name (RFC 1123 section 2.1), or one with
// underscores, as container networks use them.
func isName(h string) bool {
	if len(h) > 253 {
		return false
	}
	for label := range strings.SplitSeq(h, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isAlnum(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// badAuthority returns "" or what is wrong with the part of u that says whom
// to ask. It quotes nothing: there may be a password in it.
func badAuthority(u *url.URL) string {
	switch {
	case u.User != nil:
		return "must not carry a user or password"
	case u.Hostname() == "":
		return "has no host"
	case !isHost(u.Hostname()):
		return "has a host that is neither an IP address nor a host name"
	case strings.HasSuffix(u.Host, ":"):
		return "has a colon but no port"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "has a port that is not from 1 to 65535"
		}
	}
	return ""
}
