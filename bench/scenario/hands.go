package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/stand"
)

// Hands are what a scenario can move. What is missing is what a target cannot be told.
type Hands struct {
	// Issuers take orders, by the names that they have in the corpus.
	Issuers map[string]stand.Control
	// Admins returns the admin listeners of the gateways.
	Admins func() []stand.Admin
	// Cutover is when the target's rule for citizens begins to hold.
	Cutover time.Time
	// Machines are the upstreams and the gateways' processes.
	Machines Machines
}

// Machines are the upstreams and the processes behind an address. A [stand.Stand] is.
type Machines interface {
	// SlowUpstream has a site's upstream answer after delay, "" every one; 0 ends that.
	SlowUpstream(site string, delay time.Duration) error
	// Restart restarts a replica.
	Restart(ctx context.Context, at int) error
	// Replicas is how many gateways there are.
	Replicas() int
}

// Can says whether the target can be told to do everything that a scenario does. The error is [ErrHands].
func (h *Hands) Can(s *Scenario) error {
	for i := range s.Actions {
		missing := ""
		switch a := &s.Actions[i]; a.Do {
		case DoCutover:
			if h.Cutover.IsZero() {
				missing = "it must be known when the target's rule for citizens begins to hold (--cutover), in the future"
			}
		case DoIssuerFault, DoRotateKey:
			if len(h.Issuers) == 0 {
				missing = "the issuers must take orders (--issuer-control)"
			}
		case DoRevokeTokens, DoRevokeFlood:
			if h.Admins == nil {
				missing = "the gateways must take revocations (--admin and --admin-token-file)"
			}
		case DoSlowUpstream:
			if h.Machines == nil {
				missing = "upstreams are slowed on a stand only (--gateway)"
			}
		case DoRollingUpdate:
			if h.Machines == nil {
				missing = "gateways are restarted on a stand only (--gateway)"
			}
		}
		if missing != "" {
			return fmt.Errorf("%w: scenario %s, action %s: %s", ErrHands, s.Name, s.Actions[i].Name, missing)
		}
	}
	return nil
}
