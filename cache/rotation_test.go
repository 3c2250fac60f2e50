package cache

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// world is what a rotation does, the naive way: an issuer that publishes keys,
// a gateway that fetches them at times, and an operator.
type world struct {
	published map[int]bool // by the number of the key
	fetched   map[int]bool // as of the last fetch that worked
	purged    map[int]bool
}

// served are the keys that tokens must verify under.
func (w *world) served(key int) bool { return w.fetched[key] && !w.purged[key] }

// TestRotationServesWhatIsCurrentAndNothingElse plays random histories of an
// issuer and an operator against that model. After each step, every key that is
// current verifies, under the same *token.Key as before where it stayed, and no
// key that was withdrawn or purged does, nor any verdict that was ever reached
// under it.
func TestRotationServesWhatIsCurrentAndNothingElse(t *testing.T) {
	t.Parallel()
	const keys, histories, steps = 6, 10, 80
	pairs := make([]pair, keys)
	raws := make([][]byte, keys)
	for i := range pairs {
		// Half of them share a name with a twin, of which never both are published.
		pairs[i] = newPair(t, fmt.Sprint("kid-", i%(keys-2)))
		raws[i] = pairs[i].mint(t, "subject", epoch+600)
	}
	verifier := newVerifier(t)
	for history := range histories {
		seed := uint64(history)
		random := rand.New(rand.NewPCG(seed, 0))
		w := &world{map[int]bool{}, map[int]bool{}, map[int]bool{}}
		var k Keys
		held := make(map[int][]*token.Key) // every Key that a verdict rests on
		for step := range steps {
			n := random.IntN(keys)
			kid := fmt.Sprint(pairs[n].jwk["kid"])
			did := ""
			switch random.IntN(6) {
			case 0, 1:
				did = fmt.Sprint("published or withdrawn ", n)
				w.published[n] = !w.published[n]
				for other := range pairs {
					if other != n && pairs[other].jwk["kid"] == kid {
						w.published[other] = false
					}
				}
			case 2, 3:
				did = "fetched"
				fetch(t, &k, w, pairs)
			case 4:
				did = "purged " + kid
				want := 0
				for other := range pairs {
					if pairs[other].jwk["kid"] == kid && w.served(other) {
						w.purged[other] = true
						want++
					}
				}
				if got := purge(t, &k, kid); got != want {
					t.Fatalf("history %d, step %d: purged %d, want %d", seed, step, got, want)
				}
			case 5:
				did = "allowed " + kid
				for other := range pairs {
					if pairs[other].jwk["kid"] == kid && w.purged[other] {
						w.purged[other] = false
						w.fetched[other] = false // until a fetch brings it back
					}
				}
				k.Allow(kid)
			}
			for n := range pairs {
				where := fmt.Sprintf("history %d, step %d (%s): key %d", seed, step, did, n)
				key := under(t, verifier, &k, raws[n])
				if (key != nil) != w.served(n) {
					t.Fatalf("%s: served %v, want %v", where, key != nil, w.served(n))
				}
				if key != nil && !slices.Contains(held[n], key) {
					held[n] = append(held[n], key)
				}
				for _, old := range held[n] {
					if old.Withdrawn() != (old != key) {
						t.Fatalf("%s: a verdict under it is usable: %v", where, !old.Withdrawn())
					}
				}
			}
		}
	}
}

// fetch hands over what is published, or fails where that is nothing.
func fetch(t *testing.T, k *Keys, w *world, pairs []pair) {
	t.Helper()
	var set []pair
	for n := range pairs {
		if w.published[n] {
			set = append(set, pairs[n])
		}
	}
	if len(set) == 0 {
		if _, err := k.Replace(nil, testNow.Add(time.Hour)); err == nil {
			t.Fatal("an empty set was taken")
		}
		return
	}
	replace(t, k, testNow, read(t, set...)...)
	for n := range pairs {
		w.fetched[n] = w.published[n]
	}
}

// under returns the key under which a token verifies, nil for none.
func under(t *testing.T, verifier *token.Verifier, k *Keys, raw []byte) *token.Key {
	t.Helper()
	parsed, err := token.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := verifier.Verify(&parsed, k, testNow)
	if err != nil {
		return nil
	}
	return verified.Key
}
