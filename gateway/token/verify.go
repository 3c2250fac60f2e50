package token

import (
	"slices"
	"time"
)

// KeySource finds an issuer's key for a token. It is asked once for each Verify, by the token's own words, after all
// that can be checked without a key.
type KeySource interface {
	// Key returns the one key that serves the algorithm under that kid ("" where the token has none), or an error that
	// wraps ErrKeyUnknown. Any other error goes through Verify as it is.
	Key(kid, alg string) (*Key, error)
}

// Verified is a token that passed: what it says, and the key that proves it.
type Verified struct {
	// Claims is shared by all who hold it, and immutable.
	Claims *Claims
	// Key must be asked whether it is Withdrawn each time that the claims are relied on. It is nil where no key but the
	// issuer's own answer proves the claims: see Introspected.
	Key *Key
}

// Verifier verifies one issuer's tokens by its Profile. It is immutable and safe for concurrent use. Its address is its
// identity: a reload makes a new one, and verdicts reached under another one are void.
type Verifier struct {
	profile    Profile
	algorithms []*algorithm
	validation validation
}

// NewVerifier returns a verifier for a copy of the profile, or an error that wraps ErrProfile.
func NewVerifier(p Profile) (*Verifier, error) {
	p, err := p.complete()
	if err != nil {
		return nil, err
	}
	v := &Verifier{profile: p, validation: newValidation(p)}
	for _, name := range p.Algorithms {
		v.algorithms = append(v.algorithms, algorithmNamed(name))
	}
	return v, nil
}

// Issuer returns the profile's issuer.
func (v *Verifier) Issuer() string { return v.profile.Issuer }

// Leeway returns the clock skew that the profile grants.
func (v *Verifier) Leeway() time.Duration { return v.profile.Leeway }

// Verify decides whether a parsed token is one of the issuer's, proved by one of its keys, and in force now.
//
// Whatever can be refused without proof is refused before the signature is looked at, so that expired tokens and those
// for others cost no cryptography and no key look-up. Nothing is accepted before it. Errors: all of the taxonomy from
// ErrMalformed to ErrClaimInvalid, and what keys returned.
func (v *Verifier) Verify(p *Parsed, keys KeySource, now time.Time) (Verified, error) {
	if p.algorithm == nil {
		return Verified{}, ErrMalformed
	}
	// RFC 8725 section 3.1: only algorithms that the issuer was configured with.
	if !slices.Contains(v.algorithms, p.algorithm) {
		return Verified{}, ErrAlgorithm
	}
	// RFC 8725 section 3.11: explicit typing keeps other kinds of JWT of the same issuer out.
	if !typeAllowed(v.profile.Types, p.typ) {
		return Verified{}, ErrType
	}
	// RFC 8417 section 4.7: and where both kinds have the same typ, or none, their claims do.
	if isStatement(p.claims) {
		return Verified{}, ErrType
	}
	// RFC 8725 section 3.8: the keys that are asked below belong to this issuer and no other.
	if p.Issuer != v.profile.Issuer {
		return Verified{}, ErrIssuer
	}
	claims, err := v.read(p, now)
	if err != nil {
		return Verified{}, err
	}
	status, err := readStatus(p.claims, &v.profile)
	if err != nil {
		return Verified{}, err
	}
	key, err := keys.Key(p.KeyID, p.algorithm.name)
	if err != nil {
		return Verified{}, err
	}
	if err := p.provedBy(key); err != nil {
		return Verified{}, err
	}
	claims.Status = status.reference()
	return Verified{Claims: claims, Key: key}, nil
}

// provedBy checks the token's signature under the key, which alone says what algorithms it serves.
func (p *Parsed) provedBy(key *Key) error {
	if key == nil {
		return ErrKeyUnknown
	}
	// RFC 8725 section 3.1: the header's alg must be one that the key is bound to, and fit its type and curve.
	if !slices.Contains(key.algorithms, p.algorithm) || !p.algorithm.fits(key.public) {
		return ErrAlgorithm
	}
	if key.Withdrawn() {
		return ErrKeyWithdrawn
	}
	if err := p.algorithm.verify(string(p.signingInput), p.signature, key.public); err != nil {
		return err
	}
	// The key may have gone while it was at work.
	if key.Withdrawn() {
		return ErrKeyWithdrawn
	}
	return nil
}
