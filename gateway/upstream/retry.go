package upstream

import (
	"math"
	"sync"
	"time"
)

// RetryConfig says when a request is sent again. Nothing here concerns an
// upstream that took no connection: nothing was sent, and it is passed over for
// another.
type RetryConfig struct {
	// Attempts bounds how often a request is sent, the first time included. 0
	// and 1 are never again.
	//
	// Only a request with an idempotent method and no body is, and only if it
	// went out on a kept connection that the upstream closed before any byte of
	// a response; it then goes out on a new one.
	Attempts int
	// Percent is the share of the group's requests that may be sent again, and
	// PerSecond how many may be in any case. 0 is none.
	Percent, PerSecond int
}

// maxDials bounds the upstreams that are tried for a connection, for one
// request.
const maxDials = 3

// idempotent reports whether a request may be sent again without harm (RFC 9110
// section 9.2.2): its method says so and there is no body that is used up.
func (r *Request) idempotent() bool {
	if r.ContentLength != NoBody && r.ContentLength != 0 {
		return false
	}
	switch string(r.Method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// mayRetry decides whether r, whose kept connection c was closed, goes out
// again.
func (g *Group) mayRetry(a *attempt, r *Request, c *conn) bool {
	a.sent++
	if a.sent >= g.retry.Attempts || c.checked.Started() || !r.idempotent() {
		return false
	}
	requests := uint64(0)
	for _, m := range g.members {
		requests += m.requests.Load()
	}
	if !g.budget.take(g.clock(), requests) {
		a.pool.member.overBudget.Add(1)
		return false
	}
	a.pool.member.retries.Add(1)
	a.call.renew, a.avoid = true, a.at+1
	return true
}

// budget bounds retries to a share of the requests. Requests fill it, but that is
// computed from their counters when something is to be taken out, so that they do
// not touch it.
type budget struct {
	percent, perSecond int

	mu       sync.Mutex
	tokens   float64
	requests uint64
	at       time.Duration
}

// budgetWindow is how long what was not used stays of use, in seconds: a quiet
// day does not pay for a storm.
const budgetWindow = 10

// newBudget returns a budget that holds what it gets in a second at least.
func newBudget(cfg RetryConfig) *budget {
	return &budget{percent: cfg.Percent, perSecond: cfg.PerSecond, tokens: float64(cfg.PerSecond)}
}

// take takes one retry out of the budget, at now, when the group has counted
// requests in all.
//
// With r new requests in e seconds the budget grows by r*percent/100 +
// e*perSecond, of which the last budgetWindow seconds count, taken as an average
// of e; what it held before fades by exp(-e/budgetWindow).
func (b *budget) take(now time.Duration, requests uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := max(now-b.at, 0).Seconds()
	grown := float64(requests-min(b.requests, requests))*float64(b.percent)/100 + e*float64(b.perSecond)
	if e > budgetWindow {
		grown *= budgetWindow / e
	}
	b.tokens = b.tokens*math.Exp(-e/budgetWindow) + grown
	b.requests, b.at = requests, now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
