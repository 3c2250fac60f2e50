package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fleetNodes is how many gateways share a Redis in these tests.
const fleetNodes = 3

// revocationFleet is gateways that tell one another by a Redis; each reaches it
// through a link of its own.
type revocationFleet struct {
	*revocationWorld
	redis     *redisServer
	configs   [fleetNodes]revocationConfig
	links     [fleetNodes]*link
	nodes     [fleetNodes]*faulted
	operators [fleetNodes]*callers
}

// newRevocationFleet starts a Redis and the nodes, and waits until they are ready; more
// is what the section fleet says besides.
func newRevocationFleet(t testing.TB, more string) *revocationFleet {
	t.Helper()
	return newRevocationFleetBefore(t, "", more)
}

// newRevocationFleetBefore does so before an upstream, "" for one that echoes.
func newRevocationFleetBefore(t testing.TB, upstream, more string) *revocationFleet {
	t.Helper()
	f := &revocationFleet{redis: startRedis(t), revocationWorld: newRevocationWorld(t)}
	if upstream != "" {
		f.upstream = upstream
	}
	secret := sharedSecret(t)
	for i := range f.nodes {
		f.links[i], f.operators[i] = startLink(t, f.redis.address), newCallers(t)
		f.configs[i] = revocationConfig{directory: newDirectory(t), revocation: fmt.Sprintf(
			"  secret_file: %s\n  fleet: { redis: [%q], timeout: 2s%s }", secret, f.links[i].address(), more)}
		f.nodes[i] = f.serve(t, f.configs[i])
	}
	for _, g := range f.nodes {
		g.awaitReady(t)
	}
	return f
}

const fleetCaughtUp = "vneid_gateway_fleet_caught_up"

// awaitCaughtUp returns when a node says that it is, or is not, caught up.
func (g *faulted) awaitCaughtUp(t testing.TB, is float64) {
	t.Helper()
	g.awaitThat(t, fmt.Sprintf("caught up: %v", is), func() bool { return g.metric(t, fleetCaughtUp) == is })
}

func (f *revocationFleet) stop(t *testing.T) {
	t.Helper()
	for _, g := range f.nodes {
		g.stop(t)
	}
}

// each does something for each node at the same time.
func (f *revocationFleet) each(do func(i int) error) error {
	var failed [fleetNodes]error
	var doing sync.WaitGroup
	for i := range f.nodes {
		doing.Go(func() { failed[i] = do(i) })
	}
	doing.Wait()
	return errors.Join(failed[:]...)
}

