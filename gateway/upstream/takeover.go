package upstream

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// takeOver makes run, instead of fasthttp, answer the request and everything
// after it: it runs in a goroutine of its own when earlier answers are written,
// and the connection is closed when it returns. Where fasthttp fails to write an
// earlier answer it never calls what is hijacking, and says so to nobody: then,
// after within, abandoned is called instead of run.
//
// ctx lives until run returns, and run sees what the caller of Do added to the
// response.
func takeOver(ctx *fasthttp.RequestCtx, within time.Duration, run func(client net.Conn), abandoned func()) {
	taken := new(atomic.Bool)
	abandon := time.AfterFunc(within, func() {
		if taken.CompareAndSwap(false, true) {
			abandoned()
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
		run(client)
	})
}

// abort closes the TCP connection below c with a reset: a body that ends with
// the connection has no other sign of being cut short. Closing c itself would
// end TLS in order.
func abort(c net.Conn) {
	if tcp, ok := connBelow[*net.TCPConn](c); ok {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
		return
	}
	_ = c.Close()
}
