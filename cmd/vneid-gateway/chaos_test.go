package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const (
	// chaosTime is how long the backend misbehaves, one fault after another.
	chaosTime  = 2 * time.Minute
	chaosFault = 4 * time.Second

	// What the gateway may do to the backend, as configured below.
	chaosRefresh = time.Second
	chaosBurst   = 3
	chaosEvery   = 2 * time.Second
)

// TestChaosOfTheBackendIsNoticedByNobodyLoggedIn runs mixed traffic while the
// backend goes down, comes back, rotates and returns rubbish. No request fails
// whose token's key the gateway knew, none passes whose key was withdrawn, and
// the backend is asked within the budget.
func TestChaosOfTheBackendIsNoticedByNobodyLoggedIn(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes two minutes")
	}
	c := newChaos(t)
	begun := time.Now()
	var clients sync.WaitGroup
	stop := make(chan struct{})
	for range knownClients {
		clients.Go(func() { c.visit(stop, c.known) })
	}
	clients.Go(func() { c.visit(stop, c.suspect) })
	rotations, faults := c.misbehave(t)
	close(stop)
	clients.Wait()

	elapsed := time.Since(begun)
	c.judge(t, elapsed)
	t.Logf("chaos: %.0f s, %d faults, %d rotations; known keys: %d served (%d of them cold), %d failed; withdrawn keys: %d refused, %d accepted; strangers: %d refused, %d accepted; while a key left: %d; backend: %d discovery and %d key set requests, at most %d allowed",
		elapsed.Seconds(), faults, rotations, c.served.Load(), c.cold.Load(), c.failed.Load(), c.withdrawn.Load(), c.passed.Load(),
		c.strangers.Load(), c.believed.Load(), c.either.Load(),
		c.issuer.Fetches(backend.DiscoveryPath), c.issuer.Fetches(backend.KeySetPath), chaosBudget(elapsed))
}

// chaosBudget bounds the fetches in a time of t:
//
//	1 + t/(0.9 refresh) + burst + t/every
//
// the first one, those of the interval and of retries after failures, which are
// no closer than the interval with its jitter of a tenth, and those that unknown
// keys may trigger. One each that is under way at the end.
func chaosBudget(t time.Duration) int64 {
	return 1 + int64(t/(chaosRefresh*9/10)) + chaosBurst + int64(t/chaosEvery) + 2
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	stays, err := corpus.NewKey("RS256", "stays")
	if err != nil {
		t.Fatal(err)
	}
	c := &chaos{}
	if c.issuer, err = backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{stays}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.issuer.Close() })
	first := c.newKey(t, "ES256", "leaves-0")
	if err := c.issuer.AddKey(first.Key); err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(ownConfig(c.issuer.Issuer(), startSite(t).URL(), ""), "refresh: 1s }", fmt.Sprintf(
		"refresh: %s, unknown_key: { burst: %d, every: %s, wait: 500ms, remember: 1s } }\n"+
			"    backend: { timeout: 500ms, break_after: 3, break_for: 1s }", chaosRefresh, chaosBurst, chaosEvery), 1)
	c.gateway = serve(t, config)
	c.gateway.awaitReady(t)
	c.admit(c.describe(t, stays))
	c.admit(first)
	return c
}

// misbehave goes through all faults, and from the start where there is time
// left; the backend rotates its keys between them.
func (c *chaos) misbehave(t *testing.T) (rotations, faults int) {
	t.Helper()
	over := time.After(chaosTime)
	rotate := func() {
		rotations++
		c.rotate(t, rotations)
	}
	for {
		for _, f := range c.faults() {
			faults++
			f.begin(t)
			if f.rotates {
				rotate()
			}
			select {
			case <-time.After(chaosFault):
			case <-over:
				f.end(t)
				return rotations, faults
			}
			f.end(t)
			rotate()
		}
	}
}

// chaosFailure is one way of the backend to fail.
type chaosFailure struct {
	begin, end func(t *testing.T)
	// rotates says that it is up often enough to rotate meanwhile.
	rotates bool
}

