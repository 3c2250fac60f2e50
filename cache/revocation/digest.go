package revocation

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/dchest/siphash"
	"github.com/zeebo/xxh3"
)

// SecretBytes is the length of a Secret.
const SecretBytes = 32

// Secret is what digests are keyed with. Entries outlive a restart only together with it. It does not show itself when
// it is printed or marshalled. The zero Secret is refused.
type Secret struct{ b [SecretBytes]byte }

// NewSecret returns a new random secret.
func NewSecret() Secret {
	var s Secret
	_, _ = rand.Read(s.b[:]) // Since Go 1.24 it returns no error: it ends the process instead.
	return s
}

// ReadSecret returns the secret that Bytes gave. ErrConfig where b is not SecretBytes long. It copies b.
func ReadSecret(b []byte) (Secret, error) {
	if len(b) != SecretBytes {
		return Secret{}, fmt.Errorf("%w: a secret has %d bytes", ErrConfig, SecretBytes)
	}
	return Secret{b: [SecretBytes]byte(b)}, nil
}

// Bytes returns the secret itself, in a new slice, for safe keeping.
func (s Secret) Bytes() []byte { return s.b[:] }

// ID tells secrets apart without giving them away.
func (s Secret) ID() [8]byte {
	sum := sha256.Sum256(append([]byte("vneid-gateway revocation secret id\x00"), s.b[:]...))
	return [8]byte(sum[:8])
}

// String hides the secret.
func (s Secret) String() string { return "[secret]" }

// GoString hides the secret.
func (s Secret) GoString() string { return "[secret]" }

// MarshalText hides the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Digest stands for an identifier of one issuer and kind. It is worthless to whoever lacks the secret; who has it can
// test guesses. The first 8 bytes are XXH3, the last 8 SipHash-2-4, both little-endian.
type Digest [16]byte

// Record is an entry in the form in which it is kept, in memory and on disk. It is comparable.
type Record struct {
	Digest Digest
	// Before and Until are in seconds since the epoch, rounded up; the highest number means no end. Before is 0 for
	// kinds that have none.
	Before, Until uint32
	Kind          Kind
}

// BeforeTime returns Before as a time, zero where the record covers tokens whatever their iat or the kind has none.
func (r *Record) BeforeTime() time.Time {
	if !r.Kind.dated() || r.Before == noEnd {
		return time.Time{}
	}
	return instant(r.Before)
}

// UntilTime returns Until as a time. For good is 2106-02-07.
func (r *Record) UntilTime() time.Time { return instant(r.Until) }

// Validate returns ErrEntry where no entry could have made the record.
func (r *Record) Validate() error {
	if !r.Kind.valid() || !r.Kind.dated() && r.Before != 0 {
		return fmt.Errorf("%w: not a record", ErrEntry)
	}
	return nil
}

func (r *Record) halves() (quick, sure uint64) {
	return binary.LittleEndian.Uint64(r.Digest[:8]), binary.LittleEndian.Uint64(r.Digest[8:])
}

func (r *Record) setHalves(quick, sure uint64) {
	binary.LittleEndian.PutUint64(r.Digest[:8], quick)
	binary.LittleEndian.PutUint64(r.Digest[8:], sure)
}

// subkey is what the digests of one issuer and kind are keyed with.
type subkey struct{ seed, k0, k1 uint64 }

// quick is the half of a digest by which entries are found.
func (k *subkey) quick(id []byte) uint64 { return xxh3.HashSeed(id, k.seed) }

// sure is the half that settles a match.
func (k *subkey) sure(id []byte) uint64 { return siphash.Hash(k.k0, k.k1, id) }

// scope is one issuer, with its keys by kind.
type scope struct {
	issuer string
	keys   [kinds]subkey
}

func newScope(secret *Secret, issuer string) *scope {
	const size = 24
	okm, err := hkdf.Expand(sha256.New, secret.b[:], "vneid-gateway revocation digest\x00"+issuer, kinds*size)
	if err != nil {
		panic("BUG: " + err.Error()) // It fails on a length alone, and that is a constant.
	}
	sc := &scope{issuer: issuer}
	for i := range sc.keys {
		b := okm[i*size:]
		sc.keys[i] = subkey{
			seed: binary.LittleEndian.Uint64(b),
			k0:   binary.LittleEndian.Uint64(b[8:]),
			k1:   binary.LittleEndian.Uint64(b[16:]),
		}
	}
	return sc
}

func (sc *scope) digest(kind Kind, id []byte) (d Digest) {
	k := &sc.keys[kind]
	binary.LittleEndian.PutUint64(d[:8], k.quick(id))
	binary.LittleEndian.PutUint64(d[8:], k.sure(id))
	return d
}
