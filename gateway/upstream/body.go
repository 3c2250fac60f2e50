package upstream

import (
	"bufio"
	"errors"
	"io"
	"net/http/httputil"
	"sync"
	"time"
)

// writeDeadliner is the client's side of a response: fasthttp's RequestCtx, or
// a hijacked connection.
type writeDeadliner interface {
	SetWriteDeadline(t time.Time) error
}

// responseBody streams an upstream's response body. fasthttp takes it while it
// writes the response, and closes it whatever becomes of that.
type responseBody struct {
	client writeDeadliner
	pool   *Pool
	c      *conn
	src    io.Reader
	fixed  io.LimitedReader
	length int64
	// closeAfter says that the connection is not to be kept.
	closeAfter bool
	sent       int64
	err        error
	done       Observer
}

var responseBodies = sync.Pool{New: func() any { return new(responseBody) }}

func newResponseBody(p *Pool, c *conn, length int64, closeAfter bool, done Observer) *responseBody {
	b := responseBodies.Get().(*responseBody) //nolint:forcetypeassert // the pool holds nothing else
	b.pool, b.c, b.length, b.closeAfter, b.done = p, c, length, closeAfter, done
	switch length {
	case lengthChunked:
		b.src = httputil.NewChunkedReader(c.br)
	case lengthUnknown:
		b.src = c.br
		b.closeAfter = true
	default:
		b.fixed = io.LimitedReader{R: c.br, N: length}
		b.src = &b.fixed
	}
	return b
}

// SupportsBodyWriteTo makes fasthttp use WriteTo, which moves parts of
// copyBuffer bytes instead of its own of 4 KiB.
func (b *responseBody) SupportsBodyWriteTo() bool { return true }

// WriteTo implements io.WriterTo: what arrives is written at once. A body that
// breaks off is an error, never a short body that looks whole.
func (b *responseBody) WriteTo(w io.Writer) (int64, error) {
	buf := copyBuffers.Get().(*[copyBuffer]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer copyBuffers.Put(buf)
	before := b.sent
	for b.sent != b.length {
		n, err := b.Read(buf[:])
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				b.err = werr
				return b.sent - before, werr
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return b.sent - before, err
		}
	}
	return b.sent - before, nil
}

// Read implements io.Reader. The upstream gets its idle time to send, and the
// client then its own to take what came.
func (b *responseBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	idle := b.pool.timeouts.Idle
	_ = b.c.extendRead(time.Now(), idle)
	n, err := b.src.Read(p)
	b.sent += int64(n)
	_ = b.client.SetWriteDeadline(time.Now().Add(idle))
	if err != nil {
		b.err = b.end(err)
	}
	return n, b.err
}

// end tells a body's end from a body that broke off.
func (b *responseBody) end(err error) error {
	// wire reports io.EOF at the end of a body only.
	if errors.Is(err, io.EOF) && b.length == lengthChunked {
		if trailerErr := skipTrailers(b.c.br); trailerErr != nil {
			return trailerErr
		}
	}
	return err
}

// ended reports whether the body was read to its end.
func (b *responseBody) ended() bool { return b.sent == b.length || errors.Is(b.err, io.EOF) }

// CloseWithError implements fasthttp's ReadCloserWithError: it gives the
// connection back, or closes it where the body was not read to its end, and
// tells the observer.
func (b *responseBody) CloseWithError(err error) error {
	if b.ended() && !b.closeAfter {
		b.pool.put(b.c, time.Now())
	} else {
		b.pool.drop(b.c)
	}
	if err == nil && !b.ended() {
		// fasthttp closes what it could not begin to write without an error.
		err = errAbandoned
	}
	done, sent := b.done, b.sent
	*b = responseBody{}
	responseBodies.Put(b)
	if done != nil {
		done.ResponseDone(sent, err)
	}
	return nil
}

// skipTrailers reads the trailer section of a chunked response (RFC 9112
// section 7.1.2), which is not passed on. Package wire has bounded it.
func skipTrailers(br *bufio.Reader) error {
	for {
		line, err := br.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case len(line) <= len(crlf):
			return nil
		}
	}
}
