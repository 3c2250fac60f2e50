package gateway

import (
	"bytes"
	"runtime/debug"
	"time"
	"unicode"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// handle is the whole life of a request. Its framing was checked before
// (package wire), and its identity fields are never passed on (package
// upstream).
func (g *Gateway) handle(ctx *fasthttp.RequestCtx) {
	x := g.begin(ctx)
	defer x.end()

	if !x.route() || !x.enter() {
		x.answer()
		return
	}
	if !x.admit() && !x.observed() {
		x.answer()
		return
	}
	if !x.forward() {
		x.answer()
	}
}

// route finds the site and the rule, by host, then path, then method. The path
// that is matched is the only one that is ever forwarded.
func (x *exchange) route() bool {
	defer x.stage(metrics.StageRoute)
	header := &x.ctx.Request.Header
	x.head.find(wire.NewFields(header.RawHeaders()))
	x.identify()
	x.site = x.st.hosts.find(header.Host())
	if x.site == nil {
		return x.refuse(reject.HostUnknown)
	}
	var err error
	x.target, x.targetBuf, err = wire.ParseTarget(x.targetBuf, header.RequestURI())
	if err != nil {
		x.g.countFraming(err)
		return x.refuse(reject.TargetMalformed)
	}
	if limit := x.site.maxBody; limit > 0 && int64(header.ContentLength()) > limit {
		return x.refuse(reject.BodyTooLarge)
	}
	// Methods are case-sensitive (RFC 9110 section 9.1), but some upstreams
	// fold them: "post" must not pass by a rule for POST.
	if bytes.ContainsFunc(header.Method(), unicode.IsLower) {
		return x.refuse(reject.MethodNotSupported)
	}
	x.rule = x.site.policy.Match(header.Method(), x.target.Path)
	return true
}

// admit decides whether the request may pass. A decision is taken for every
// request; a cached verdict is evidence about a token only.
func (x *exchange) admit() bool {
	if x.rule.Access != policy.Require {
		return x.decide("")
	}
	if x.site.refusesStale && x.g.staleness.stale() {
		return x.refuse(reject.RevocationsStale)
	}
	credential, code, ok := x.head.credential(x.site.cookie, x.st.tokenBytes)
	if !ok {
		return x.refuse(code)
	}
	issuer, ok := x.verdict(credential)
	if !ok {
		return false
	}
	x.until = time.Unix(x.claims.ExpiresAt, 0).Add(issuer.verifier.Leeway())
	if !x.withinClientRate() {
		return false
	}
	return x.decide(issuer.name)
}

// decide applies the site's policy.
func (x *exchange) decide(issuer string) bool {
	defer x.stage(metrics.StagePolicy)
	x.decision = policy.Decide(x.rule, x.site.policy, x.claims, issuer, x.now)
	if x.decision.Outcome != policy.Allow {
		return x.refuse(reject.FromPolicy(x.decision))
	}
	return true
}

// verdict establishes what the token proves: from the cache where it was
// verified before and still holds, else by verification.
func (x *exchange) verdict(credential []byte) (*issuer, bool) {
	digest := cache.Digest(credential)
	if x.crowdedOut(credential, &digest) {
		x.stage(metrics.StageLookup)
		return nil, x.shed()
	}
	if v, ok := x.st.verdicts.GetDigest(&digest); ok {
		issuer := x.st.issuerOf(v.Verifier)
		if issuer != nil && issuer.usable(v, x.now) {
			x.held = v.Claims.Expand()
			if v.Key != nil {
				v.Key.Use(&x.held, digest[0], x.now.Unix())
			}
			code, ok := x.unrevoked(issuer, &x.held, v.Key)
			x.stage(metrics.StageLookup)
			if !ok {
				return nil, x.refuse(code)
			}
			x.claims, x.key = &x.held, v.Key
			return issuer, true
		}
	}
	x.stage(metrics.StageLookup)
	if x.opaque(credential) {
		defer x.stage(metrics.StageIntrospect)
		return x.introspect(x.site.opaque, credential, &digest)
	}
	defer x.stage(metrics.StageVerify)
	return x.verify(credential, &digest)
}

// opaque reports whether the issuer of the site's opaque tokens is to be asked
// about the credential. It takes no turn to verify for that.
func (x *exchange) opaque(credential []byte) bool {
	return x.site.opaque != nil && !token.IsCompactJWS(credential)
}

// observed lets a refused request pass where the site only observes: without
// any identity, and never past a deny rule or a limit.
func (x *exchange) observed() bool {
	switch {
	case x.site.policy.Mode != policy.Observe, x.rule.Access == policy.Deny,
		x.code == reject.Overloaded, x.code == reject.RateLimited:
		return false
	}
	x.outcome = metrics.Observed
	x.claims, x.key, x.until = nil, nil, time.Time{}
	return true
}

// answer writes the refusal.
func (x *exchange) answer() {
	x.outcome = outcomeOf(x.code)
	refusal := reject.Refusal{Code: x.code, RequestID: x.requestID, Decision: x.decision, RetryAfter: x.retryAfter, Page: x.head.prefersPage(&x.ctx.Request.Header)}
	if x.site != nil {
		refusal.Site = x.site.reject
	}
	x.g.renderer.Write(x.ctx, refusal)
}

// last reports whether the connection has carried as many requests as it may.
func (x *exchange) last() bool {
	limit := uint64(x.g.cfg.Limits.RequestsPerConnection)
	if limit == 0 {
		return false
	}
	n := x.ctx.ConnRequestNum()
	if c := listen.Of(x.ctx.Conn()); c != nil {
		n += c.Earlier()
	}
	return n >= limit
}

// end closes the handler's part of the exchange. A panic becomes a 500: it
// reaches neither the connection nor another request.
func (x *exchange) end() {
	if fault := recover(); fault != nil {
		x.g.metrics.Panics.Inc()
		// The value may hold anything of the request: only its place is told.
		x.g.log.Error("panic in handler", "request_id", string(x.requestID), "stack", string(debug.Stack()))
		x.ctx.Response.Reset()
		if !x.line.streams {
			x.holders.Store(1) // no stream was begun that would give its hold up
		}
		x.code, x.refused, x.decision = reject.InternalError, true, policy.Decision{}
		x.rehearsal = false
		x.answer()
	}
	if x.g.draining.Load() || x.last() {
		x.ctx.SetConnectionClose()
	}
	if !x.rehearsal {
		x.account()
	}
	x.leave()
	st, connection := x.st, x.ctx.ConnID()
	x.release()
	st.users.leave(connection)
}
