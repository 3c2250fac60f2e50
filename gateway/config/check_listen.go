package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// checkListeners checks the addresses of all listeners and the proxies they
// trust.
func checkListeners(c *Config, r *report) {
	root := (*path)(nil)
	admin := root.key("admin").key("address")
	adminHost, adminPort := checkAddress(c.Admin.Address, admin, r)
	type bound struct {
		host, port string
		at         *path
	}
	taken := []bound{{adminHost, adminPort, admin}}
	for i, l := range c.Listen {
		p := root.key("listen").index(i)
		at := p.key("address")
		host, port := checkAddress(l.Address, at, r)
		for _, t := range taken {
			if collide(host, port, t.host, t.port) {
				r.at(at, "%s is already taken by %s", quote(l.Address), r.places.line(t.at))
				break
			}
		}
		taken = append(taken, bound{host, port, at})
		for j, cidr := range l.TrustedProxies {
			if msg := badPrefix(cidr); msg != "" && cidr != "" { // checkElements knows ""
				r.at(p.key("trusted_proxies").index(j), "%s", msg)
			}
		}
	}
}

// checkAddress splits a listener's address; it returns an empty port after a
// fault.
func checkAddress(address string, p *path, r *report) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		r.at(p, "%s is not host:port or :port", quote(address))
		return "", ""
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		r.at(p, "%s has no port from 0 to 65535", quote(address))
		return "", ""
	}
	if host != "" && !isHost(host) {
		r.at(p, "%s names neither an IP address nor a host", quote(address))
		return "", ""
	}
	return strings.ToLower(host), port
}

// collide tells whether two listeners cannot both bind. Names are not
// resolved: two names of one address are found when the listeners start.
func collide(hostA, portA, hostB, portB string) bool {
	if portA == "" || portA == "0" || portA != portB {
		return false
	}
	return hostA == hostB || isWildcard(hostA) || isWildcard(hostB)
}

func isWildcard(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.IsUnspecified()
}

// isLoopback tells whether host is a loopback address or a name that RFC 6761
// section 6.3 reserves for one.
func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// badPrefix returns "" or what is wrong with a CIDR.
func badPrefix(s string) string {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
			return quote(s) + " has no prefix length; write " + netip.PrefixFrom(a, a.BitLen()).String() + " for one address"
		}
		return quote(s) + " is not a CIDR such as 10.0.0.0/8 or fd00::/8"
	}
	if p.Addr().Is4In6() {
		return quote(s) + " is an IPv4 network in IPv6 form; write it as IPv4"
	}
	if p != p.Masked() {
		return quote(s) + " has bits beyond its prefix length; the network is " + p.Masked().String()
	}
	return ""
}
