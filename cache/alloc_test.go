//go:build !race

package cache

import (
	"testing"
)

// ristretto itself allocates a buffer of 512 bytes for each 64 look-ups that it takes note of: less than one allocation
// in a look-up, which AllocsPerRun rounds down to none. Beyond it there is nothing.
func TestHitAllocatesNothing(t *testing.T) {
	c := newVerdicts(t, VerdictsConfig{})
	var keys Keys
	pair, verifier := newPair(t, "a"), newVerifier(t)
	replace(t, &keys, testNow, read(t, pair)...)
	key, err := keys.Key("a", "EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	raw := pair.mint(t, "s", epoch+600)
	put(c, raw, verdict("s", epoch+600, key), verifier, testNow)
	if n := testing.AllocsPerRun(10_000, func() {
		v, ok := c.Get(raw)
		if !ok || v.Usable(testNow, verifier) != nil {
			t.Fatal("no hit")
		}
	}); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
	here, absent := Digest(raw), Digest([]byte("another"))
	if n := testing.AllocsPerRun(1000, func() {
		if !c.Has(&here) || c.Has(&absent) {
			t.Fatal("not found, or another one is")
		}
	}); n != 0 {
		t.Errorf("Has allocates %v times", n)
	}
}

func TestKeyLookupAllocatesNothing(t *testing.T) {
	var keys Keys
	replace(t, &keys, testNow, read(t, newPair(t, "a"), newPair(t, "b"))...)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := keys.Key("b", "EdDSA"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
