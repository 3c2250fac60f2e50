package upstream

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// streamUntilClose answers a client of HTTP/1.0 with a body of unknown length.
// Such a client (nginx before 1.29 speaks so to what is behind it) cannot read
// chunks, which is all that fasthttp would write: the body ends with the
// connection instead (RFC 9112 section 6.3).
func (b *responseBody) streamUntilClose(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.SetContentLength(-2)
	// Where fasthttp fails to write an earlier answer it never calls what is
	// hijacking, and says so to nobody.
	taken := new(atomic.Bool)
	abandon := time.AfterFunc(b.pool.timeouts.Idle, func() {
		if taken.CompareAndSwap(false, true) {
			_ = b.CloseWithError(errAbandoned)
		}
	})
	conn := ctx.Conn()
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(client net.Conn) {
		if !taken.CompareAndSwap(false, true) {
			abort(conn)
			return
		}
		abandon.Stop()
		b.client = client
		_ = client.SetWriteDeadline(time.Now().Add(b.pool.timeouts.Idle))
		// ctx lives until this returns, and the caller of Do has had its chance
		// to add fields.
		_, err := client.Write(ctx.Response.Header.Header())
		if err == nil {
			_, err = b.WriteTo(client)
		}
		if err != nil {
			abort(conn)
		}
		_ = b.CloseWithError(err)
	})
}

// abort closes the TCP connection below c with a reset: a body that ends with
// the connection has no other sign of being cut short. Closing c itself would
// end TLS in order.
func abort(c net.Conn) {
	for c != nil {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
			_ = tcp.Close()
			return
		}
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			_ = c.Close()
			return
		}
		c = inner.NetConn()
	}
}
