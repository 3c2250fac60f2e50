package gateway

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// identify carries the client's request id on, where it is a plain one, or
// makes one.
func (x *exchange) identify() {
	if validRequestID(x.head.requestID) {
		x.requestID = append(x.idBuf[:0], x.head.requestID...)
		return
	}
	x.requestID = appendRandomHex(x.idBuf[:0], 16)
}

// forward takes the admitted request to an upstream.
func (x *exchange) forward() bool {
	header := &x.ctx.Request.Header
	peer := peerAddress(x.ctx.RemoteAddr())
	// On a public route nobody has looked at the credential, and of two fields
	// only the one that was verified goes on. Under mode observe the upstream
	// still judges for itself, so it gets what was refused, too.
	forward := x.site.forwardCredential && x.rule.Access == policy.Require
	x.out = upstream.Request{
		Method:               header.Method(),
		Path:                 x.target.Path,
		Query:                x.target.Query,
		HasQuery:             x.target.HasQuery,
		Host:                 header.Host(),
		UpstreamHost:         x.site.upstreamHost,
		ClientHost:           header.Host(),
		Fields:               header.RawHeaders(),
		Own:                  x.ownFields(),
		Client:               peer,
		Secure:               x.ctx.IsTLS(),
		TrustProxy:           trusted(x.ctx.Conn()),
		ForwardAuthorization: forward && (x.head.bearer || x.refused),
		ForwardCookie:        forward,
		CredentialCookie:     x.site.cookie,
		ContentLength:        int64(header.ContentLength()),
		MaxBody:              x.site.maxBody,
		Streaming:            x.site.streaming,
		Until:                x.until,
	}
	before := time.Since(x.start)
	x.holders.Add(1)
	streams, err := x.site.reach.group.Do(x.ctx, &x.out, x)
	if !streams {
		x.holders.Add(-1)
	}
	x.mark = before
	x.stage(metrics.StageUpstream)
	x.elsewhere = x.mark - before
	if err != nil {
		x.decision = policy.Decision{}
		return x.refuse(x.upstreamFault(err))
	}
	x.line.streams = streams
	x.ctx.Response.Header.SetBytesV("X-Request-Id", x.requestID)
	x.notice()
	return true
}

// maxTracestate bounds what is carried on of a trace's vendors (W3C Trace
// Context section 3.3.1.5).
const maxTracestate = 512

// ownFields are the field lines that the gateway states itself.
func (x *exchange) ownFields() []byte {
	own := append(x.own[:0], "X-Request-Id: "...)
	own = append(own, x.requestID...)
	own = append(own, "\r\ntraceparent: "...)
	if validTraceparent(x.head.traceparent) {
		own = append(own, x.head.traceparent...)
		// Section 3.3: it means nothing without its traceparent.
		if state := x.head.tracestate; len(state) > 0 && len(state) <= maxTracestate {
			own = append(own, "\r\ntracestate: "...)
			own = append(own, state...)
		}
	} else {
		own = appendTraceparent(own)
	}
	// RFC 9110 section 7.6.3: behind those of the proxies before us.
	if x.ctx.Request.Header.IsHTTP11() {
		own = append(own, "\r\nVia: 1.1 vneid-gateway\r\n"...)
	} else {
		own = append(own, "\r\nVia: 1.0 vneid-gateway\r\n"...)
	}
	if x.claims != nil {
		own = appendIdentity(own, x.site.identity, x.claims)
	}
	x.own = own
	return own
}

// upstreamFault gives an upstream's failure its code.
func (x *exchange) upstreamFault(err error) reject.Code {
	switch {
	case errors.Is(err, upstream.ErrUnreachable):
		return reject.UpstreamUnreachable
	case errors.Is(err, upstream.ErrSaturated):
		return reject.UpstreamSaturated
	case errors.Is(err, upstream.ErrUnavailable):
		x.retryAfter = int(math.Ceil(x.site.reach.group.RetryAfter(time.Now()).Seconds()))
		return reject.UpstreamUnavailable
	case errors.Is(err, upstream.ErrTunnels):
		return reject.Overloaded
	case errors.Is(err, upstream.ErrTimeout):
		return reject.UpstreamTimeout
	case errors.Is(err, upstream.ErrClosed):
		return reject.UpstreamClosed
	case errors.Is(err, upstream.ErrResponse):
		return reject.UpstreamResponseMalformed
	}
	// What is left is the client's own body: its connection cannot be used on.
	x.ctx.SetConnectionClose()
	switch {
	case errors.Is(err, upstream.ErrClientGone):
		return reject.ClientGone
	case errors.Is(err, upstream.ErrBodyTooLarge):
		return reject.BodyTooLarge
	case errors.Is(err, upstream.ErrNominations), errors.Is(err, upstream.ErrUpgradeEarly):
		return reject.RequestMalformed
	}
	if refusal := wire.ErrorOf(x.ctx.Conn()); refusal != nil {
		return x.g.wireFault(refusal)
	}
	return reject.RequestTimeout
}

// notice tells the caller of a coming cutover.
func (x *exchange) notice() {
	if x.decision.NoticeUntil == 0 || x.refused {
		return
	}
	x.site.metrics.Notice()
	reject.Notice(&x.ctx.Response.Header, x.decision)
}

func peerAddress(addr net.Addr) netip.Addr {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
