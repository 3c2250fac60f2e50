package identity

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// ErrBreakerOpen means that the backend was not asked, because it failed too
// often before.
var ErrBreakerOpen = errors.New("identity: breaker open")

// Breaker keeps calls from a backend that fails. *Guard is one.
type Breaker interface {
	// Do calls call, or returns ErrBreakerOpen. It returns what call returned.
	Do(call func() error) error
}

// GuardConfig says when a backend is left alone.
type GuardConfig struct {
	// BreakAfter is how many calls in a row must fail, BreakFor how long none
	// is made then.
	BreakAfter int
	BreakFor   time.Duration
}

// Guard is the breaker around the calls of one kind to one identity backend. Its
// methods are safe for concurrent use.
type Guard struct {
	breaker *gobreaker.CircuitBreaker[struct{}]
	opened  atomic.Uint64
	refused atomic.Uint64
}

// NewGuard returns a closed breaker.
func NewGuard(cfg GuardConfig) *Guard {
	g := &Guard{}
	g.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		// Half open: a single probe.
		MaxRequests: 1,
		Timeout:     cfg.BreakFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= cfg.BreakAfter },
		// Called under the breaker's lock: it counts, and nothing else.
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				g.opened.Add(1)
			}
		},
		// What the caller broke off says nothing about the backend.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
	})
	return g
}

// Do calls the backend by call, unless the breaker is open or half open with
// its probe under way: ErrBreakerOpen.
func (g *Guard) Do(call func() error) error {
	_, err := g.breaker.Execute(func() (struct{}, error) { return struct{}{}, call() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		g.refused.Add(1)
		return ErrBreakerOpen
	}
	return err
}

// unbroken makes every call.
type unbroken struct{}

func (unbroken) Do(call func() error) error { return call() }

// BreakerStats is a snapshot of a breaker.
type BreakerStats struct {
	// State is closed, half-open or open.
	State string
	// Opened counts how often it opened, Refused the calls not made.
	Opened, Refused uint64
}

// Stats returns the breaker's state and counters.
func (g *Guard) Stats() BreakerStats {
	return BreakerStats{State: g.breaker.State().String(), Opened: g.opened.Load(), Refused: g.refused.Load()}
}

// BreakerStates lists the values of BreakerStats.State.
func BreakerStates() []string {
	return []string{
		gobreaker.StateClosed.String(), gobreaker.StateHalfOpen.String(), gobreaker.StateOpen.String(),
	}
}
