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
	held     token.Claims // what claims points to, where a verdict was kept
	key      *token.Key   // that signed them; nil where their issuer was asked
	until    time.Time    // from when on the credential proves nothing; zero for none
	decision policy.Decision
	// code is why the request was, or under mode observe would have been,
	// refused; refused tells whether there is one.
	code    reject.Code
	refused bool
	// retryAfter is when it is worth trying again, in seconds; 0 is what the
	// code says.
	retryAfter int
	outcome    metrics.Outcome
	// rehearsal says that the request may pass, but not yet: it will be decided
	// about again (expect.go).
	rehearsal bool

	start     time.Time
	mark      time.Duration // after start, when the last stage ended
	elsewhere time.Duration // spent waiting for the upstream
	overhead  time.Duration
	now       time.Time

	entered bool      // it counts among the site's requests in flight
	turn    time.Time // since when it holds a turn to verify; zero for none

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
	x.g, x.st, x.ctx = g, g.enter(ctx.ConnID()), ctx
	x.start = time.Now()
	x.mark = 0
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
	x.g, x.st, x.ctx, x.site, x.rule, x.claims, x.key = nil, nil, nil, nil, nil, nil, nil
	x.held = token.Claims{}
	x.target, x.head, x.decision, x.out = wire.Target{}, head{}, policy.Decision{}, upstream.Request{}
	x.code, x.refused, x.outcome, x.rehearsal = 0, false, metrics.Allowed, false
	x.elsewhere, x.overhead, x.retryAfter = 0, 0, 0
	x.requestID, x.until = nil, time.Time{}
	x.line.reset()
	g.exchanges.Put(x)
}

// stage observes the time since the last stage ended.
func (x *exchange) stage(s metrics.Stage) {
	now := time.Since(x.start)
	x.g.metrics.Stage(s, now-x.mark)
	x.mark = now
}

// refuse notes why the request does not pass.
func (x *exchange) refuse(code reject.Code) bool {
	x.code, x.refused = code, true
	return false
}