func (c *chaos) faults() []chaosFailure {
	wrong := func(f backend.Fault, paths ...string) chaosFailure {
		return chaosFailure{
			begin: func(t *testing.T) {
				if len(paths) == 0 {
					c.issuer.SetFault(f)
				}
				for _, path := range paths {
					if err := c.issuer.SetFaultAt(path, f, 0); err != nil {
						t.Fatal(err)
					}
				}
			},
			end: func(*testing.T) { c.issuer.SetFault(nil) },
		}
	}
	flapping := wrong(backend.Flapping(700*time.Millisecond, 700*time.Millisecond, backend.Status(http.StatusBadGateway)))
	flapping.rotates = true
	const keys, empty, large = backend.KeySetPath, "application/json", 8 << 20
	return []chaosFailure{
		{
			begin: func(t *testing.T) { c.may(t, c.issuer.Refuse(0)) },
			end:   func(t *testing.T) { c.may(t, c.issuer.Accept()) },
		},
		wrong(backend.HTML()),
		wrong(backend.Status(http.StatusInternalServerError)),
		wrong(backend.Truncated(), keys),
		wrong(backend.Slow(3 * time.Second)),
		flapping,
		wrong(backend.WrongIssuer()),
		wrong(backend.Huge(large), keys),
		wrong(backend.Trickle(100*time.Millisecond), keys),
		wrong(backend.RedirectCrossOrigin("")),
		wrong(backend.Body(empty, []byte(`{"keys":[]}`)), keys),
		wrong(backend.Bomb(large)),
		wrong(c.issuer.DuplicateKids(), keys),
		wrong(backend.Down()),
		wrong(backend.Body(empty, []byte(`{"keys":null}`)), keys),
	}
}

// rotate publishes a key, signs with it and withdraws the one before it.
func (c *chaos) rotate(t *testing.T, n int) {
	t.Helper()
	next, last := c.newKey(t, "ES256", fmt.Sprintf("leaves-%d", n)), c.last()
	c.may(t, c.issuer.AddKey(next.Key))
	c.gateway.awaitKey(t, "vneid", next.ID(), true)
	c.admit(next)
	c.may(t, c.issuer.SignWith(next.ID()))
	last.state.Store(leaving)
	c.may(t, c.issuer.RemoveKey(last.ID()))
	c.gateway.awaitKey(t, "vneid", last.ID(), false)
	last.state.Store(gone)
}

// judge holds what happened against what may.
func (c *chaos) judge(t *testing.T, elapsed time.Duration) {
	t.Helper()
	for _, complaint := range c.complaints {
		t.Error(complaint)
	}
	if n := c.failed.Load() + c.passed.Load() + c.believed.Load(); n > 0 {
		t.Errorf("%d known tokens failed, %d withdrawn ones and %d of strangers passed", c.failed.Load(), c.passed.Load(), c.believed.Load())
	}
	budget := chaosBudget(elapsed)
	for _, path := range []string{backend.DiscoveryPath, backend.KeySetPath} {
		if n := c.issuer.Fetches(path); n > budget {
			t.Errorf("%s was asked for %d times in %s, more than %d", path, n, elapsed, budget)
		}
	}
	if n := c.gateway.metric(t, `vneid_gateway_key_set_fetches_total{issuer="vneid"}`); int64(n) > budget {
		t.Errorf("%.0f fetches in %s, more than %d", n, elapsed, budget)
	}
	if n := c.served.Load(); n < int64(elapsed.Seconds())*10 || c.cold.Load() == 0 || c.withdrawn.Load() == 0 || c.strangers.Load() == 0 {
		t.Errorf("not much of a run: %d served", n)
	}
	for _, reason := range []string{
		"unreachable", "timeout", "status", "too_large", "redirect", "malformed", "issuer_mismatch", "no_usable_key", "breaker_open",
	} {
		if c.gateway.metric(t, `vneid_gateway_key_set_fetch_failures_total{issuer="vneid",reason="`+reason+`"}`) == 0 {
			t.Errorf("no fetch failed for %s", reason)
		}
	}
	if c.gateway.metric(t, `vneid_gateway_backend_breaker_opened_total{call="keys",issuer="vneid"}`) == 0 {
		t.Error("the breaker never opened")
	}
}
