package cache

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func kids(k *Keys) []string {
	var list []string
	for _, key := range k.Snapshot().All() {
		list = append(list, key.ID())
	}
	return list
}

// purge purges, and expects that it may.
func purge(t *testing.T, k *Keys, kid string) int {
	t.Helper()
	n, err := k.Purge(kid, testNow)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// as is the same key under another kid.
func (p pair) as(kid string) pair {
	jwk := maps.Clone(p.jwk)
	jwk["kid"] = kid
	return pair{p.private, jwk}
}

func TestAPurgedKeyIsGoneAtOnceWithItsVerdicts(t *testing.T) {
	t.Parallel()
	var k Keys
	verifier, verdicts := newVerifier(t), newVerdicts(t, VerdictsConfig{})
	a, b := newPair(t, "a"), newPair(t, "b")
	replace(t, &k, testNow, read(t, a, b)...)
	raw := a.mint(t, "subject", epoch+600)
	parsed, err := token.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := verifier.Verify(&parsed, &k, testNow)
	if err != nil {
		t.Fatal(err)
	}
	verdicts.Put(raw, verified, verifier, testNow)
	verdicts.cache.Wait()
	if n := purge(t, &k, "a"); n != 1 {
		t.Errorf("%d keys", n)
	}
	if v, ok := verdicts.Get(raw); !ok || !errors.Is(v.Usable(testNow, verifier), token.ErrKeyWithdrawn) {
		t.Error("its verdict is usable")
	}
	if _, err := verifier.Verify(&parsed, &k, testNow); !errors.Is(err, token.ErrKeyUnknown) {
		t.Errorf("verifying anew: %v", err)
	}
	if got := kids(&k); !slices.Equal(got, []string{"b"}) || k.Snapshot().All()[0].Withdrawn() {
		t.Errorf("keys %q", got)
	}
	// What is left is as old as it was.
	if age, ok := k.Age(testNow.Add(time.Minute)); !ok || age != time.Minute {
		t.Errorf("age %v, %v", age, ok)
	}
	if n := purge(t, &k, "a"); n != 0 || len(k.Purged()) != 1 {
		t.Errorf("again: %d keys, %v", n, k.Purged())
	}
}

func TestAPurgedKeyStaysOutUntilItIsAllowed(t *testing.T) {
	t.Parallel()
	var k Keys
	a, b := newPair(t, "a"), newPair(t, "b")
	first := read(t, a, b)
	replace(t, &k, testNow, first...)
	purge(t, &k, "a")
	for range 3 {
		if got := replace(t, &k, testNow, read(t, a, b)...); got != (Change{Kept: 1}) {
			t.Errorf("%+v", got)
		}
		// Not even alone, where nothing else is left.
		if got := replace(t, &k, testNow, read(t, a)...); got != (Change{Removed: 1}) || k.Snapshot().Len() != 0 {
			t.Errorf("alone: %+v, %q", got, kids(&k))
		}
		if got := replace(t, &k, testNow, read(t, b)...); got != (Change{Added: 1}) {
			t.Errorf("%+v", got)
		}
	}
	if n := k.Allow("b"); n != 0 {
		t.Errorf("another is allowed: %d", n)
	}
	if n := k.Allow("a"); n != 1 || len(k.Purged()) != 0 || k.Allow("a") != 0 {
		t.Errorf("allowed %d, left %v", n, k.Purged())
	}
	if got := kids(&k); !slices.Equal(got, []string{"b"}) {
		t.Errorf("allowed, and there without a fetch: %q", got)
	}
	replace(t, &k, testNow, read(t, a, b)...)
	now, err := k.Key("a", "EdDSA")
	if err != nil || now == first[0] || now.Withdrawn() || !first[0].Withdrawn() {
		t.Errorf("%v, %v", now, err)
	}
}

// A key is compromised, not a name.
func TestAPurgeIsOfTheKeyWhateverItIsCalled(t *testing.T) {
	t.Parallel()
	var k Keys
	a, b := newPair(t, "a"), newPair(t, "b")
	twin := read(t, a, a.as("alias"), b)
	replace(t, &k, testNow, twin...)
	if n := purge(t, &k, "a"); n != 2 || !twin[1].Withdrawn() || !slices.Equal(kids(&k), []string{"b"}) {
		t.Errorf("%d keys, left %q", n, kids(&k))
	}
	replace(t, &k, testNow, read(t, a.as("new"), b)...)
	if got := kids(&k); !slices.Equal(got, []string{"b"}) {
		t.Errorf("under another name: %q", got)
	}
	// While another key may have its name.
	replace(t, &k, testNow, read(t, newPair(t, "a"), b)...)
	if got := kids(&k); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("another key of its name: %q", got)
	}
	// It is named as it was purged.
	if n := k.Allow("alias"); n != 0 {
		t.Errorf("allowed %d", n)
	}
	if n := k.Allow("a"); n != 1 {
		t.Errorf("allowed %d", n)
	}
}

func TestAKeyWithoutKidCanBePurged(t *testing.T) {
	t.Parallel()
	var k Keys
	nameless := newPair(t, "")
	replace(t, &k, testNow, read(t, nameless)...)
	if n := purge(t, &k, ""); n != 1 || k.Snapshot().Len() != 0 {
		t.Errorf("%d keys", n)
	}
	if n := k.Allow(""); n != 1 {
		t.Errorf("allowed %d", n)
	}
}

