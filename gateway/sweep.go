package gateway

import (
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/statuslist"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// sweepEvery is how often open connections are looked at though nothing was
// revoked: a key may have been withdrawn.
const sweepEvery = 10 * time.Second

// sweepSoon has the connections looked at that outlive their decision. It never
// blocks.
func (g *Gateway) sweepSoon() {
	select {
	case g.sweeping <- struct{}{}:
	default: // one is due already, and begins after this
	}
}

// runSweeps ends upgraded connections and streams of events whose token is
// revoked, or whose key is gone. Their expiry they keep themselves.
func (g *Gateway) runSweeps() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.base.Done():
			return
		case <-g.sweeping:
		case <-tick.C:
		}
		if n := g.tunnels.Sweep(); n > 0 {
			g.metrics.RevokedConnections.Add(float64(n))
			g.log.Info("connections closed: what they were opened with was revoked", "connections", n)
		}
	}
}

// unwanted reports whether what a connection was opened with does not hold any
// more.
func (g *Gateway) unwanted(o upstream.Observer) bool {
	x, ok := o.(*exchange)
	if !ok || x.claims == nil {
		return false
	}
	if x.key != nil && x.key.Withdrawn() || g.revocations.Revoked(x.claims, x.key) {
		return true
	}
	if !x.claims.Status.Present() {
		return false
	}
	// By the issuer as it is now: that of the request may be gone.
	i := g.state.Load().byIssuer[x.claims.Issuer]
	if i == nil {
		return true
	}
	switch status := i.lists.Peek(x.claims.Status.URI(), x.claims.Status.Index(), time.Now()); status {
	case statuslist.Unknown:
		return false // it was good when the connection was opened, and may be asked for now
	default:
		return !i.lists.Allows(status)
	}
}
