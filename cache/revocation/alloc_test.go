//go:build !race

package revocation

import (
	"testing"
)

func TestLookupAllocatesNothing(t *testing.T) {
	s, key := newStore(t, Config{}), newKey(t, "kid-1")
	c := claimsOf(epoch)
	check := func(what string, want bool) {
		t.Helper()
		if n := testing.AllocsPerRun(1000, func() {
			if s.Revoked(c, key) != want {
				t.Fatal("wrong answer")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
	check("empty", false)
	for _, k := range Kinds() {
		id := "another"
		if k == KindThumbprint {
			id = thumbprintOf(newKey(t, "kid-2"))
		}
		add(t, s, Entry{Kind: k, Issuer: issuer, ID: id, Until: later})
	}
	check("not revoked", false)
	for _, e := range []Entry{
		{Kind: KindThumbprint, Issuer: issuer, ID: thumbprintOf(key), Until: later},
		{Kind: KindKeyID, Issuer: issuer, ID: "kid-1", Until: later},
		{Kind: KindSubject, Issuer: issuer, ID: "sub-1", Until: later},
		{Kind: KindToken, Issuer: issuer, ID: "jti-1", Until: later},
	} {
		add(t, s, e)
		check(e.Kind.String(), true)
	}
}
