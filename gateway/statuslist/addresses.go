package statuslist

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// addresses are those that the configuration covers. An address out of a token is one that somebody else chose: what is
// not covered is not fetched.
type addresses []string

// parseAddresses checks what a configuration names. Errors wrap ErrConfig.
func parseAddresses(names []string, plain bool) (addresses, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: no addresses of lists", ErrConfig)
	}
	for _, name := range names {
		u, err := url.Parse(name)
		switch {
		case err != nil || u.Hostname() == "" || u.User != nil || strings.ContainsAny(name, `#\`) || roams(u):
			return nil, fmt.Errorf("%w: not the address of lists", ErrConfig)
		case u.Path == "":
			// Without the slash after it a host could go on: https://example.com.evil.example/.
			return nil, fmt.Errorf("%w: the address of lists has no path", ErrConfig)
		case u.RawQuery != "" && strings.HasSuffix(name, "/"):
			return nil, fmt.Errorf("%w: the address of lists ends in a query", ErrConfig)
		case u.Scheme != "https" && (u.Scheme != "http" || !plain && !loopback(u.Hostname())):
			return nil, fmt.Errorf("%w: the address of lists is not https", ErrConfig)
		}
	}
	return addresses(names), nil
}

// lists returns how many addresses are those of one list.
func (a addresses) lists() int {
	n := 0
	for _, address := range a {
		if !strings.HasSuffix(address, "/") {
			n++
		}
	}
	return n
}

// named reports whether the list of that address is one that the configuration names.
func (a addresses) named(uri string) bool {
	for _, address := range a {
		if address == uri && !strings.HasSuffix(address, "/") {
			return true
		}
	}
	return false
}

// cover reports whether uri may be fetched. What it begins with holds scheme, host, port and a slash, so that it cannot
// be of another origin; what follows must not lead out again.
func (a addresses) cover(uri string) bool {
	for _, address := range a {
		if address == uri {
			return true
		}
		if strings.HasSuffix(address, "/") && strings.HasPrefix(uri, address) {
			u, err := url.Parse(uri)
			return err == nil && !strings.ContainsAny(uri, `#\`) && !roams(u)
		}
	}
	return false
}

// roams reports whether a path has dot segments (RFC 3986 section 5.2.4), escaped or not, by the separators of any server.
func roams(u *url.URL) bool {
	for segment := range strings.FieldsFuncSeq(u.Path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// loopback reports whether a host stays on this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
