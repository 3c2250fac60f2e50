package cache

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func replace(tb testing.TB, k *Keys, at time.Time, keys ...*token.Key) Change {
	tb.Helper()
	change, err := k.Replace(keys, at)
	if err != nil {
		tb.Fatal(err)
	}
	return change
}

func TestKeyIsFoundByKidAndAlgorithm(t *testing.T) {
	t.Parallel()
	var k Keys
	a, b := newPair(t, "a"), newPair(t, "b")
	keys := read(t, a, b)
	replace(t, &k, testNow, keys...)
	for _, c := range []struct {
		kid, alg string
		want     *token.Key
	}{
		{"a", "EdDSA", keys[0]},
		{"b", "EdDSA", keys[1]},
		{"c", "EdDSA", nil},
		{"a", "RS256", nil},
		{"a", "", nil},
		{"A", "EdDSA", nil},
		{"", "EdDSA", nil}, // Two fit.
	} {
		got, err := k.Key(c.kid, c.alg)
		if got != c.want || (c.want == nil) != errors.Is(err, token.ErrKeyUnknown) {
			t.Errorf("kid %q, alg %q: got %v, %v", c.kid, c.alg, got, err)
		}
	}
}

func TestTokenWithoutKidMeansTheOnlyKeyThatFits(t *testing.T) {
	t.Parallel()
	for name, kid := range map[string]string{"key with kid": "a", "key without kid": ""} {
		var k Keys
		keys := read(t, newPair(t, kid))
		replace(t, &k, testNow, keys...)
		if got, err := k.Key("", "EdDSA"); got != keys[0] || err != nil {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		if _, err := k.Key("", "ES256"); !errors.Is(err, token.ErrKeyUnknown) {
			t.Errorf("%s, for another algorithm: %v", name, err)
		}
		if _, err := k.Key("other", "EdDSA"); !errors.Is(err, token.ErrKeyUnknown) {
			t.Errorf("%s, for another kid: %v", name, err)
		}
	}
}

func TestAmbiguousKeysAreNotFound(t *testing.T) {
	t.Parallel()
	// Two documents can bring what ParseKeySet would refuse in one.
	s := newKeySet(append(read(t, newPair(t, "a")), read(t, newPair(t, "a"))...), testNow)
	if _, err := s.Key("a", "EdDSA"); !errors.Is(err, token.ErrKeyUnknown) {
		t.Errorf("got %v", err)
	}
}

func TestZeroKeysKnowNothing(t *testing.T) {
	t.Parallel()
	var k Keys
	if _, err := k.Key("a", "EdDSA"); !errors.Is(err, token.ErrKeyUnknown) {
		t.Errorf("got %v", err)
	}
	if k.Snapshot().Len() != 0 || len(k.Snapshot().All()) != 0 || !k.Snapshot().FetchedAt().IsZero() {
		t.Error("the empty set is not empty")
	}
	if _, ok := k.Age(testNow); ok {
		t.Error("nothing has an age")
	}
}

func TestReplaceKeepsAddsAndWithdraws(t *testing.T) {
	t.Parallel()
	var k Keys
	a, b, c := newPair(t, "a"), newPair(t, "b"), newPair(t, "c")
	first := read(t, a, b)
	if got := replace(t, &k, testNow, first...); got != (Change{Added: 2}) {
		t.Errorf("first: %+v", got)
	}
	if got := replace(t, &k, testNow.Add(time.Minute), read(t, b, c)...); got != (Change{Added: 1, Removed: 1, Kept: 1}) {
		t.Errorf("second: %+v", got)
	}
	if !first[0].Withdrawn() || first[1].Withdrawn() {
		t.Error("the wrong keys are withdrawn")
	}
	if kept, err := k.Key("b", "EdDSA"); kept != first[1] || err != nil {
		t.Error("a key that stays is not the same Key")
	}
	if age, ok := k.Age(testNow.Add(90 * time.Second)); age != 30*time.Second || !ok {
		t.Errorf("age %v, %v", age, ok)
	}
	if all := k.Snapshot().All(); len(all) != 2 || all[0] != first[1] || all[1].ID() != "c" {
		t.Errorf("all: %v", all)
	}
}

func TestKeyUnderAnOldKidIsAnotherKey(t *testing.T) {
	t.Parallel()
	var k Keys
	old := read(t, newPair(t, "a"))
	replace(t, &k, testNow, old...)
	if got := replace(t, &k, testNow, read(t, newPair(t, "a"))...); got != (Change{Added: 1, Removed: 1}) {
		t.Errorf("got %+v", got)
	}
	if !old[0].Withdrawn() {
		t.Error("the old key is not withdrawn")
	}
}

// Invariant 4: a key that comes back does not bring back the verdicts that it took with it.
func TestKeyThatComesBackIsANewKey(t *testing.T) {
	t.Parallel()
	var k Keys
	a, b := newPair(t, "a"), newPair(t, "b")
	first := read(t, a)
	replace(t, &k, testNow, first...)
	replace(t, &k, testNow, read(t, b)...)
	if _, err := k.Replace(first, testNow); !errors.Is(err, ErrKeys) {
		t.Errorf("a withdrawn Key was taken: %v", err)
	}
	replace(t, &k, testNow, read(t, a)...)
	now, err := k.Key("a", "EdDSA")
	if err != nil || now == first[0] || now.Withdrawn() || !first[0].Withdrawn() {
		t.Errorf("got %v, %v", now, err)
	}
}

// "keys": null, an empty array or a set of unusable keys never wipes a good set.
func TestEmptySetReplacesNothing(t *testing.T) {
	t.Parallel()
	var k Keys
	keys := read(t, newPair(t, "a"))
	replace(t, &k, testNow, keys...)
	for _, empty := range [][]*token.Key{nil, {}} {
		if _, err := k.Replace(empty, testNow.Add(time.Hour)); !errors.Is(err, ErrKeys) {
			t.Errorf("got %v", err)
		}
	}
	if got, _ := k.Key("a", "EdDSA"); got != keys[0] || got.Withdrawn() || !k.Snapshot().FetchedAt().Equal(testNow) {
		t.Error("the good set is gone")
	}
}

// Invariant 4, in motion: verifications run while keys come and go. Once Replace has returned, no verdict that rests on
// a removed key is usable, whenever its verification began.
func TestNoVerdictSurvivesItsKey(t *testing.T) {
	t.Parallel()
	var k Keys
	verifier := newVerifier(t)
	verdicts := newVerdicts(t, VerdictsConfig{})
	pairs := []pair{newPair(t, "a"), newPair(t, "b")}
	raws := [][]byte{pairs[0].mint(t, "a", epoch+600), pairs[1].mint(t, "b", epoch+600)}
	replace(t, &k, testNow, read(t, pairs...)...)
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				raw := raws[i%2]
				if v, ok := verdicts.Get(raw); ok && v.Usable(testNow, verifier) == nil {
					continue
				}
				p, err := token.Parse(raw)
				if err != nil {
					t.Error(err)
					return
				}
				if verified, err := verifier.Verify(&p, &k, testNow); err == nil {
					verdicts.Put(raw, verified, verifier, testNow)
				} else if !errors.Is(err, token.ErrKeyUnknown) && !errors.Is(err, token.ErrKeyWithdrawn) {
					t.Error(err)
				}
			}
		})
	}
	for round := range 200 {
		gone := round % 2
		before, err := k.Key(fmt.Sprint(string(rune('a'+gone))), "EdDSA")
		if err != nil {
			t.Fatal(err)
		}
		replace(t, &k, testNow, read(t, pairs[1-gone])...)
		verdicts.cache.Wait() // Whatever is on its way into the cache gets there.
		if v, ok := verdicts.Get(raws[gone]); ok && v.Usable(testNow, verifier) == nil {
			t.Errorf("round %d: a verdict outlived its key", round)
		}
		if !before.Withdrawn() {
			t.Errorf("round %d: the key is not withdrawn", round)
		}
		replace(t, &k, testNow, read(t, pairs...)...)
	}
	close(stop)
	workers.Wait()
}

func TestConcurrentReplacesLeaveOneConsistentSet(t *testing.T) {
	t.Parallel()
	var k Keys
	sets := make([][]*token.Key, 8)
	for i := range sets {
		sets[i] = read(t, newPair(t, "a"), newPair(t, "b"))
	}
	var group sync.WaitGroup
	for _, set := range sets {
		group.Go(func() { _, _ = k.Replace(set, testNow) })
	}
	group.Wait()
	live := 0
	for _, set := range sets {
		if set[0].Withdrawn() != set[1].Withdrawn() {
			t.Error("half a set is withdrawn")
		}
		if !set[0].Withdrawn() {
			live++
			if got, _ := k.Key("a", "EdDSA"); got != set[0] {
				t.Error("the live set is not the current one")
			}
		}
	}
	if live != 1 {
		t.Errorf("%d sets are live", live)
	}
}
