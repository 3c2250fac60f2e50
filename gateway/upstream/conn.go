package upstream

import (
	"bufio"
	"errors"
	"net"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/socket"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

const (
	// readBuffer bounds the head of a response, which is parsed only when it
	// stands in the reader's buffer as a whole, and a body that is not streamed.
	readBuffer = 16 << 10
	// writeBuffer holds most request heads, so that they leave in one write.
	writeBuffer = 8 << 10
)

// conn is one connection to an upstream, used for one exchange at a time.
type conn struct {
	net.Conn
	checked *wire.ClientConn
	in      waiter // what br reads from
	br      *bufio.Reader
	bw      *bufio.Writer
	link    link
	probe   *probe // of a connection without TLS
	shard   int
	// once says that the connection speaks for one client and is not kept.
	once bool

	// What follows concerns the present exchange.

	// reused says that the connection was kept from an earlier exchange.
	reused bool
	lease  lease
	// until is when the exchange has to be over, zero for no bound.
	until time.Time
}

func newConn(l link, shard int) *conn {
	outer := l.Conn
	if l.tls == nil {
		outer = socket.New(l.Conn)
	}
	checked := wire.NewClientConn(outer, wire.Limits{MaxHeadBytes: readBuffer, MaxHeaderCount: maxResponseFields})
	c := &conn{
		Conn:    checked,
		checked: checked,
		in:      waiter{from: checked},
		bw:      bufio.NewWriterSize(checked, writeBuffer),
		link:    l,
		shard:   shard,
	}
	c.br = bufio.NewReaderSize(&c.in, readBuffer)
	if l.tls == nil {
		c.probe = newProbe(l.socket)
	}
	return c
}

// reusable reports whether the last response was read to its end and nothing
// came after it.
func (c *conn) reusable() bool { return !c.once && c.br.Buffered() == 0 && c.checked.Idle() }

// fresh reports whether a kept connection can carry another exchange: it is
// open, and nothing came on it that nobody asked for. Its read deadline must lie
// in the future.
func (c *conn) fresh() bool {
	if c.link.tls == nil {
		return c.probe.quietNow()
	}
	_ = c.extendWrite(time.Now(), time.Second)
	return c.link.records.quiet(c.link.tls)
}

// extendRead gives the upstream d from now for its next byte.
func (c *conn) extendRead(now time.Time, d time.Duration) error {
	return c.in.extend(now, c.bounded(now.Add(d)))
}

// extendWrite gives the upstream d from now to take the next bytes.
func (c *conn) extendWrite(now time.Time, d time.Duration) error {
	return c.SetWriteDeadline(now.Add(d))
}

// SetReadDeadline implements net.Conn, within the bound of the exchange.
func (c *conn) SetReadDeadline(t time.Time) error { return c.Conn.SetReadDeadline(c.bounded(t)) }

// SetWriteDeadline implements net.Conn, within the bound of the exchange.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(c.bounded(t)) }

// SetDeadline implements net.Conn, within the bound of the exchange.
func (c *conn) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(c.bounded(t)) }

func (c *conn) bounded(t time.Time) time.Time {
	if !c.until.IsZero() && (t.IsZero() || t.After(c.until)) {
		return c.until
	}
	return t
}

// unbound lifts the bound of the exchange: a tunnel lasts for as long as both
// ends use it.
func (c *conn) unbound() { c.until = time.Time{} }

// whole reports whether the response that is being read has arrived to its end,
// so that what is left of it is in the reader's buffer.
func (c *conn) whole() bool { return c.checked.Idle() }

// cut closes the socket without a word: the farewell of TLS would wait for an
// upstream that takes no more bytes.
func (c *conn) cut() { _ = c.link.socket.Close() }

// broken reports whether what has arrived of the response cannot be read in one
// way only. Surplus behind a whole response is not meant.
func (c *conn) broken() bool {
	refusal := c.checked.Refusal()
	return refusal != nil && !errors.Is(refusal, wire.ErrSurplus)
}
