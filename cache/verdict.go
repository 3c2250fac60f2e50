package cache

import (
	"time"
	"unsafe"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Verdict is what is known of a token: the outcome of one successful verification, or that its issuer did not vouch for
// it. It is evidence about a token, never a decision about a request. It is immutable and shared; callers must not
// change what it points to.
type Verdict struct {
	// Claims is what the token says, that of no token where it was refused.
	Claims token.Compact
	// Key is what proved it. Nil where the issuer's own answer did, and where it was refused.
	Key *token.Key
	// Verifier is the issuer's configuration under which the verdict was reached.
	Verifier *token.Verifier
	// Checked is when the issuer was last asked about the token, in nanoseconds since the Unix epoch. 0 where it was
	// not asked.
	Checked int64
	// Refused is why the token is none, one of token's sentinels: token.ErrInactive, say. Nil where it is one.
	Refused error

	digest [32]byte // SHA-256 of the whole token
}

// Usable checks the token's part of what must hold on every use: the verdict was reached under the issuer's current
// configuration, it is a good one, the key, where there is one, is still the issuer's, and the dates allow it now. It
// returns ErrSuperseded, Refused, token.ErrKeyWithdrawn, token.ErrExpired, token.ErrNotYetValid, or nil. Revocation and
// policy are the caller's part, and so is how long an issuer's answer is believed: see Checked. It does not allocate.
//
// After ErrSuperseded or token.ErrKeyWithdrawn the token may still be good: the caller verifies it anew.
func (v *Verdict) Usable(now time.Time, current *token.Verifier) error {
	if v.Verifier != current || current == nil {
		return ErrSuperseded
	}
	if v.Refused != nil {
		return v.Refused
	}
	if v.Key != nil && v.Key.Withdrawn() {
		return token.ErrKeyWithdrawn
	}
	return v.Claims.ValidAt(now, current.Leeway())
}

// CheckedWithin reports whether the issuer was asked less than age before now. Clocks that were set back count as much
// as those that went on: an issuer that was asked further in the future was not.
func (v *Verdict) CheckedWithin(age time.Duration, now time.Time) bool {
	return v.Checked != 0 && now.Sub(time.Unix(0, v.Checked)).Abs() < age
}

// What an entry costs beyond its strings, in bytes: the memory that each entry adds to the process. A map of Go's takes
// about twice what is in it, being between half and seven eighths full and its old table not yet collected at times.
const (
	verdictBytes = int64(unsafe.Sizeof(Verdict{}))
	storeBytes   = (8 + 48 + 1) * 2 // ristretto: hash -> item with its value and expiry
	policyBytes  = (8 + 8 + 1) * 2  // ristretto: hash -> cost
	expiryBytes  = (8 + 8 + 1) * 2  // ristretto: hashes by the five seconds in which they expire
	entryBytes   = verdictBytes + storeBytes + policyBytes + expiryBytes
)

// cost returns the memory that the verdict takes in the cache, in bytes. Sentinels are shared.
func (v *Verdict) cost() int64 { return entryBytes + v.Claims.Bytes() }
