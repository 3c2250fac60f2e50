//go:build !race

package identity_test

import (
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// ristretto notes look-ups in buffers of its own, one for each 64 of them: AllocsPerRun rounds that down to none.
func TestABelievedAnswerIsFoundWithoutAllocating(t *testing.T) {
	a := &asker{answer: active}
	n, end := introspections(t, identity.IntrospectionsConfig{Asker: a, Verifier: opaqueVerifier(t, fakeIssuer, fakeAudience), MaxAge: time.Hour})
	defer end()
	raw, now := []byte("good"), time.Now()
	digest := cache.Digest(raw)
	v, err := n.Verdict(t.Context(), raw, &digest, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(1000, func() {
		if !n.Fresh(v, now) {
			t.Fatal("not fresh")
		}
	}); got != 0 {
		t.Errorf("Fresh: %v allocations", got)
	}
	for { // Until it is kept.
		before := a.calls.Load()
		if _, err := n.Verdict(t.Context(), raw, &digest, now); err != nil {
			t.Fatal(err)
		}
		if a.calls.Load() == before {
			break
		}
	}
	ctx := t.Context()
	if got := testing.AllocsPerRun(10_000, func() {
		if _, err := n.Verdict(ctx, raw, &digest, now); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("Verdict: %v allocations", got)
	}
}
