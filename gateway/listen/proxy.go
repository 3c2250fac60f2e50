package listen

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// ProxyProtocol says which peers state in a PROXY header, version 1 or 2, whose
// connection they pass on.
type ProxyProtocol struct {
	// From lists the networks of those peers. From any other peer a header is
	// bytes like any, which are no HTTP. Optional. Default: none.
	From []netip.Prefix

	// Optional lets those peers leave the header out, and then speak for
	// themselves. Default false: without one they are cut off.
	Optional bool
}

// headerBuffer holds a header of version 1 whole (107 bytes), as the parser
// needs it.
const headerBuffer = 256

// readHeader reads the PROXY header, of which nothing may have come yet: then it
// fails with a timeout and can be called again. A refused connection ends in
// io.EOF, to which a server answers nothing: who does not speak the protocol
// would not understand it.
func (c *Conn) readHeader() error {
	awaits := c.awaits.Load()
	if c.rest == nil {
		c.rest = bufio.NewReaderSize(socketReader{c}, headerBuffer)
	}
	if _, err := c.rest.Peek(1); err != nil {
		return err
	}
	origin, err := parseHeader(c.rest, c.listener.cfg.Proxy.Optional)
	c.headerDue = false
	if c.rest.Buffered() == 0 {
		c.rest = nil
	}
	switch {
	case err != nil:
		return c.refuse(RefusedProxyHeader)
	case origin == nil:
		// The proxy's own connection, a health check say: nobody's source.
	case !c.countSource(addressOf(origin)):
		return c.refuse(RefusedSource)
	default:
		c.origin.Store(origin)
	}
	if awaits {
		c.awaits.Store(true) // the request itself is still to come
	}
	return nil
}

func (c *Conn) refuse(why Refusal) error {
	c.registry.refused[why].Add(1)
	c.headerErr, c.rest = io.EOF, nil
	return c.headerErr
}

// errHeader is any fault of a header; nobody is told more.
var errHeader = errors.New("listen: PROXY header refused")

// parseHeader reads a header and returns whom it names, nil if it names nobody:
// LOCAL and UNKNOWN, or none where it is optional. Of r it reads nothing beyond.
func parseHeader(r *bufio.Reader, optional bool) (*net.TCPAddr, error) {
	h, err := proxyproto.Read(r)
	switch {
	case errors.Is(err, proxyproto.ErrNoProxyProtocol) && optional:
		return nil, nil
	case err != nil:
		return nil, errHeader
	case h.Command.IsLocal():
		return nil, nil
	}
	// A datagram or a unix socket has no client that the gateway could name.
	origin, ok := h.SourceAddr.(*net.TCPAddr)
	if !ok || !addressOf(origin).IsValid() {
		return nil, errHeader
	}
	return origin, nil
}

// socketReader reads a Conn's socket.
type socketReader struct{ c *Conn }

func (s socketReader) Read(p []byte) (int, error) { return s.c.readSocket(p) }
