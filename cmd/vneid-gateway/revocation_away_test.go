package main

import (
	"net/http"
	"testing"
)

// With when_away: refuse a sender is told to come again. This node refuses the token
// all the same: that can do no harm.
func TestWithoutRedisARevocationIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	skipLong(t)
	f := newRevocationFleet(t, ", when_away: refuse")
	f.redis.kill()
	for _, g := range f.nodes {
		g.awaitCaughtUp(t, 0)
	}
	token := f.mint(t, nil)
	f.nodes[1].shows(t, token).echo(t)
	for range 3 {
		a, err := f.operators[0].post(f.nodes[0], ofTokens(token)...)
		if err != nil {
			t.Fatal(err)
		}
		a.refusedLater(t, "revocation_fleet_unavailable")
	}
	f.nodes[0].refuses(t, token)
	f.nodes[1].shows(t, token).echo(t)
	if n := f.nodes[0].metric(t, `vneid_gateway_revocations_refused_total{reason="revocation_fleet_unavailable",source="operator"}`); n != 3 {
		t.Errorf("%v refused, want 3", n)
	}
	f.redis.start()
	f.nodes[0].awaitCaughtUp(t, 1)
	f.operators[0].mustRevoke(t, f.nodes[0], ofTokens(token)...)
	for _, g := range f.nodes {
		g.comesToRefuse(t, []minted{token})
	}
	t.Log("3 times told to come again, then acknowledged and refused by every node")
	f.stop(t)
}

// With when_away: keep it is acknowledged, kept through a crash, and told to the
// others when Redis is back.
func TestWithoutRedisARevocationIsKeptAndForwardedLater(t *testing.T) {
	t.Parallel()
	skipLong(t)
	const each = 100
	f := newRevocationFleet(t, ", when_away: keep")
	f.redis.kill()
	for _, g := range f.nodes {
		g.awaitCaughtUp(t, 0)
	}
	doomed, good := f.mintMany(t, fleetNodes*each), f.mintMany(t, 50)
	for i, g := range f.nodes {
		own := doomed[i*each : (i+1)*each]
		for n := range own {
			f.operators[i].mustRevoke(t, g, ofTokens(own[n])...)
		}
		g.answersAll(t, own, http.StatusUnauthorized)
		if n := g.metric(t, `vneid_gateway_fleet_records_total{action="deferred"}`); n != each {
			t.Errorf("%v deferred, want %d", n, each)
		}
	}
	f.nodes[0].answersAll(t, doomed[each:], http.StatusOK) // nobody can have told it
	kill(t, f.nodes[0].process)
	f.nodes[0] = f.serve(t, f.configs[0])
	f.nodes[0].await(t, "key set changed")
	f.nodes[0].answersAll(t, doomed[:each], http.StatusUnauthorized)
	f.redis.start()
	for _, g := range f.nodes {
		g.comesToRefuse(t, doomed)
		g.answersAll(t, good, http.StatusOK)
	}
	forwarded := 0.0
	for _, g := range f.nodes {
		g.awaitReady(t)
		g.awaitThat(t, "nothing waits", func() bool { return g.metric(t, "vneid_gateway_fleet_outbox_records") == 0 })
		forwarded += g.metric(t, `vneid_gateway_fleet_records_total{action="forwarded"}`)
	}
	if forwarded < float64(len(doomed)) {
		t.Errorf("%v forwarded, want %d", forwarded, len(doomed))
	}
	t.Logf("%d acknowledged without Redis, one node killed meanwhile, %v forwarded; all refused by every node", len(doomed), forwarded)
	f.stop(t)
}

func TestAConnectionEndsWhenAnotherNodeRevokesItsToken(t *testing.T) {
	t.Parallel()
	skipLong(t)
	upstream := startChat(t)
	f := newRevocationFleetBefore(t, upstream.URL(), "")
	doomed, lasting := f.mint(t, nil), f.mint(t, nil)
	var ends, stays []*edgeConn
	for _, g := range f.nodes {
		ends, stays = append(ends, g.chat(t, doomed.raw)), append(stays, g.chat(t, lasting.raw))
	}
	f.operators[0].mustRevoke(t, f.nodes[0], ofTokens(doomed)...)
	for _, c := range ends {
		c.ended()
	}
	for _, c := range stays {
		c.wantEcho([]byte("still here"))
		_ = c.Close()
	}
	t.Logf("%d WebSockets on as many nodes closed, %d left open", len(ends), len(stays))
	f.stop(t)
}
