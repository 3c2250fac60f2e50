package gateway

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

// noReason is the index of the reason label of a request that passed; the
// codes follow it in their order.
const noReason = 0

func reasonIndex(c reject.Code) int { return int(c) + 1 }

// reasons lists the values of the reason label.
func reasons() []string {
	list := []string{"none"}
	for _, c := range reject.Codes() {
		list = append(list, c.String())
	}
	return list
}

// outcomeOf says who was at fault: a status of 5xx alone does not, as 501 and
// 505 answer what a client asked for.
func outcomeOf(c reject.Code) metrics.Outcome {
	switch c.Class() {
	case reject.ClassInternal, reject.ClassUnavailable, reject.ClassUpstream:
		return metrics.Failed
	default:
		return metrics.Refused
	}
}

// account closes the books of a request when its handler returns. A streamed
// response closes them at its end.
func (x *exchange) account() {
	total := time.Since(x.start)
	x.overhead = total - x.elsewhere
	x.line.plan(x, x.start.Add(total))
	if !x.line.streams {
		x.settle(total, int64(len(x.ctx.Response.Body())), nil)
	}
}

// ResponseDone implements upstream.Observer: the last byte of a streamed
// response is with the client, or never will be.
func (x *exchange) ResponseDone(sent int64, err error) {
	x.settle(time.Since(x.start), sent, err)
	x.release()
}

func (x *exchange) settle(total time.Duration, sent int64, err error) {
	reason := noReason
	if x.refused {
		reason = reasonIndex(x.code)
	}
	site := x.g.nowhere
	if x.site != nil {
		site = x.site.metrics
	}
	site.Request(x.outcome, reason, total, x.overhead)
	x.line.write(x, reason, total, sent, err)
}

// accessPolicy says which requests get a line in the access log.
type accessPolicy struct {
	off              bool
	sample           uint64
	refusedPerSecond int64
}

func accessPolicyOf(c config.AccessLog) accessPolicy {
	p := accessPolicy{off: c.Off, sample: uint64(max(c.Sample, 1)), refusedPerSecond: defaultRefusedPerSecond}
	if c.RefusedPerSecond != nil {
		p.refusedPerSecond = int64(*c.RefusedPerSecond)
	}
	return p
}

const defaultRefusedPerSecond = 100

// accessSampler holds the counters behind an accessPolicy.
type accessSampler struct {
	allowed atomic.Uint64
	second  atomic.Int64
	spent   atomic.Int64
}

// take reports whether a line is to be written, and whether one was left out
// by the bound on refusals.
func (s *accessSampler) take(p accessPolicy, refused bool, now time.Time) (write, dropped bool) {
	switch {
	case p.off:
		return false, false
	case !refused:
		return p.sample == 1 || s.allowed.Add(1)%p.sample == 1, false
	}
	// Only time that goes on opens a new second.
	if second, last := now.Unix(), s.second.Load(); second > last && s.second.CompareAndSwap(last, second) {
		s.spent.Store(0)
	}
	if s.spent.Add(1) > p.refusedPerSecond {
		return false, true
	}
	return true, false
}

// accessLine is what a line of the access log needs of the request, copied:
// a streamed response outlives the request's bytes.
type accessLine struct {
	streams bool
	wanted  bool
	status  int
	method  []byte
	path    []byte
}

func (l *accessLine) reset() {
	*l = accessLine{method: l.method[:0], path: l.path[:0]}
}

// plan decides whether the request gets a line and copies what it needs. The
// query never gets into it.
func (l *accessLine) plan(x *exchange, now time.Time) {
	write, dropped := x.g.sampler.take(x.st.log, x.outcome != metrics.Allowed, now)
	if dropped {
		x.g.metrics.LogDropped.Inc()
	}
	if !write {
		return
	}
	l.wanted = true
	l.status = x.ctx.Response.StatusCode()
	l.method = append(l.method[:0], x.ctx.Request.Header.Method()...)
	l.path = appendMasked(l.path[:0], x.target.Path)
}

func (l *accessLine) write(x *exchange, reason int, total time.Duration, sent int64, err error) {
	if !l.wanted {
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("request_id", string(x.requestID)),
		slog.String("outcome", x.outcome.String()),
		slog.String("reason", x.g.reasons[reason]),
		slog.Int("status", l.status),
		slog.String("method", string(l.method)),
		slog.String("path", string(l.path)),
		slog.Int64("bytes", sent),
		slog.Float64("seconds", total.Seconds()),
		slog.Float64("overhead_seconds", x.overhead.Seconds()),
	)
	if x.site != nil {
		attrs = append(attrs, slog.String("site", x.site.name))
	}
	if x.claims != nil {
		attrs = append(attrs, slog.String("account_kind", x.claims.Kind.String()))
	}
	if err != nil {
		attrs = append(attrs, slog.Bool("broken_off", true))
	}
	x.g.log.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
}
