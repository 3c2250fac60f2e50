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
	// until ends the body before its time; zero is never.
	until  time.Time
	pace   pace // of the client
	sent   int64
	err    error
	broken bool         // by the upstream
	faulty bool         // its status speaks against the upstream
	events *eventStream // nil for what cannot be ended from outside
	done   Observer
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
			if werr := b.write(w, buf[:n]); werr != nil {
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

// write hands part to the client, which has to take it fast enough where the
// site asks for a rate.
func (b *responseBody) write(w io.Writer, part []byte) error {
	if b.pace.rate.BytesPerSecond <= 0 {
		_, err := w.Write(part)
		return err
	}
	idle, before := b.pool.timeouts.Idle, time.Now()
	patience := b.pace.patience(idle)
	b.extendWrite(b.noLaterThanUntil(before, patience))
	_, err := w.Write(part)
	waited := time.Since(before)
	if err != nil && patience < idle && waited >= patience || !b.pace.moved(len(part), waited) {
		return ErrReaderSlow
	}
	return err
}

// Read implements io.Reader. The upstream gets its idle time to send, and the
// client then its own to take what came.
func (b *responseBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.events.stopping() {
		b.err = ErrTunnelClosed
		return 0, b.err
	}
	idle, now := b.pool.timeouts.Idle, time.Now()
	_ = b.c.extendRead(now, b.noLaterThanUntil(now, idle).Sub(now))
	n, err := b.src.Read(p)
	b.sent += int64(n)
	now = time.Now()
	if err == nil && b.expired(now) {
		err = ErrExpired
	}
	b.extendWrite(b.noLaterThanUntil(now, idle))
	if err != nil {
		if isTimeout(err) && b.expired(now) {
			err = ErrExpired
		}
		b.err = b.end(err)
		b.broken = !errors.Is(b.err, io.EOF) && !errors.Is(b.err, ErrExpired) && !errors.Is(b.err, ErrClientGone) &&
			!errors.Is(b.err, ErrTunnelClosed)
	}
	return n, b.err
}

// extendWrite gives the client until limit to take what comes next, or little
// where the body is being ended.
func (b *responseBody) extendWrite(limit time.Time) {
	_ = b.client.SetWriteDeadline(limit)
	// In this order: a stop that is not seen here comes later, and sets its own.
	if b.events.stopping() {
		_ = b.client.SetWriteDeadline(time.Now().Add(lastWrite))
	}
}

// noLaterThanUntil returns when d from now have passed, or until where that is
// sooner.
func (b *responseBody) noLaterThanUntil(now time.Time, d time.Duration) time.Time {
	limit := now.Add(d)
	if !b.until.IsZero() && b.until.Before(limit) {
		return b.until
	}
	return limit
}

func (b *responseBody) expired(now time.Time) bool { return !b.until.IsZero() && !now.Before(b.until) }

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
	// First: nobody may stop what belongs to others already.
	stopped := b.events.leave()
	b.settle()
	b.pool.release(b.c, !b.ended() || b.closeAfter || stopped)
	switch {
	case b.ended():
	case stopped:
		err = ErrTunnelClosed
	case b.err != nil:
		err = b.err
	case err == nil:
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

// settle tells what the end of the body says about the upstream.
func (b *responseBody) settle() {
	o := neither
	switch {
	case b.broken:
		o = bad
	case b.ended() && b.faulty:
		o = unwell
	case b.ended():
		o = good
	}
	b.pool.settle(&b.c.lease, o)
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
