package gateway

import (
	"context"
	"time"
)

// Missing lists what stands between the gateway and readiness: keys of issuers
// that are not in memory or past their hard limit, revocations that it has not
// caught up with, or a drain. The backend need not be reachable.
func (g *Gateway) Missing() []string {
	if g.draining.Load() {
		return []string{"draining"}
	}
	var missing []string
	st, now := g.state.Load(), time.Now()
	for _, i := range st.issuers {
		if why := i.missing(now); why != "" {
			missing = append(missing, "keys of issuer "+i.name+": "+why)
		}
	}
	if st.refusesStale() {
		g.lookAtSources(st, now)
		missing = append(missing, g.staleness.missing(st.sources, now)...)
	}
	return missing
}

// missing says why the issuer's tokens cannot be verified; "" where they can.
func (i *issuer) missing(now time.Time) string {
	if i.refresher == nil {
		return ""
	}
	why := ""
	set := i.keys.Snapshot()
	switch {
	case set.Len() == 0 && !set.FetchedAt().IsZero():
		// A set is never replaced by an empty one.
		why = "all of them purged"
	case set.Len() == 0:
		why = "not fetched yet"
	case i.stale(now):
		why = "older than hard_stale"
	default:
		return ""
	}
	if failure := i.refresher.Stats().LastFailure; failure != "" {
		why += ", last attempt: " + failure
	}
	return why
}

// joinPatience bounds how long a gateway that is not ready leaves an address to
// the others that listen on it.
const joinPatience = 30 * time.Second

// awaitReady waits until the gateway can serve, so that it takes no request from
// one that can.
func (g *Gateway) awaitReady(ctx context.Context) {
	limit := time.NewTimer(joinPatience)
	defer limit.Stop()
	tick := time.NewTicker(waitTick)
	defer tick.Stop()
	for {
		missing := g.Missing()
		if len(missing) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		case <-limit.C:
			g.log.Warn("joining the other listeners though not ready", "missing", missing)
			return
		}
	}
}

// waitTick is how often a wait for something to come or to end looks.
const waitTick = 20 * time.Millisecond
