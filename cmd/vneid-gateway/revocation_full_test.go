package main

import (
	"net/http"
	"testing"
)

// No room is made by forgetting.
func TestAFullStoreRefusesWhatIsNewAndForgetsNothing(t *testing.T) {
	t.Parallel()
	const most = 200
	w := newRevocationWorld(t)
	c := revocationConfig{directory: newDirectory(t), revocation: "  max_entries: 200"}
	g := w.serveReady(t, c)
	operator := newCallers(t)
	first, late := w.mintMany(t, most), w.mintMany(t, 20)
	operator.mustRevoke(t, g, ofTokens(first...)...)
	for i := range late {
		a, err := operator.post(g, ofTokens(late[i])...)
		if err != nil {
			t.Fatal(err)
		}
		a.refusedLater(t, "revocation_store_full")
	}
	// A call that has room for none of its new entries acknowledges none.
	a, err := operator.post(g, append(ofTokens(first[:5]...), ofTokens(late[:5]...)...)...)
	if err != nil {
		t.Fatal(err)
	}
	a.refusedLater(t, "revocation_store_full")
	operator.mustRevoke(t, g, ofTokens(first[:50]...)...) // what is there needs no room
	full := func() {
		t.Helper()
		g.answersAll(t, first, http.StatusUnauthorized)
		g.answersAll(t, late, http.StatusOK)
		if n := g.sum(t, "vneid_gateway_revocation_entries"); n != most {
			t.Errorf("%v entries, want %d", n, most)
		}
	}
	full()
	if n := g.metric(t, `vneid_gateway_revocations_refused_total{reason="revocation_store_full",source="operator"}`); n != 30 {
		t.Errorf("%v refused, want 30", n)
	}
	g = w.restart(t, g, true, c)
	full()
	a, err = operator.post(g, ofTokens(late[0])...)
	if err != nil {
		t.Fatal(err)
	}
	a.refusedLater(t, "revocation_store_full")
	c.revocation = "  max_entries: 1000" // what the operator is told to do
	g = w.restart(t, g, false, c)
	operator.mustRevoke(t, g, ofTokens(late...)...)
	g.answersAll(t, append(first, late...), http.StatusUnauthorized)
	t.Logf("%d entries kept, 30 refused, 20 taken once there was room", most)
	g.stop(t)
}
