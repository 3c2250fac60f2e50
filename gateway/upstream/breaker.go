package upstream

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
)

// BreakerConfig says when an address is left alone altogether.
type BreakerConfig struct {
	// After is how many failures in a row open the breaker: connections that
	// cannot be opened, time limits that passed, broken responses. A whole
	// response is none, whatever its status: an upstream may answer 503 for one
	// route that it limits, and serve all others. 0 is no breaker.
	After int
	// For is how long nothing is sent then. One request is let through behind
	// it: a response closes the breaker. Required where After is not 0.
	For time.Duration
}

var (
	errFailed   = errors.New("upstream: exchange failed")
	errNoResult = errors.New("upstream: exchange without result")
)

// newBreaker returns a closed breaker, or nil where cfg has none. It is told of
// failures, and of successes while something is in doubt.
func (s *standing) newBreaker(cfg BreakerConfig, opened func()) *gobreaker.TwoStepCircuitBreaker[struct{}] {
	if cfg.After == 0 {
		return nil
	}
	return gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1,
		Timeout:     cfg.For,
		ReadyToTrip: func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= cfg.After },
		IsExcluded:  func(err error) bool { return errors.Is(err, errNoResult) },
		// Called under the breaker's lock: nothing here waits.
		OnStateChange: func(_ string, _, to gobreaker.State) {
			now := s.group.clock()
			s.epoch.Add(1)
			switch to {
			case gobreaker.StateOpen:
				s.closedUntil.Store(int64(now + cfg.For))
				s.doubt.Or(broken)
				opened()
			case gobreaker.StateClosed:
				s.returns.Store(max(s.returns.Load(), int64(now)))
				s.doubt.Or(returning)
				s.doubt.And(^broken)
			case gobreaker.StateHalfOpen:
			}
		},
	})
}

// tellBreaker tells a closed breaker of a result, with mu held: nothing else
// opens one. One that is not closed learns from its trials alone.
func (s *standing) tellBreaker(o outcome) {
	if s.breaker == nil || s.doubt.Load()&broken != 0 {
		return
	}
	if done, err := s.breaker.Allow(); err == nil {
		s.conclude(done, o)
	}
}

// conclude ends what the breaker allowed, with mu held.
func (s *standing) conclude(done func(error), o outcome) {
	switch o {
	case good, unwell: // it answered
		done(nil)
	case bad:
		done(errFailed)
	case neither:
		done(errNoResult)
	}
}

// breakerState returns 0 for closed, 1 for half open, 2 for open.
func (s *standing) breakerState() gobreaker.State {
	if s.breaker == nil || s.doubt.Load()&broken == 0 {
		return gobreaker.StateClosed
	}
	return s.breaker.State()
}
