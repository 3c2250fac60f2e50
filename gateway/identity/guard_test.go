package identity_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

var errBackend = errors.New("the backend failed")

func failing() error { return errBackend }

func working() error { return nil }

// opened is a breaker that has just opened.
func opened(t *testing.T) *identity.Guard {
	t.Helper()
	g := identity.NewGuard(identity.GuardConfig{BreakAfter: 3, BreakFor: 10 * time.Second})
	for range 3 {
		if err := g.Do(failing); !errors.Is(err, errBackend) {
			t.Fatal(err)
		}
	}
	return g
}

func state(t *testing.T, g *identity.Guard, want identity.BreakerStats) {
	t.Helper()
	if got := g.Stats(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// refuses fails where the backend is called.
func refuses(t *testing.T, g *identity.Guard) {
	t.Helper()
	err := g.Do(func() error { t.Error("the backend is called"); return nil })
	if !errors.Is(err, identity.ErrBreakerOpen) || identity.Reason(err) != "breaker_open" {
		t.Errorf("got %v", err)
	}
}

func TestABreakerOpensAfterFailuresInARowAndThenCallsNobody(t *testing.T) {
	t.Parallel()
	g := identity.NewGuard(identity.GuardConfig{BreakAfter: 3, BreakFor: time.Hour})
	for range 5 { // Failures that are not in a row do not add up.
		for _, call := range []func() error{failing, failing, working} {
			_ = g.Do(call)
		}
	}
	state(t, g, identity.BreakerStats{State: "closed"})
	for range 3 {
		if err := g.Do(failing); !errors.Is(err, errBackend) {
			t.Errorf("got %v", err)
		}
	}
	refuses(t, g)
	refuses(t, g)
	state(t, g, identity.BreakerStats{State: "open", Opened: 1, Refused: 2})
}

func TestAHalfOpenBreakerMakesOneProbeAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := opened(t)
		refuses(t, g)
		time.Sleep(10*time.Second + 1) // virtual
		var calls atomic.Int64
		var asking sync.WaitGroup
		for range 100 {
			asking.Go(func() {
				err := g.Do(func() error {
					calls.Add(1)
					time.Sleep(time.Second) // virtual
					return errBackend
				})
				if !errors.Is(err, errBackend) && !errors.Is(err, identity.ErrBreakerOpen) {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		state(t, g, identity.BreakerStats{State: "half-open", Opened: 1, Refused: 100})
		asking.Wait()
		if calls.Load() != 1 {
			t.Errorf("%d probes at one time", calls.Load())
		}
		// The probe failed: the wait begins anew.
		state(t, g, identity.BreakerStats{State: "open", Opened: 2, Refused: 100})
		time.Sleep(10 * time.Second) // virtual
		refuses(t, g)
		time.Sleep(time.Nanosecond) // virtual
		if err := g.Do(working); err != nil {
			t.Error(err)
		}
		state(t, g, identity.BreakerStats{State: "closed", Opened: 2, Refused: 101})
		for range 2 {
			if err := g.Do(failing); !errors.Is(err, errBackend) {
				t.Errorf("closed, yet %v", err)
			}
		}
	})
}

func TestWhatTheCallerBrokeOffIsNoFailure(t *testing.T) {
	t.Parallel()
	cut := func() error { return fmt.Errorf("wrapped: %w", context.Canceled) }
	synctest.Test(t, func(t *testing.T) {
		g := identity.NewGuard(identity.GuardConfig{BreakAfter: 1, BreakFor: time.Second})
		for range 10 {
			if err := g.Do(cut); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		state(t, g, identity.BreakerStats{State: "closed"})
		_ = g.Do(failing)
		time.Sleep(time.Second + 1) // virtual
		// Nor does a probe that was broken off take the place of the next.
		_ = g.Do(cut)
		if err := g.Do(working); err != nil {
			t.Error(err)
		}
		state(t, g, identity.BreakerStats{State: "closed", Opened: 1})
	})
}

// The state is read while it changes: a change that waited for a reader would
// not end.
func TestABreakerThatChangesWaitsForNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := identity.NewGuard(identity.GuardConfig{BreakAfter: 1, BreakFor: time.Millisecond})
		var working sync.WaitGroup
		for n := range 8 {
			working.Go(func() {
				for round := range 200 {
					_ = g.Do(func() error {
						_ = g.Stats() // From within a call, too.
						if (n+round)%2 == 0 {
							return errBackend
						}
						return nil
					})
					if !slices.Contains(identity.BreakerStates(), g.Stats().State) {
						t.Error("an unlisted state")
					}
					time.Sleep(time.Millisecond) // virtual
				}
			})
		}
		working.Wait()
		if s := g.Stats(); s.Opened == 0 {
			t.Errorf("it never opened: %+v", s)
		}
	})
}
