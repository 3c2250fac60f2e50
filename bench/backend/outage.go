package backend

import (
	"fmt"
	"time"
)

// outage is a fault that may end by itself.
type outage struct {
	fault Fault
	until time.Time // Zero: until it is replaced.
}

// SetFault makes every later answer that a gateway asks for faulty - discovery, key set and introspection - until
// SetFault(nil). The token path is no part of what fails: it serves the tester.
func (b *Backend) SetFault(fault Fault) {
	for i := range b.faults {
		if i != tokenEndpoint {
			b.setFault(i, fault, 0)
		}
	}
}

// SetFaultAt is [Backend.SetFault] for one of [DiscoveryPath], [KeySetPath] and [IntrospectPath], and for lasting where
// that is more than 0. It replaces what was set for that path; nil ends it. The error is [ErrFault], for another path.
func (b *Backend) SetFaultAt(path string, fault Fault, lasting time.Duration) error {
	i := endpointOf(path)
	if i < 0 || i == tokenEndpoint {
		return fmt.Errorf("%w: nothing fails at %q", ErrFault, path)
	}
	b.setFault(i, fault, lasting)
	return nil
}

func (b *Backend) setFault(endpoint int, fault Fault, lasting time.Duration) {
	if fault == nil {
		b.faults[endpoint].Store(nil)
		return
	}
	out := &outage{fault: fault}
	if lasting > 0 {
		out.until = time.Now().Add(lasting)
	}
	b.faults[endpoint].Store(out)
}

// faultOf returns the fault that an endpoint has now, or nil.
func (b *Backend) faultOf(endpoint int) Fault {
	out := b.faults[endpoint].Load()
	if out == nil || !out.until.IsZero() && !time.Now().Before(out.until) {
		return nil
	}
	return out.fault
}