func TestPurgesOfAnEarlierRunHold(t *testing.T) {
	t.Parallel()
	var before, k Keys
	a, b := newPair(t, "a"), newPair(t, "b")
	replace(t, &before, testNow, read(t, a, b)...)
	purge(t, &before, "a")
	for range 2 {
		k.Remember(before.Purged())
	}
	replace(t, &k, testNow, read(t, a, b)...)
	if got := kids(&k); !slices.Equal(got, []string{"b"}) || !slices.Equal(k.Purged(), before.Purged()) {
		t.Errorf("keys %q, purged %v", got, k.Purged())
	}
	// What is handed out is the caller's.
	k.Purged()[0].KeyID = "x"
	if k.Purged()[0].KeyID != "a" {
		t.Error("it is not a copy")
	}
}

func TestAPurgeBeyondTheBoundIsRefusedAndNoneIsForgotten(t *testing.T) {
	t.Parallel()
	var k Keys
	var earlier []Purged
	for n := range maxPurged - 1 {
		earlier = append(earlier, Purged{KeyID: fmt.Sprint(n), Thumbprint: [32]byte{byte(n), byte(n >> 8)}, At: testNow})
	}
	k.Remember(earlier)
	a, b := newPair(t, "a"), newPair(t, "b")
	// Two keys under one name: there is room for one of them.
	replace(t, &k, testNow, append(read(t, a, newPair(t, "twins")), read(t, newPair(t, "twins"), b)...)...)
	for _, c := range []struct {
		kid  string
		gone int
		err  error
		held int
	}{
		{"twins", 0, ErrPurgesFull, maxPurged - 1},
		{"a", 1, nil, maxPurged},
		{"b", 0, ErrPurgesFull, maxPurged},
		{"nobody", 0, nil, maxPurged},
	} {
		before := k.Snapshot().Len()
		if n, err := k.Purge(c.kid, testNow); n != c.gone || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%q: %d %v", c.kid, n, err)
		}
		if left := k.Snapshot().Len(); left != before-c.gone {
			t.Errorf("%q: %d keys, then %d", c.kid, before, left)
		}
		if list := k.Purged(); len(list) != c.held || !slices.Equal(list[:len(earlier)], earlier) {
			t.Errorf("%q: %d are remembered", c.kid, len(list))
		}
	}
	for _, key := range k.Snapshot().All() {
		if key.Withdrawn() {
			t.Errorf("%s is in use, and withdrawn", key.ID())
		}
	}
	// What was purged before costs no room a second time.
	replace(t, &k, testNow, read(t, a.as("another"), b)...)
	if got := kids(&k); !slices.Equal(got, []string{"b"}) {
		t.Errorf("keys %q", got)
	}
	if k.Allow("0") != 1 {
		t.Error("nothing to allow")
	}
	if n, err := k.Purge("b", testNow); n != 1 || err != nil || len(k.Purged()) != maxPurged {
		t.Errorf("%d %v", n, err)
	}
}

// What is on disk was acknowledged, whatever the bound was then.
func TestEveryPurgeOfAnEarlierRunIsRemembered(t *testing.T) {
	t.Parallel()
	var k Keys
	for n := range maxPurged + 10 {
		k.Remember([]Purged{{KeyID: fmt.Sprint(n), Thumbprint: [32]byte{byte(n), byte(n >> 8)}, At: testNow}})
	}
	if n := len(k.Purged()); n != maxPurged+10 {
		t.Errorf("%d", n)
	}
}

// Invariant 4, in motion: once Purge has returned, no fetch that was under way
// brings the key back, and nothing that was verified under it is usable.
func TestPurgesHoldWhileSetsAreReplaced(t *testing.T) {
	t.Parallel()
	var k Keys
	verifier := newVerifier(t)
	a, b := newPair(t, "a"), newPair(t, "b")
	raw := a.mint(t, "subject", epoch+600)
	replace(t, &k, testNow, read(t, a, b)...)
	stop := make(chan struct{})
	var workers sync.WaitGroup
	loop := func(work func()) {
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					work()
				}
			}
		})
	}
	for range 2 {
		loop(func() {
			if _, err := k.Replace(read(t, a, b), testNow); err != nil {
				t.Error(err)
			}
		})
	}
	loop(func() { _ = k.Purged() })
	verify := func() (token.Verified, error) {
		parsed, err := token.Parse(raw)
		if err != nil {
			t.Error(err)
		}
		return verifier.Verify(&parsed, &k, testNow)
	}
	for round := range 100 {
		var held token.Verified
		for held.Key == nil { // Until a fetch has brought it.
			held, _ = verify()
		}
		if purge(t, &k, "a") != 1 {
			t.Fatalf("round %d: it was not there", round)
		}
		if !held.Key.Withdrawn() {
			t.Errorf("round %d: a verdict outlived the purge", round)
		}
		for range 5 {
			if _, err := verify(); err == nil {
				t.Errorf("round %d: it is back", round)
			}
		}
		if k.Allow("a") != 1 {
			t.Errorf("round %d: nothing to allow", round)
		}
	}
	close(stop)
	workers.Wait()
}
