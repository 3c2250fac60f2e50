package gateway

import (
	"errors"
	"log/slog"
	"math"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// newServer sets fasthttp up as a gateway needs it: bodies streamed, nothing
// added to responses, nothing of a request in its log.
func (g *Gateway) newServer() *fasthttp.Server {
	limits := &g.cfg.Limits
	return &fasthttp.Server{
		Handler:      g.handle,
		ErrorHandler: g.refuseUnread,
		// Asked before a 100 Continue is sent.
		ExpectHandler: g.expect,

		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		// Bodies are bounded by site, while they stream.
		MaxRequestBodySize: math.MaxInt,
		// One more than the bound, so that package wire meets it first.
		ReadBufferSize: int(limits.HeaderBytes) + 1,
		// Bounds the head; a body's reads each get a time of their own.
		ReadTimeout: limits.HeaderTimeout,
		IdleTimeout: limits.IdleTimeout,
		// The stacks of a surge are given back soon after it.
		MaxIdleWorkerDuration: 2 * time.Second,
		// Bounds a response that does not stream; a stream's writes each get
		// a time of their own.
		WriteTimeout: limits.IdleTimeout,
		// Nobody asks for it: an exchange reads the clock itself.
		LazyRequestTime: true,
		// The listener bounds the connections.
		Concurrency: limits.Connections + 1,

		NoDefaultServerHeader: true,
		NoDefaultDate:         true,
		NoDefaultContentType:  true,
		CloseOnShutdown:       true,

		SecureErrorLogMessage: true,
		Logger:                serverLog{g.log},
	}
}

// refuseUnread answers a request that could not be read. The connection is
// closed after it: nothing behind it can be trusted to be a request.
func (g *Gateway) refuseUnread(ctx *fasthttp.RequestCtx, err error) {
	x := g.begin(ctx)
	defer x.end()
	x.requestID = appendRandomHex(x.idBuf[:0], 16)
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		x.refuse(g.wireFault(refusal))
	} else {
		x.refuse(reject.FromServer(err))
	}
	x.answer()
	ctx.SetConnectionClose()
}

// countFraming counts a refusal of package wire.
func (g *Gateway) countFraming(err error) {
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		g.metrics.WireRefused(refusal.Reason.String())
	}
}

// wireFault counts a framing refusal and gives it its code.
func (g *Gateway) wireFault(e *wire.Error) reject.Code {
	g.countFraming(e)
	switch e.Status {
	case fasthttp.StatusRequestURITooLong:
		return reject.TargetTooLong
	case fasthttp.StatusRequestHeaderFieldsTooLarge:
		return reject.HeaderTooLarge
	case fasthttp.StatusRequestEntityTooLarge:
		return reject.BodyTooLarge
	case fasthttp.StatusExpectationFailed:
		return reject.ExpectationFailed
	case fasthttp.StatusHTTPVersionNotSupported:
		return reject.HTTPVersionUnsupported
	case fasthttp.StatusNotImplemented:
		if errors.Is(e, wire.ErrMethodRefused) {
			return reject.MethodNotSupported
		}
		return reject.TransferEncodingUnsupported
	}
	return reject.RequestMalformed
}

// serverLog takes fasthttp's complaints. Their text may quote what a client
// sent, so only the fact is logged, and only for debugging.
type serverLog struct{ log *slog.Logger }

// Printf implements fasthttp.Logger.
func (l serverLog) Printf(format string, _ ...any) { l.log.Debug("http server", "complaint", format) }
