package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// newRegistry bounds the connections of all data listeners.
func (g *Gateway) newRegistry(sockets *listen.Sockets) *listen.Registry {
	limits := &g.cfg.Limits
	return listen.NewRegistry(listen.Config{
		MaxConnections: limits.Connections,
		MaxPerSource:   limits.ConnectionsPerSource,
		Limits: wire.Limits{
			MaxHeadBytes:   int(limits.HeaderBytes),
			MaxHeaderCount: limits.HeaderCount,
			MaxTargetBytes: int(limits.TargetBytes),
		},
		// How a connection ends is counted where it does.
		Serve:   func(c net.Conn) { _ = g.server.ServeConn(c) },
		Sockets: sockets,
	})
}

// listenerName is what a listener is called in metrics and the log: as it is
// configured, or where the system put it if that was left to it.
func listenerName(c *config.Listener, l *listen.Listener) string {
	_, port, _ := net.SplitHostPort(c.Address)
	switch {
	case c.Socket != "":
		return c.Socket
	case port == "0":
		return l.Addr().String()
	}
	return c.Address
}

// open opens those of the data listeners that are wanted now, the others stay as
// they are. After an error none is left open.
func (g *Gateway) open(wanted func(*config.Listener) bool) error {
	all := make([]*listen.Listener, len(g.cfg.Listen))
	copy(all, g.dataListeners())
	defer g.listeners.Store(&all)
	for i := range g.cfg.Listen {
		c := &g.cfg.Listen[i]
		if !wanted(c) {
			continue
		}
		ln, err := g.listen(c)
		if err != nil {
			for _, l := range all {
				if l != nil {
					_ = l.Close()
				}
			}
			field := "address"
			if c.Socket != "" {
				field = "socket"
			}
			return fmt.Errorf("listen[%d].%s: %w", i, field, err)
		}
		all[i] = ln
	}
	return nil
}

// dataListeners returns the listeners in configured order, nil for one that is
// not open yet. The slice is not to be changed.
func (g *Gateway) dataListeners() []*listen.Listener {
	if all := g.listeners.Load(); all != nil {
		return *all
	}
	return nil
}

func (g *Gateway) listen(c *config.Listener) (*listen.Listener, error) {
	trusted, err := prefixes(c.TrustedProxies)
	if err != nil {
		return nil, err
	}
	balancers, err := prefixes(c.ProxyProtocol)
	if err != nil {
		return nil, err
	}
	cfg := listen.ListenerConfig{
		Address:        c.Address,
		ReusePort:      c.ReusePort,
		TrustedProxies: trusted,
		Proxy:          listen.ProxyProtocol{From: balancers},
		TLS:            listenTLS(&c.TLS),
	}
	if c.Socket != "" {
		cfg.Address, cfg.Inherited = "", c.Socket
	}
	return g.conns.Listen(context.Background(), cfg)
}

var (
	tlsVersions = map[string]uint16{config.TLS12: tls.VersionTLS12, config.TLS13: tls.VersionTLS13}
	clientAuths = map[string]listen.ClientAuth{
		config.ClientAuthNone:    listen.NoClientCertificate,
		config.ClientAuthRequest: listen.RequestClientCertificate,
		config.ClientAuthRequire: listen.RequireClientCertificate,
	}
)

// listenTLS returns nil for plain http.
func listenTLS(c *config.TLS) *listen.TLS {
	if !c.Enabled() {
		return nil
	}
	t := &listen.TLS{
		MinVersion:     tlsVersions[c.MinVersion],
		ClientAuth:     clientAuths[c.ClientAuth],
		ClientCAFile:   c.ClientCAFile,
		TicketRotation: c.TicketRotation,
	}
	for _, pair := range c.Certificates {
		t.Certificates = append(t.Certificates, listen.CertificateFiles{Cert: pair.CertFile, Key: pair.KeyFile})
	}
	return t
}

func prefixes(list []string) ([]netip.Prefix, error) {
	all := make([]netip.Prefix, len(list))
	for i, cidr := range list {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil {
			return nil, err
		}
		all[i] = prefix.Masked()
	}
	return all, nil
}

// watchCertificates reads a listener's certificates again when they change, and
// rotates the keys of its session tickets.
func (g *Gateway) watchCertificates(l *listen.Listener, name string) {
	l.Run(g.base, func(err error) {
		if err != nil {
			g.log.Error("certificate not reloaded; the one before stays", "listener", name, "error", err.Error())
			return
		}
		g.log.Info("certificates reloaded", "listener", name)
	})
}

// trusted reports whether the listener that accepted the connection believes
// what its peer says of clients behind it.
func trusted(c net.Conn) bool {
	conn := listen.Of(c)
	return conn != nil && conn.TrustsProxy()
}
