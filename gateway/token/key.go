package token

import (
	"crypto"
	"slices"
	"sync/atomic"
)

// Key is one public key of an issuer, bound to the algorithms it may serve. What a token's header says never widens
// that binding. Keys come from ParseKeySet; the zero Key serves nothing.
//
// All of a Key is immutable but for its withdrawn flag and its usage; it is safe for concurrent use. Its address is its identity: a
// verdict holds the *Key under which it was reached, so that Withdraw takes every such verdict with it at once.
type Key struct {
	id         string
	algorithm  string
	kty        string
	algorithms []*algorithm
	public     crypto.PublicKey
	thumbprint [32]byte
	withdrawn  atomic.Bool
	usage      usage
}

// ID returns kid, "" where the key has none.
func (k *Key) ID() string { return k.id }

// Algorithm returns the alg that the JWK named, "" where it named none: then Serves says which ones it serves.
func (k *Key) Algorithm() string { return k.algorithm }

// Type returns kty: RSA, EC or OKP.
func (k *Key) Type() string { return k.kty }

// Public returns the key itself: *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey. Callers must not change it.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Thumbprint returns the key's JWK thumbprint (RFC 7638, SHA-256).
func (k *Key) Thumbprint() [32]byte { return k.thumbprint }

// Algorithms returns the names of the algorithms that the key is bound to, in a new slice.
func (k *Key) Algorithms() []string {
	names := make([]string, len(k.algorithms))
	for i, a := range k.algorithms {
		names[i] = a.name
	}
	return names
}

// Serves reports whether the key is bound to the algorithm of that name.
func (k *Key) Serves(alg string) bool {
	return slices.ContainsFunc(k.algorithms, func(a *algorithm) bool { return a.name == alg })
}

// Withdraw marks the key as gone, for good: no token verifies under it any more, and no verdict reached under it is
// usable. A key that comes back to its issuer's key set is a new Key.
func (k *Key) Withdraw() { k.withdrawn.Store(true) }

// Withdrawn reports whether Withdraw was called.
func (k *Key) Withdrawn() bool { return k.withdrawn.Load() }
