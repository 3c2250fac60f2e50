package upstream

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// standing is what is thought of one address: what its exchanges, its breaker
// and its health checks say. A request to an address in good standing reads one
// word of it, and writes none.
type standing struct {
	group *Group
	// doubt is 0 while nothing speaks against the address.
	doubt atomic.Uint32
	// epoch tells results of exchanges that began before the address was last
	// taken out from later ones: they say nothing new.
	epoch atomic.Uint32
	// returns is when the address takes part again, or began to; its part grows
	// from there.
	returns atomic.Int64
	// closedUntil is how long the breaker lets nothing through.
	closedUntil atomic.Int64
	// checkedAt is when the next health check is due.
	checkedAt atomic.Int64

	mu      sync.Mutex // only ever taken while something is in doubt
	fails   int        // failures in a row
	inRow   int        // ejections in a row
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
}

// What can speak against an address.
const (
	failing   uint32 = 1 << iota // its last exchange failed
	returning                    // it is ejected, or comes back slowly
	broken                       // its breaker is not closed
	down                         // its health checks fail
)

// lease is one exchange's permission to use an address.
type lease struct {
	epoch uint32
	// trial ends the trial of a half-open breaker, and is nil for any other
	// exchange.
	trial func(error)
}

// outcome is what an exchange says about the address.
type outcome uint8

const (
	good outcome = iota
	bad
	unwell  // a whole response with a status that speaks against the upstream
	neither // it broke off for a reason that is not the upstream's
)

// fullWeight is the weight of an address that gets its whole part of the
// requests, leastWeight what one gets that has just returned.
const (
	fullWeight  = math.MaxUint16
	leastWeight = fullWeight / 10
)

// weight is the part of its requests that the address gets now: 0 is none.
func (s *standing) weight(now time.Duration) uint32 {
	doubt := s.doubt.Load()
	switch {
	case doubt&^failing == 0:
		return fullWeight
	case doubt&down != 0, doubt&broken != 0 && now < time.Duration(s.closedUntil.Load()):
		return 0
	case doubt&returning == 0:
		return fullWeight
	}
	return s.group.eject.weight(now - time.Duration(s.returns.Load()))
}

// wait is how long nothing at all can be sent to the address: an ejection alone
// does not say so.
func (s *standing) wait(now time.Duration) time.Duration {
	doubt := s.doubt.Load()
	wait := time.Duration(0)
	if doubt&broken != 0 {
		wait = max(wait, time.Duration(s.closedUntil.Load())-now)
	}
	if doubt&down != 0 {
		wait = max(wait, time.Duration(s.checkedAt.Load())-now, 1)
	}
	return wait
}

// admit permits one exchange, which is the breaker's trial where it is half
// open; that is refused while another is under way.
func (s *standing) admit() (lease, bool) {
	if s.doubt.Load()&broken == 0 {
		return lease{epoch: s.epoch.Load()}, true
	}
	trial, err := s.breaker.Allow()
	if err != nil {
		return lease{}, false
	}
	return lease{epoch: s.epoch.Load(), trial: trial}, true
}

// settle takes the result of an exchange. It ends l's trial; more than one
// result of the same lease is in order.
func (p *Pool) settle(l *lease, o outcome) {
	failed := o == bad || o == unwell
	if failed {
		p.member.failures.Add(1)
	}
	if !failed && l.trial == nil && p.doubt.Load() == 0 {
		return
	}
	p.mu.Lock()
	trial := l.trial
	l.trial = nil
	if trial != nil {
		p.conclude(trial, o)
	}
	out := false
	if o != neither && (trial != nil || l.epoch == p.epoch.Load()) {
		out = p.judge(o, trial == nil)
	}
	p.mu.Unlock()
	if out {
		// An address that fails may have lost its connections without a word.
		p.closeIdle()
	}
}

// judge counts a result, with p.mu held. It reports whether the address was
// taken out. tell says that the breaker does not know the result.
func (p *Pool) judge(o outcome, tell bool) (out bool) {
	now := p.group.clock()
	if o == good {
		p.fails = 0
		p.doubt.And(^failing)
		if p.doubt.Load()&returning != 0 && p.group.eject.weight(now-time.Duration(p.returns.Load())) == fullWeight {
			p.doubt.And(^returning)
		}
	} else {
		p.fails++
		p.doubt.Or(failing)
	}
	if tell {
		p.tellBreaker(o)
	}
	if o == good {
		return false
	}
	return p.ejectIfDue(now) || p.doubt.Load()&broken != 0
}
