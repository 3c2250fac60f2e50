package upstream

import (
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// streamUntilClose answers a client of HTTP/1.0 with a body of unknown length.
// Such a client (nginx before 1.29 speaks so to what is behind it) cannot read
// chunks, which is all that fasthttp would write: the body ends with the
// connection instead (RFC 9112 section 6.3).
func (b *responseBody) streamUntilClose(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.SetContentLength(-2)
	conn := ctx.Conn()
	idle := b.pool.timeouts.Idle
	takeOver(ctx, idle, func(client net.Conn) {
		b.client = client
		b.extendWrite(time.Now().Add(idle))
		_, err := client.Write(ctx.Response.Header.Header())
		if err == nil {
			_, err = b.WriteTo(client)
		}
		if err != nil {
			abort(conn)
		}
		_ = b.CloseWithError(err)
	}, func() { _ = b.CloseWithError(errAbandoned) })
}
