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
	sockets := make(map[string]*path)
	for i := range c.Listen {
		l, p := &c.Listen[i], root.key("listen").index(i)
		checkPrefixes(l.TrustedProxies, p.key("trusted_proxies"), r)
		checkPrefixes(l.ProxyProtocol, p.key("proxy_protocol"), r)
		checkTLS(&l.TLS, p.key("tls"), r)
		if l.Socket != "" {
			checkSocket(l, p, sockets, r)
			continue
		}
		at := p.key("address")
		host, port := checkAddress(l.Address, at, r)
		for _, t := range taken {
			if collide(host, port, t.host, t.port) {
				r.at(at, "%s is already taken by %s", quote(l.Address), r.places.line(t.at))
				break
			}
		}
		taken = append(taken, bound{host, port, at})
	}
}

// checkSocket checks a listener whose socket comes from outside.
func checkSocket(l *Listener, p *path, seen map[string]*path, r *report) {
	checkIdle([]string{"address", "reuse_port"}, "where socket is given", p, r)
	at := p.key("socket")
	// systemd.socket(5): FileDescriptorName= takes printable ASCII without a
	// colon, up to 255 characters.
	if !isPrintable(l.Socket) || strings.Contains(l.Socket, ":") || len(l.Socket) > 255 {
		r.at(at, "%s is not a name of FileDescriptorName=: at most 255 printable characters without a colon", quote(l.Socket))
		return
	}
	if first, again := seen[l.Socket]; again {
		r.at(at, "%s is already taken by %s", quote(l.Socket), r.places.line(first))
		return
	}
	seen[l.Socket] = at
}

func checkPrefixes(list []string, p *path, r *report) {
	for i, cidr := range list {
		if msg := badPrefix(cidr); msg != "" && cidr != "" { // checkElements knows ""
			r.at(p.index(i), "%s", msg)
		}
	}
}

// checkTLS checks that the files of a listener can be served.
func checkTLS(t *TLS, p *path, r *report) {
	if !t.Enabled() {
		checkIdle([]string{"min_version", "client_auth", "client_ca_file", "ticket_rotation"}, "without certificates", p, r)
		return
	}
	for i := range t.Certificates {
		c := &t.Certificates[i]
		if c.CertFile == "" || c.KeyFile == "" {
			continue // checkTags says so
		}
		checkPair(c.CertFile, c.KeyFile, "cert_file", "key_file", p.key("certificates").index(i), r)
	}
	switch {
	case t.ClientAuth == ClientAuthNone:
		checkIdle([]string{"client_ca_file"}, "without client_auth", p, r)
	case t.ClientCAFile == "":
		r.at(p.key("client_ca_file"), "is required with client_auth")
	}
	checkRoots(t.ClientCAFile, p.key("client_ca_file"), r)
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
