package config

import "time"

// Listener is one data listener.
type Listener struct {
	// Address is a TCP address, host:port or :port; port 0 lets the system
	// choose. Default ":8080".
	Address string `yaml:"address" default:":8080"`

	// Socket names a listening socket that systemd hands over
	// (FileDescriptorName= of a socket unit), in place of [Listener.Address]:
	// it stays open while the gateway restarts, and clients wait until the new
	// one is ready, for 30s at most. Default "": none.
	Socket string `yaml:"socket"`

	// ReusePort lets several processes listen on the same address, which share
	// the connections among them (SO_REUSEPORT): a new version starts before the
	// old one leaves. A gateway joins when it is ready, after 30s at the latest.
	// Default false.
	ReusePort bool `yaml:"reuse_port"`

	// TrustedProxies lists the CIDRs of the proxies whose X-Forwarded-* and
	// Forwarded fields are believed and extended. Default: none, and those
	// fields of every request are dropped and written anew.
	TrustedProxies []string `yaml:"trusted_proxies"`

	// ProxyProtocol lists the CIDRs of the balancers that begin each connection
	// with a PROXY protocol header, version 1 (in one piece) or 2; one without is
	// closed. Whoever else sends one is refused. Default: none.
	ProxyProtocol []string `yaml:"proxy_protocol"`

	// TLS serves https here. Default: plain http.
	TLS TLS `yaml:"tls"`
}

// Shared tells whether other processes, before or beside this one, serve what
// comes to the listener.
func (l *Listener) Shared() bool { return l.ReusePort || l.Socket != "" }

// TLS configures https on a listener. The files are read again when they
// change.
type TLS struct {
	// Certificates lists the certificates, of which the name that the client
	// asks for (SNI) picks one; the first serves everybody else. Default: none,
	// and the listener serves plain http.
	Certificates []Certificate `yaml:"certificates" items:"1.."`

	// MinVersion is the least TLS version, TLSv1.2 or TLSv1.3. Default "TLSv1.2".
	MinVersion string `yaml:"min_version" default:"TLSv1.2" enum:"TLS version"`

	// ClientAuth is "none" (default), "request" (a client certificate is
	// verified where there is one) or "require".
	ClientAuth string `yaml:"client_auth" default:"none" enum:"client auth"`

	// ClientCAFile holds the roots under which client certificates are
	// verified, in PEM. Required unless [TLS.ClientAuth] is "none". Relative to
	// the configuration file.
	ClientCAFile string `yaml:"client_ca_file"`

	// TicketRotation is how often session tickets get a new key. A ticket is good
	// for two rotations at least and three at most. Default 12h, 10m to 168h.
	TicketRotation time.Duration `yaml:"ticket_rotation" default:"12h" range:"10m..168h"`
}

// Certificate is one certificate and its key.
type Certificate struct {
	// CertFile holds the certificate and its intermediates, in PEM. Required.
	// Relative to the configuration file.
	CertFile string `yaml:"cert_file" required:"yes"`

	// KeyFile holds the private key, in PEM. Required. Relative to the
	// configuration file.
	KeyFile string `yaml:"key_file" required:"yes"`
}

// Enabled tells whether the listener serves https.
func (t *TLS) Enabled() bool { return len(t.Certificates) > 0 }
