package cache

import (
	"time"
	"unsafe"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Verdict is the outcome of one successful verification: evidence about a token, never a decision about a request. It
// is immutable and shared; callers must not change what it points to.
type Verdict struct {
	// Claims is what the token says.
	Claims *token.Claims
	// Key is what proved it.
	Key *token.Key
	// Verifier is the issuer's configuration under which the verdict was reached.
	Verifier *token.Verifier

	digest [32]byte // SHA-256 of the whole token
}

// Usable checks the token's part of what must hold on every use: the verdict was reached under the issuer's current
// configuration, the key is still the issuer's, and the dates allow it now. It returns ErrSuperseded,
// token.ErrKeyWithdrawn, token.ErrExpired, token.ErrNotYetValid, or nil. Revocation and policy are the caller's part.
// It does not allocate.
//
// After ErrSuperseded or token.ErrKeyWithdrawn the token may still be good: the caller verifies it anew.
func (v *Verdict) Usable(now time.Time, current *token.Verifier) error {
	if v.Verifier != current || current == nil {
		return ErrSuperseded
	}
	if v.Key.Withdrawn() {
		return token.ErrKeyWithdrawn
	}
	return v.Claims.ValidAt(now, current.Leeway())
}

// What an entry costs beyond its strings, in bytes: the memory that each entry adds to the process. A map of Go's takes
// about twice what is in it, being between half and seven eighths full and its old table not yet collected at times.
const (
	structBytes = int64(unsafe.Sizeof(Verdict{}) + unsafe.Sizeof(token.Claims{}))
	storeBytes  = (8 + 48 + 1) * 2 // ristretto: hash -> item with its value and expiry
	policyBytes = (8 + 8 + 1) * 2  // ristretto: hash -> cost
	expiryBytes = (8 + 8 + 1) * 2  // ristretto: hashes by the five seconds in which they expire
	entryBytes  = structBytes + storeBytes + policyBytes + expiryBytes
)

// cost returns the memory that the verdict takes in the cache, in bytes. The issuer's name is shared.
func (v *Verdict) cost() int64 {
	c := v.Claims
	return entryBytes + int64(len(c.Subject)+len(c.TokenID)+len(c.SessionID)+len(c.ClientID)+len(c.ACR))
}
