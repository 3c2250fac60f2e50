package upstream

import (
	"bufio"
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// Observer learns how a streamed response ended.
type Observer interface {
	// ResponseDone is called once, after the last byte of a streamed body was
	// handed to the connection to the client, or the exchange broke off: err is
	// nil only in the former case. sent counts body bytes.
	ResponseDone(sent int64, err error)
}

// Timeouts bounds an exchange. All but Total are required.
type Timeouts struct {
	// Connect bounds dialling, FirstByte the wait for a whole response head,
	// Idle each read and write of a body, on either side, and the wait for a
	// short response body as a whole.
	Connect, FirstByte, Idle time.Duration
	// Total bounds an exchange as a whole, from the choice of an upstream to
	// the last byte that comes from it, second tries included; tunnels only up
	// to the change of the protocol. 0 is no bound.
	Total time.Duration
}

// exchange sends r over c and reads the response into ctx.Response. It reports
// whether the body streams, or the connection became a tunnel; in both cases c
// belongs to that, otherwise c has gone back to its pool. Nothing is ever sent
// twice.
func (p *Pool) exchange(ctx *fasthttp.RequestCtx, r *Request, n *nominations, c *conn, done Observer) (bool, error) {
	r.upgrade = r.wantedUpgrade(ctx, n)
	if r.upgrade != "" && !r.Streaming.Tunnels.reserve() {
		p.release(c, false)
		return false, ErrTunnels
	}
	r.upgraded = false
	streams, err := p.send(ctx, r, n, c, done)
	if r.upgrade != "" && !r.upgraded {
		r.Streaming.Tunnels.free()
	}
	return streams, err
}

func (p *Pool) send(ctx *fasthttp.RequestCtx, r *Request, n *nominations, c *conn, done Observer) (bool, error) {
	now := time.Now()
	if c.checked.Expect(r.Method, r.upgrade != "") != nil || c.SetWriteDeadline(now.Add(p.timeouts.Idle)) != nil {
		p.release(c, true)
		return false, ErrClosed
	}
	if r.UpstreamHost {
		r.Host = p.host
	}
	_, _ = c.bw.Write(r.appendHead(c.bw.AvailableBuffer(), n)) // an error comes again at Flush
	var err error
	if r.ContentLength == NoBody || r.ContentLength == 0 {
		err = c.bw.Flush()
	} else {
		err = r.sendBody(ctx, c, p.timeouts.Idle)
		now = time.Now()
	}
	c.in.attend(ctx.Conn())
	switch {
	case errors.Is(err, ErrRequestBody), errors.Is(err, ErrBodyTooLarge):
		p.release(c, true)
		return false, err
	case err != nil:
		// An upstream may refuse a body that it has not read (RFC 9112 section
		// 9.5). Its answer is there already or never comes, and its connection
		// is in the middle of a request.
		_ = c.extendRead(time.Now(), min(p.timeouts.FirstByte, time.Second))
		return p.response(ctx, r, c, true, done)
	}
	_ = c.extendRead(now, p.timeouts.FirstByte)
	return p.response(ctx, r, c, false, done)
}

// response reads a response head into ctx.Response, and its body where that is
// short or already there. last says that c is not to be used again.
func (p *Pool) response(ctx *fasthttp.RequestCtx, r *Request, c *conn, last bool, done Observer) (bool, error) {
	resp := &ctx.Response
	head, err := c.readHead(&resp.Header, r)
	if err != nil {
		p.release(c, true)
		return false, responseError(err, c)
	}
	last = last || head.closeAfter
	switch {
	case head.status == fasthttp.StatusSwitchingProtocols:
		if err := p.tunnel(ctx, r, c, done); err != nil {
			p.release(c, true)
			return false, err
		}
		return true, nil
	case ctx.IsHead(), head.status == fasthttp.StatusNoContent, head.status == fasthttp.StatusNotModified:
		resp.SkipBody = true
	case head.length >= 0 && head.length <= readBuffer:
		err = c.takeShort(resp, int(head.length), p.timeouts.Idle)
	case head.length == lengthChunked && c.whole():
		err = c.takeChunked(resp)
	case head.length == lengthChunked && c.broken():
		// Nothing of it has gone to the client yet.
		err = ErrResponse
	default:
		p.stream(ctx, r, c, head.length, last, done)
		return true, nil
	}
	p.release(c, last || err != nil)
	return false, err
}

// release gives c back to the pool, or closes it where this was its last
// exchange.
func (p *Pool) release(c *conn, last bool) {
	c.in.attend(nil)
	if last {
		p.drop(c)
	} else {
		p.put(c, time.Now())
	}
}

// takeShort moves a body of n bytes, at most readBuffer, into resp. Waiting for
// what is not there yet costs less than streaming it, and a body that breaks off
// can still be answered with an error.
func (c *conn) takeShort(resp *fasthttp.Response, n int, idle time.Duration) error {
	if n > c.br.Buffered() {
		_ = c.extendRead(time.Now(), idle)
	}
	body, err := c.br.Peek(n)
	switch {
	case errors.Is(err, ErrClientGone):
		return ErrClientGone
	case err != nil && isTimeout(err):
		return ErrTimeout
	case err != nil:
		return ErrResponse
	}
	resp.SetBody(body)
	_, err = c.br.Discard(n)
	return err
}

// stream makes the rest of what comes on c the body of ctx.Response.
func (p *Pool) stream(ctx *fasthttp.RequestCtx, r *Request, c *conn, length int64, last bool, done Observer) {
	b := newResponseBody(p, c, length, last, done)
	b.client = ctx
	b.faulty = p.group.faulty(ctx.Response.StatusCode())
	b.pace.rate = r.Streaming.responseRate()
	if isEvents(ctx.Response.Header.ContentType()) {
		b.until = r.Until
		b.events = r.Streaming.events(ctx.Conn(), c, done)
	}
	if length < 0 && !ctx.Request.Header.IsHTTP11() {
		b.streamUntilClose(ctx)
		return
	}
	ctx.Response.SetBodyStream(b, int(max(length, -1)))
	// A slow stream (server-sent events) must not keep its head waiting.
	ctx.Response.ImmediateHeaderFlush = c.br.Buffered() == 0
}

// responseError names what went wrong before a response head was there.
func responseError(err error, c *conn) error {
	switch {
	case errors.Is(err, ErrClientGone):
		return ErrClientGone
	case isTimeout(err):
		return ErrTimeout
	case errors.Is(err, ErrResponse), errors.Is(err, bufio.ErrBufferFull), c.checked.Refusal() != nil:
		return ErrResponse
	}
	return ErrClosed
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
