package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// exchange is one request and its answer. It is pooled, so that its buffers
// are; nothing of it outlives the answer.
type exchange struct {
	g   *Gateway
	st  *state
	ctx *fasthttp.RequestCtx

	site     *site
	rule     *policy.Rule
	target   wire.Target
	head     head
	claims   *token.Claims
	decision policy.Decision
	// code is why the request was, or under mode observe would have been,
	// refused; refused tells whether there is one.
	code    reject.Code
	refused bool
	outcome metrics.Outcome

	start     time.Time
	mark      time.Time
	elsewhere time.Duration // spent waiting for the upstream
	overhead  time.Duration
	now       time.Time

	out       upstream.Request
	targetBuf []byte
	own       []byte
	requestID []byte
	idBuf     [maxRequestID]byte
	line      accessLine
	// holders counts who still needs the exchange: the handler, and a
	// streamed response. The last one puts it back.
	holders atomic.Int32
}

// The first sizes of an exchange's buffers; they grow to what requests need,
// which the limits on heads bound.
const (
	targetBufSize = 512
	ownBufSize    = 512
)

func newExchangePool() *sync.Pool {
	return &sync.Pool{New: func() any {
		return &exchange{targetBuf: make([]byte, 0, targetBufSize), own: make([]byte, 0, ownBufSize)}
	}}
}

// begin takes an exchange for a request.
func (g *Gateway) begin(ctx *fasthttp.RequestCtx) *exchange {
	x := g.exchanges.Get().(*exchange) //nolint:forcetypeassert // the pool holds nothing else
	x.g, x.st, x.ctx = g, g.state.Load(), ctx
	x.start = time.Now()
	x.mark = x.start
	x.now = x.start
	x.holders.Store(1)
	g.metrics.InFlight.Inc()
	return x
}

// release gives up one hold on the exchange.
func (x *exchange) release() {
	if x.holders.Add(-1) > 0 {
		return
	}
	g := x.g
	g.metrics.InFlight.Dec()
	x.g, x.st, x.ctx, x.site, x.rule, x.claims = nil, nil, nil, nil, nil, nil
	x.target, x.head, x.decision, x.out = wire.Target{}, head{}, policy.Decision{}, upstream.Request{}
	x.code, x.refused, x.outcome = 0, false, metrics.Allowed
	x.elsewhere, x.overhead = 0, 0
	x.requestID = nil
	x.line.reset()
	g.exchanges.Put(x)
}

// stage observes the time since the last stage ended.
func (x *exchange) stage(s metrics.Stage) {
	now := time.Now()
	x.g.metrics.Stage(s, now.Sub(x.mark))
	x.mark = now
}

// refuse notes why the request does not pass.
func (x *exchange) refuse(code reject.Code) bool {
	x.code, x.refused = code, true
	return false
}
