package wire

import "net"

// listener wraps what an inner listener accepts.
type listener struct {
	net.Listener
	lim Limits
}

// NewListener returns a listener whose connections are checked: a
// [*TLSServerConn] where ln accepts a [TLSConn], a [*ServerConn] otherwise. TLS
// and PROXY protocol listeners belong inside, since the checks apply to the
// HTTP bytes. fasthttp's Server.TCPKeepalive has no effect on wrapped
// connections: set it in the net.ListenConfig.
func NewListener(ln net.Listener, lim Limits) net.Listener {
	return &listener{Listener: ln, lim: lim}
}

// Accept waits for the next connection and wraps it.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if t, ok := c.(TLSConn); ok {
		return NewTLSServerConn(t, l.lim), nil
	}
	return NewServerConn(c, l.lim), nil
}
