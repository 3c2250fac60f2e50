package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
)

// rubbishGrowth bounds by how much answers of 100 MiB may let the process grow:
// several at one time, each up to backend.max_bytes, and what the collector
// leaves lying.
const rubbishGrowth = 48 << 20

// Each of these keeps the last good set and is counted for what it is. All of
// them come at one time, each to an issuer of its own.
func TestEveryWrongAnswerKeepsTheLastGoodSetAndIsCountedByReason(t *testing.T) {
	t.Parallel()
	type wrong struct {
		*party
		fault  backend.Fault
		path   string
		reason string
	}
	const (
		quick   = "break_after: 1000, timeout: 20s"
		hurried = "break_after: 1000, timeout: 1s"
		keys    = backend.KeySetPath
		plain   = "application/json"
	)
	issuer := func(name, bounds string) *party { return newParty(t, name, "refresh: 1s", bounds) }
	twins := issuer("duplicate-kids", quick)
	elsewhere := newParty(t, "elsewhere", "refresh: 1h", quick)
	discovered := issuer("wrong-issuer", quick)
	discovered.jwks = "discovery: true, refresh: 1s"
	lost := issuer("discovery-page", quick)
	lost.jwks = discovered.jwks
	all := []wrong{
		{issuer("down", quick), backend.Down(), keys, "unreachable"},
		{issuer("page", quick), backend.HTML(), keys, "malformed"},
		{lost, backend.HTML(), backend.DiscoveryPath, "malformed"},
		{issuer("status-500", quick), backend.Status(http.StatusInternalServerError), keys, "status"},
		{issuer("status-204", quick), backend.Status(http.StatusNoContent), keys, "status"},
		{issuer("truncated", quick), backend.Truncated(), keys, "unreachable"},
		{issuer("bomb", quick), backend.Bomb(32 << 20), keys, "malformed"},
		{issuer("huge", quick), backend.Huge(backend.HugeSize), keys, "too_large"},
		{issuer("byte-a-second", hurried), backend.Trickle(time.Second), keys, "timeout"},
		{issuer("slow", hurried), backend.Slow(patience), keys, "timeout"},
		{twins, twins.DuplicateKids(), keys, "no_usable_key"},
		{discovered, backend.WrongIssuer(), backend.DiscoveryPath, "issuer_mismatch"},
		{issuer("keys-null", quick), backend.Body(plain, []byte(`{"keys":null}`)), keys, "no_usable_key"},
		{issuer("no-keys", quick), backend.Body(plain, []byte(`{"keys":[]}`)), keys, "no_usable_key"},
		{issuer("no-set", quick), backend.Body(plain, []byte(`[]`)), keys, "no_usable_key"},
		{issuer("nothing", quick), backend.Body(plain, nil), keys, "malformed"},
		{issuer("redirect", quick), backend.RedirectCrossOrigin(elsewhere.Issuer()), keys, "redirect"},
	}
	parties := []*party{elsewhere}
	for _, w := range all {
		parties = append(parties, w.party)
	}
	g := serve(t, partyConfig(startSite(t).URL(), parties...))
	g.awaitReady(t)
	for _, w := range all {
		w.serves(t, g)
	}
	before, asked := residentPeak(t, g.pid), elsewhere.Fetches(keys)
	for _, w := range all {
		if err := w.SetFaultAt(w.path, w.fault, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range all {
		eventually(t, w.name+" counted twice as "+w.reason, func() bool { return w.failures(t, g, w.reason) >= 2 })
	}
	for _, w := range all {
		w.serves(t, g)
		if n := w.gauge(t, g, "key_set_keys"); n != 1 {
			t.Errorf("%s: %.0f keys", w.name, n)
		}
		for _, other := range []string{"unreachable", "timeout", "status", "too_large", "redirect", "malformed", "issuer_mismatch", "no_usable_key", "breaker_open", "other"} {
			if n := w.failures(t, g, other); other != w.reason && n > 0 {
				t.Errorf("%s: %.0f counted as %s", w.name, n, other)
			}
		}
		if view := g.keys(t, w.name); view.LastFailure != w.reason {
			t.Errorf("%s: /keys says %q", w.name, view.LastFailure)
		}
	}
	if a := get(t, g.admin+"/readyz"); a.status != http.StatusOK {
		t.Errorf("/readyz: %d %s", a.status, a.body)
	}
	if n := elsewhere.Fetches(keys); n != asked {
		t.Errorf("the redirect to another origin was followed %d times", n-asked)
	}
	if after := residentPeak(t, g.pid); after > before+rubbishGrowth {
		t.Errorf("the process grew from %d to %d KiB", before>>10, after>>10)
	}
	for _, w := range all {
		w.SetFault(nil)
	}
	for _, w := range all {
		eventually(t, w.name+" good again", func() bool { return g.keys(t, w.name).LastFailure == "" })
	}
	g.stop(t)
}

func TestARedirectWithinTheOriginIsFollowed(t *testing.T) {
	t.Parallel()
	p := newParty(t, "vneid", "refresh: 1h", "")
	p.SetFault(backend.RedirectSameOrigin())
	g := serve(t, partyConfig(startSite(t).URL(), p))
	g.awaitReady(t)
	p.serves(t, g)
	if n := p.Fetches(backend.KeySetPath); n != 2 {
		t.Errorf("%d requests, want the redirected one and the other", n)
	}
	g.stop(t)
}

// An answer that cannot be used is no success of the call: the backend is left
// alone after so many of them, as after so many errors.
func TestBreakerOpensForAnswersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	page := newParty(t, "page", "refresh: 1s", "break_after: 2, break_for: 10m")
	discovered := newParty(t, "discovered", "", page.bounds)
	discovered.jwks = "discovery: true, refresh: 1s"
	g := serve(t, partyConfig(startSite(t).URL(), page, discovered))
	g.awaitReady(t)
	for _, p := range []*party{page, discovered} {
		if err := p.SetFaultAt(backend.KeySetPath, backend.HTML(), 0); err != nil {
			t.Fatal(err)
		}
		p.ResetFetches()
	}
	for _, p := range []*party{page, discovered} {
		eventually(t, p.name+" open", func() bool { return p.failures(t, g, "breaker_open") >= 1 })
		if n, failed := p.Fetches(backend.KeySetPath), p.failures(t, g, "malformed"); n != 2 || failed != 2 {
			t.Errorf("%s: %d fetches, %.0f of them malformed", p.name, n, failed)
		}
		p.serves(t, g)
	}
	g.stop(t)
}
