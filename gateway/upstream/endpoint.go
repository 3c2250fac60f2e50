package upstream

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"github.com/pires/go-proxyproto"
)

// Endpoint is one configured upstream.
type Endpoint struct {
	// Name tells the upstream apart in Stats. Default Address.
	Name string
	// Network is "tcp" or "unix". Default "tcp".
	Network string
	// Address is host:port, or the path of a socket. A host that is a name is
	// looked up again while Group.Run runs, except localhost. Required.
	Address string
	// Host is the authority that goes out under Request.UpstreamHost. Default
	// the Address without its scheme's port, "localhost" for a socket.
	Host string
	// TLS makes the connections speak TLS. Its ServerName defaults to the host
	// of Address and its MinVersion to 1.2; the only protocol offered is
	// http/1.1. It is copied. Nil is plain HTTP; there is no falling back from
	// one to the other.
	TLS *tls.Config
	// SendProxy is the version of the PROXY protocol header, 1 or 2, that tells
	// the upstream who its client is. Default 0, none. A header speaks for a
	// whole connection, so such a connection carries one exchange and is never
	// kept.
	SendProxy int
}

// sessions bounds the TLS sessions that are kept for resumption, for each
// upstream.
const sessions = 64

// complete fills in the defaults.
func (e Endpoint) complete() Endpoint {
	if e.Network == "" {
		e.Network = "tcp"
	}
	if e.Name == "" {
		e.Name = e.Address
	}
	defaultPort := ":80"
	if e.TLS != nil {
		defaultPort = ":443"
		e.TLS = e.TLS.Clone()
		e.TLS.NextProtos = []string{"http/1.1"}
		if e.TLS.ServerName == "" {
			e.TLS.ServerName = e.hostname()
		}
		if e.TLS.MinVersion == 0 {
			e.TLS.MinVersion = tls.VersionTLS12
		}
		if e.TLS.ClientSessionCache == nil {
			e.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(sessions)
		}
	}
	switch {
	case e.Host != "":
	case e.Network == "unix":
		e.Host = "localhost"
	default:
		// RFC 9110 section 4.2.3: the default port is left out.
		e.Host = strings.TrimSuffix(e.Address, defaultPort)
	}
	return e
}

// hostname is the host of the address, empty for a socket.
func (e *Endpoint) hostname() string {
	if e.Network == "unix" {
		return ""
	}
	host, _, err := net.SplitHostPort(e.Address)
	if err != nil {
		return e.Address
	}
	return host
}

// link is an open connection to an upstream, in its layers.
type link struct {
	net.Conn
	// socket is the lowest layer; tls and records are nil on a plain one.
	socket  net.Conn
	tls     *tls.Conn
	records *records
}

// dial opens a connection to address, which is e's or one that its name
// resolved to. The TLS handshake is within the deadline of ctx. from and to are
// the two ends of the client's connection, told where SendProxy says so; nil
// stands for no client.
func (e *Endpoint) dial(ctx context.Context, open Dialer, address string, from, to net.Addr) (link, error) {
	socket, err := open(ctx, e.Network, address)
	if err != nil {
		return link{}, err
	}
	if e.SendProxy != 0 {
		if err := sendProxy(ctx, socket, byte(e.SendProxy), from, to); err != nil {
			_ = socket.Close()
			return link{}, err
		}
	}
	if e.TLS == nil {
		return link{Conn: socket, socket: socket}, nil
	}
	below := newRecords(socket)
	above := tls.Client(below, e.TLS)
	if err := above.HandshakeContext(ctx); err != nil {
		_ = socket.Close()
		return link{}, &handshakeError{err}
	}
	return link{Conn: above, socket: socket, tls: above, records: below}, nil
}

func sendProxy(ctx context.Context, c net.Conn, version byte, from, to net.Addr) error {
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.SetWriteDeadline(deadline)
	}
	_, err := proxyproto.HeaderProxyFromAddrs(version, from, to).WriteTo(c)
	_ = c.SetWriteDeadline(time.Time{})
	return err
}
