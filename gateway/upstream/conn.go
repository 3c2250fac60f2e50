package upstream

import (
	"bufio"
	"net"
	"time"

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
	br      *bufio.Reader
	bw      *bufio.Writer
	probe   *probe
	shard   int
}

func newConn(c net.Conn, shard int) *conn {
	checked := wire.NewClientConn(c, wire.Limits{MaxHeadBytes: readBuffer, MaxHeaderCount: maxResponseFields})
	return &conn{
		Conn:    checked,
		checked: checked,
		br:      bufio.NewReaderSize(checked, readBuffer),
		bw:      bufio.NewWriterSize(checked, writeBuffer),
		probe:   newProbe(c),
		shard:   shard,
	}
}

// reusable reports whether the last response was read to its end and nothing
// came after it.
func (c *conn) reusable() bool { return c.br.Buffered() == 0 && c.checked.Idle() }

// fresh reports whether a kept connection can carry another exchange: it is
// open, and nothing came on it that nobody asked for. Its read deadline must lie
// in the future.
func (c *conn) fresh() bool { return c.probe.quietNow() }

// extendRead gives the upstream d from now for its next byte.
func (c *conn) extendRead(now time.Time, d time.Duration) error {
	return c.SetReadDeadline(now.Add(d))
}

// whole reports whether the response that is being read has arrived to its end,
// so that what is left of it is in the reader's buffer.
func (c *conn) whole() bool { return c.checked.Idle() }
