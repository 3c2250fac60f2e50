package gateway

import "time"

// Missing lists what stands between the gateway and readiness: keys of issuers
// that are not in memory or past their hard limit, or a drain. The backend need
// not be reachable.
func (g *Gateway) Missing() []string {
	if g.draining.Load() {
		return []string{"draining"}
	}
	var missing []string
	for _, i := range g.state.Load().issuers {
		if why := i.missing(time.Now()); why != "" {
			missing = append(missing, "keys of issuer "+i.name+": "+why)
		}
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
