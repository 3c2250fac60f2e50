package revocation

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

const (
	epoch  = 1_780_000_000
	issuer = "https://sso.example.vn/realms/citizen"
	legacy = "https://login.example.vn"
)

var testNow = time.Unix(epoch, 0)

// million is what the goals are stated in; benchmarks of the full size are skipped with -short.
const million = 1_000_000

// newStore returns an empty store whose clock stands at testNow.
func newStore(tb testing.TB, cfg Config) *Store {
	tb.Helper()
	s, err := New(cfg, NewSecret())
	if err != nil {
		tb.Fatal(err)
	}
	s.Advance(testNow)
	return s
}

// newKey returns a public key of that kid, made of the kid.
func newKey(tb testing.TB, kid string) *token.Key {
	tb.Helper()
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, kid)
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	keys, _, err := token.ParseKeySet(fmt.Appendf(nil, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}]}`,
		kid, base64.RawURLEncoding.EncodeToString(public)), token.KeySetOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return keys[0]
}

func add(tb testing.TB, s *Store, entries ...Entry) {
	tb.Helper()
	if err := s.Add(entries...); err != nil {
		tb.Fatal(err)
	}
}

func thumbprintOf(k *token.Key) string {
	tp := k.Thumbprint()
	return base64.RawURLEncoding.EncodeToString(tp[:])
}

// randomRecord stands for an identifier that nobody has: digests of identifiers are as good as random.
func randomRecord(rng *rand.ChaCha8, kind Kind) Record {
	r := Record{Kind: kind, Until: epoch + 3600 + uint32(rng.Uint64()%3600)}
	binary.LittleEndian.PutUint64(r.Digest[:8], rng.Uint64())
	binary.LittleEndian.PutUint64(r.Digest[8:], rng.Uint64())
	if kind.dated() {
		r.Before = epoch
	}
	return r
}
