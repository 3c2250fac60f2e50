package upstream

import "time"

// EjectConfig says when an address is passed over for a while because its
// exchanges fail, and how it comes back. An ejection is a preference: an address
// that is ejected is still used before a request is refused for want of any.
type EjectConfig struct {
	// After is how many failures in a row eject an address: connections that
	// cannot be opened, time limits that passed, broken responses. 0 is never.
	After int
	// GatewayErrors counts whole responses with status 502, 503 and 504 as
	// failures, here and not for the breaker.
	GatewayErrors bool
	// Base is how long the first ejection lasts, the second twice as long, and
	// so on, up to Max. The count starts again when an address went without for
	// Max. Required where After is not 0.
	Base, Max time.Duration
	// Percent bounds the share of the group's addresses that are ejected at a
	// time, rounded down: one of two by 50. The last one never is. 0 is none.
	Percent int
	// Return is how long the part of the requests that an address gets grows,
	// from a tenth to the whole, after an ejection and whenever its breaker
	// closed or its health checks succeed again. Until then one failure ejects
	// it again. 0 is at once.
	Return time.Duration
}

// weight is the weight of an address for since behind the end of its ejection.
func (e *EjectConfig) weight(since time.Duration) uint32 {
	switch {
	case since < 0:
		return 0
	case since >= e.Return:
		return fullWeight
	}
	return leastWeight + uint32(float64(fullWeight-leastWeight)*float64(since)/float64(e.Return))
}

// ejectIfDue ejects the address if its failures and the share of the group allow
// it, with p.mu held.
func (p *Pool) ejectIfDue(now time.Duration) bool {
	e := &p.group.eject
	if e.After == 0 {
		return false
	}
	before := time.Duration(p.returns.Load())
	was := p.doubt.Load()&returning != 0
	onProbation := was && now >= before && now < before+e.Return
	if p.fails < e.After && !onProbation {
		return false
	}
	p.group.ejecting.Lock()
	defer p.group.ejecting.Unlock()
	if !p.group.mayEject(p, now) {
		return false
	}
	if p.inRow > 0 && now-before > e.Max {
		p.inRow = 0
	}
	p.inRow++
	p.fails = 0
	p.returns.Store(int64(now + min(e.Max, e.Base*time.Duration(p.inRow))))
	p.epoch.Add(1)
	p.doubt.Or(returning)
	p.member.ejections.Add(1)
	return true
}

// mayEject reports whether the group's share allows it to eject p, which is not
// ejected, with g.ejecting held.
func (g *Group) mayEject(p *Pool, now time.Duration) bool {
	pools := *g.pools.Load()
	ejected := 1
	for _, other := range pools {
		if other != p && other.ejected(now) {
			ejected++
		}
	}
	return ejected < len(pools) && ejected*100 <= g.eject.Percent*len(pools)
}

// ejected reports whether the address is ejected now.
func (s *standing) ejected(now time.Duration) bool {
	return s.doubt.Load()&returning != 0 && now < time.Duration(s.returns.Load())
}
