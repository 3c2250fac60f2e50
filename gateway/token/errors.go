package token

import "errors"

// The taxonomy of refusals. Every error of this package wraps exactly one of these, so that an edge can turn it into
// a stable reason with errors.Is. Their texts, and those of the errors that wrap them, never contain token content.
var (
	// ErrTooLarge means that the token, or the issuer's answer about one, is longer than MaxTokenBytes, or a statement
	// longer than its rules allow.
	ErrTooLarge = errors.New("token: too large")
	// ErrMalformed means that the token is not a compact JWS whose header and payload are strict JSON objects: wrong
	// number of segments, base64url that is padded or not canonical, duplicate members, too deep, too many members. Or
	// that an issuer's answer about a token is not such an object, or does not say whether the token is active.
	ErrMalformed = errors.New("token: malformed")
	// ErrCritical means that the header asks for an extension that changes how it must be read: crit, b64, zip or enc.
	ErrCritical = errors.New("token: header extension not supported")
	// ErrAlgorithm means that the header's alg is not a supported asymmetric signature, is not allowed for the issuer,
	// or is not one that the key is bound to.
	ErrAlgorithm = errors.New("token: algorithm not allowed")
	// ErrType means that the header's typ is not one that the issuer's profile allows for access tokens, or
	// that the issuer says token_type is another than Bearer.
	ErrType = errors.New("token: type not allowed")
	// ErrIssuer means that iss is not, byte for byte, the profile's issuer.
	ErrIssuer = errors.New("token: issuer mismatch")
	// ErrKeyUnknown means that no single key in the issuer's key set fits the header's kid and alg.
	ErrKeyUnknown = errors.New("token: key unknown")
	// ErrKeyWithdrawn means that the key was in the issuer's key set and no longer is.
	ErrKeyWithdrawn = errors.New("token: key withdrawn")
	// ErrSignature means that the signature does not verify under the key.
	ErrSignature = errors.New("token: signature invalid")
	// ErrExpired means that now >= exp + leeway.
	ErrExpired = errors.New("token: expired")
	// ErrNotYetValid means that now < nbf - leeway.
	ErrNotYetValid = errors.New("token: not yet valid")
	// ErrIssuedInFuture means that now < iat - leeway.
	ErrIssuedInFuture = errors.New("token: issued in the future")
	// ErrLifetime means that exp lies further after iat (or, where iat is absent, after now) than the profile allows.
	ErrLifetime = errors.New("token: lifetime too long")
	// ErrInactive means that the issuer, asked about the token, does not vouch for it: it is unknown there, expired or
	// revoked (RFC 7662 section 2.2).
	ErrInactive = errors.New("token: inactive")
	// ErrAudience means that none of the profile's audience claims names one of its audiences.
	ErrAudience = errors.New("token: audience mismatch")
	// ErrClaimMissing means that a required claim is absent: iss, exp, or any of the profile's audience claims.
	ErrClaimMissing = errors.New("token: claim missing")
	// ErrClaimInvalid means that a claim has the wrong JSON type, is out of range, too long, or has control characters.
	ErrClaimInvalid = errors.New("token: claim invalid")

	// ErrKeySet means that a key set document as a whole is unusable: not strict JSON, no "keys" array, too many bytes
	// or keys, or not one usable key. A caller keeps the set that it has.
	ErrKeySet = errors.New("token: key set unusable")
	// ErrProfile means that a Profile cannot be used to verify tokens: a fault of configuration.
	ErrProfile = errors.New("token: profile invalid")
)