func TestTenThousandRevocationsReachEveryNodeAndNothingElseIsRefused(t *testing.T) {
	t.Parallel()
	skipLong(t)
	const events, single, batch, spared = 10_000, 1000, 250, 1000
	f := newRevocationFleet(t, "")
	doomed, good := f.mintMany(t, events), f.mintMany(t, spared)
	for _, g := range f.nodes {
		g.answersAll(t, good, http.StatusOK)
	}
	f.nodes[0].answersAll(t, doomed, http.StatusOK) // their verdicts are cached there
	var calls atomic.Int64
	if err := f.each(func(i int) error {
		revoke := func(tokens []minted) error {
			calls.Add(1)
			return f.operators[i].revoke(f.nodes[i], ofTokens(tokens...)...)
		}
		for n := i; n < single; n += fleetNodes {
			if err := revoke(doomed[n : n+1]); err != nil {
				return err
			}
		}
		for n := single + i*batch; n < events; n += fleetNodes * batch {
			if err := revoke(doomed[n:min(n+batch, events)]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, g := range f.nodes {
		g.comesToRefuse(t, doomed)
		g.answersAll(t, good, http.StatusOK)
		if n := g.metric(t, `vneid_gateway_revocation_entries{kind="token"}`); n != events {
			t.Errorf("%v entries, want %d", n, events)
		}
	}
	t.Logf("%d events in %d calls to %d nodes: each refused by every node; %d tokens spared", events, calls.Load(), fleetNodes, spared)
	f.stop(t)
}

// What others have revoked while a node was away, it refuses when it says that it has
// caught up, not some time later.
func TestANodeThatWasCutOffRefusesEverythingWhenItHasCaughtUp(t *testing.T) {
	t.Parallel()
	skipLong(t)
	const rounds, each = 5, 400
	f := newRevocationFleet(t, "")
	away := f.nodes[2]
	var doomed []minted
	good := f.mintMany(t, 50)
	f.links[2].slow.Store(true) // it takes many reads, and some time
	for range rounds {
		f.links[2].setCut(true)
		away.awaitCaughtUp(t, 0)
		fresh := f.mintMany(t, each)
		away.answersAll(t, fresh, http.StatusOK)
		if err := f.each(func(i int) error {
			for n := i; i < 2 && n < each; n += 2 {
				if err := f.operators[i].revoke(f.nodes[i], ofTokens(fresh[n])...); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		away.answersAll(t, doomed, http.StatusUnauthorized) // it keeps what it knows
		f.links[2].setCut(false)
		away.awaitCaughtUp(t, 1)
		away.refuses(t, fresh[each-1])
		away.answersAll(t, fresh, http.StatusUnauthorized)
		doomed = append(doomed, fresh...)
	}
	for _, g := range f.nodes {
		g.comesToRefuse(t, doomed)
		g.answersAll(t, good, http.StatusOK)
	}
	t.Logf("cut off %d times; %d revocations, all refused from the moment it had caught up", rounds, len(doomed))
	f.stop(t)
}

func TestRedisKilledAndStartedAgainLosesNoAcknowledgedRevocation(t *testing.T) {
	t.Parallel()
	skipLong(t)
	const kills = 3
	f := newRevocationFleet(t, "") // when_away: refuse
	good := f.mintMany(t, 50)
	var mu sync.Mutex
	var acknowledged []minted
	var refused int
	enough := make(chan struct{})
	// Senders that send again what was not acknowledged, as RFC 8935 has it.
	var senders sync.WaitGroup
	for i, g := range f.nodes {
		tokens := f.mintMany(t, 2000)
		senders.Go(func() {
			for n := 0; n < len(tokens); {
				select {
				case <-enough:
					return
				default:
				}
				a, err := f.operators[i].post(g, ofTokens(tokens[n])...)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if a.status == http.StatusOK {
					acknowledged = append(acknowledged, tokens[n])
					n++
				} else {
					a.refusedLater(t, "revocation_fleet_unavailable")
					refused++
				}
				mu.Unlock()
			}
		})
	}
	known := func() []minted {
		mu.Lock()
		defer mu.Unlock()
		return append([]minted(nil), acknowledged...)
	}
	for range kills {
		before := len(known())
		eventually(t, "some are acknowledged", func() bool { return len(known()) >= before+50 })
		f.redis.kill()
		for _, g := range f.nodes {
			g.awaitCaughtUp(t, 0)
		}
		f.redis.start()
		sure := known() // acknowledged before any node says that it has caught up
		for _, g := range f.nodes {
			g.awaitCaughtUp(t, 1)
			g.answersAll(t, sure, http.StatusUnauthorized)
		}
	}
	close(enough)
	senders.Wait()
	for _, g := range f.nodes {
		g.comesToRefuse(t, known())
		g.answersAll(t, good, http.StatusOK)
	}
	if refused == 0 {
		t.Error("no sender was told to come again: the test met no moment without Redis")
	}
	t.Logf("Redis killed %d times; %d acknowledged, %d times told to come again; all refused by every node", kills, len(known()), refused)
	f.stop(t)
}

// A Redis that comes back with nothing is told everything, and a node that has not
// been told does not say that it is ready.
func TestANodeIsNotReadyBeforeItKnowsWhatARedisHasLost(t *testing.T) {
	t.Parallel()
	skipLong(t)
	const events = 2000
	f := newRevocationFleet(t, "")
	kill(t, f.nodes[2].process)
	doomed, good := f.mintMany(t, events), f.mintMany(t, 50)
	for i := range 2 {
		f.operators[i].mustRevoke(t, f.nodes[i], ofTokens(doomed[i*events/2:(i+1)*events/2]...)...)
	}
	for _, l := range f.links[:2] {
		l.setCut(true)
	}
	f.redis.kill()
	f.redis.lose()
	f.redis.start()
	late := f.serve(t, f.configs[2])
	f.nodes[2] = late
	late.await(t, "fleet: connected") // the first to come: Redis has nothing yet
	if why := late.missing(t); !strings.Contains(why, "revocations from the fleet") {
		t.Errorf("readiness says %s", why)
	}
	late.await(t, "key set changed")
	late.shows(t, doomed[0]).echo(t) // whoever asks it all the same: nobody has told it
	for _, l := range f.links[:2] {
		l.setCut(false)
	}
	late.awaitReady(t)
	late.answersAll(t, doomed, http.StatusUnauthorized)
	late.answersAll(t, good, http.StatusOK)
	for _, g := range f.nodes[:2] {
		g.comesToRefuse(t, doomed)
	}
	t.Logf("%d revocations lost by Redis, all refused from the moment the third node was ready", events)
	f.stop(t)
}
