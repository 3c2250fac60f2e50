package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// silentEvents says nothing new, as long as it is there.
func silentEvents(t *testing.T) *loopback.Server {
	t.Helper()
	return handle(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"sets": map[string]string{}})
	})
}

// goesStale is what both kinds of sources have in common: it is told by readiness
// and to whoever shows a credential, unless the site says otherwise, and ends by
// itself.
func (g *faulted) goesStale(t *testing.T, w *revocationWorld, revoked, good minted, source string, leave, comeBack func()) {
	t.Helper()
	lenient := func(token minted) answer { return g.from(t, "lenient", request{path: reading, token: token.raw}) }
	g.shows(t, good).echo(t)
	g.refuses(t, revoked)
	leave()
	g.awaitStatus(t, http.StatusServiceUnavailable)
	if why := g.missing(t); !strings.Contains(why, "revocations from "+source) || !strings.Contains(why, "silent for longer than hard_stale") {
		t.Errorf("readiness says %s", why)
	}
	a := g.shows(t, good)
	a.refusedWith(t, http.StatusServiceUnavailable, "revocations_stale")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	g.shows(t, w.mint(t, nil)).refusedWith(t, http.StatusServiceUnavailable, "revocations_stale") // no cached verdict
	g.from(t, "s", request{path: openPages}).echo(t)
	lenient(good).echo(t)
	lenient(revoked).refusedWith(t, http.StatusUnauthorized, "token_revoked") // what is known is refused
	if n := g.sum(t, "vneid_gateway_revocation_source_stale", `limit="hard"`); n != 1 {
		t.Errorf("%v sources past their hard limit", n)
	}
	comeBack()
	g.awaitReady(t)
	g.shows(t, good).echo(t)
	g.refuses(t, revoked)
	if n := g.sum(t, "vneid_gateway_revocation_source_stale"); n != 0 {
		t.Errorf("%v limits passed after it came back", n)
	}
}

func TestASilentTransmitterMakesRevocationsStale(t *testing.T) {
	t.Parallel()
	skipLong(t)
	w := newRevocationWorld(t)
	transmitter := silentEvents(t)
	g := w.serveReady(t, revocationConfig{
		directory:  newDirectory(t),
		revocation: "  soft_stale: 1s\n  hard_stale: 2s",
		issuer: fmt.Sprintf(`    backend: { break_for: 500ms }
    revocation: { events: { audience: [gateway], poll_url: %q, poll_every: 100ms } }`, transmitter.URL()),
	})
	revoked, good := w.mint(t, nil), w.mint(t, nil)
	newCallers(t).mustRevoke(t, g, ofTokens(revoked)...)
	const rounds = 2
	for range rounds {
		g.goesStale(t, w, revoked, good, "events of issuer vneid", func() {
			if err := transmitter.Refuse(0); err != nil {
				t.Fatal(err)
			}
		}, func() {
			if err := transmitter.Accept(); err != nil {
				t.Fatal(err)
			}
		})
	}
	g.await(t, "a source of revocations has been silent for longer than revocation.hard_stale")
	g.await(t, "all sources of revocations are heard of again")
	t.Logf("gone and back %d times", rounds)
	g.stop(t)
}

// A gateway that has never heard of its source is not ready, and knows that after
// hard_stale.
func TestATransmitterThatIsNotThereYetKeepsTheGatewayFromReadiness(t *testing.T) {
	t.Parallel()
	skipLong(t)
	w := newRevocationWorld(t)
	transmitter := silentEvents(t)
	if err := transmitter.Refuse(0); err != nil {
		t.Fatal(err)
	}
	g := w.serve(t, revocationConfig{
		directory:  newDirectory(t),
		revocation: "  soft_stale: 1s\n  hard_stale: 1s",
		issuer: fmt.Sprintf(`    backend: { break_for: 500ms }
    revocation: { events: { audience: [gateway], poll_url: %q, poll_every: 100ms } }`, transmitter.URL()),
	})
	good := w.mint(t, nil)
	g.awaitThat(t, "refused for staleness", func() bool {
		a := g.shows(t, good)
		return a.status == http.StatusServiceUnavailable && strings.Contains(a.body, "revocations_stale")
	})
	if why := g.missing(t); !strings.Contains(why, "revocations from events of issuer vneid") || !strings.Contains(why, "not asked with success yet") {
		t.Errorf("readiness says %s", why)
	}
	g.from(t, "s", request{path: openPages}).echo(t)
	if err := transmitter.Accept(); err != nil {
		t.Fatal(err)
	}
	g.awaitReady(t)
	g.shows(t, good).echo(t)
	g.stop(t)
}

func TestAFleetOutOfReachMakesRevocationsStale(t *testing.T) {
	t.Parallel()
	skipLong(t)
	redis := startRedis(t)
	w := newRevocationWorld(t)
	g := w.serveReady(t, revocationConfig{
		directory: newDirectory(t),
		revocation: fmt.Sprintf("  soft_stale: 1s\n  hard_stale: 2s\n  secret_file: %s\n  fleet: { redis: [%q], timeout: 500ms }",
			sharedSecret(t), redis.address),
	})
	revoked, good := w.mint(t, nil), w.mint(t, nil)
	newCallers(t).mustRevoke(t, g, ofTokens(revoked)...)
	g.goesStale(t, w, revoked, good, "the fleet", redis.kill, redis.start)
	t.Log("gone and back once")
	g.stop(t)
}
