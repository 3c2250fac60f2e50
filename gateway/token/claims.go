package token

import (
	"fmt"
	"time"
)

// Kind is the account kind that a token speaks for, normalised from an issuer's own code list.
type Kind uint8

// The account kinds. Their order is stable; their names are those of the configuration.
const (
	// KindUnknown is an account whose kind the issuer did not say, or said in a value that no map names.
	KindUnknown Kind = iota
	// KindCitizen is a Vietnamese citizen (công dân).
	KindCitizen
	// KindOrganisation is an agency or organisation (cơ quan, tổ chức).
	KindOrganisation
	// KindEnterprise is an enterprise (doanh nghiệp).
	KindEnterprise
	// KindForeigner is a foreign resident (người nước ngoài).
	KindForeigner
	// KindOfficer is an official of a one-stop desk (cán bộ bộ phận một cửa).
	KindOfficer
)

var kindNames = [...]string{"unknown", "citizen", "organisation", "enterprise", "foreigner", "officer"}

// String returns the kind's configuration name, "unknown" for any value outside the list.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[KindUnknown]
}

// ParseKind returns the kind with the given configuration name, compared exactly. "unknown" is a name.
// Any other text is an error that wraps ErrClaimInvalid and does not repeat the text.
func ParseKind(name string) (Kind, error) {
	for k, n := range kindNames {
		if n == name {
			return Kind(k), nil
		}
	}
	return KindUnknown, fmt.Errorf("%w: not an account kind", ErrClaimInvalid)
}

// Claims is what the gateway keeps of a verified token. It is immutable once Verify has returned it, safe for
// concurrent use, and holds no reference to the caller's bytes. Names and personal numbers are never copied into it.
//
// Every string is at most MaxStringBytes long, valid UTF-8 and free of control characters; "" means absent.
// Every date is in seconds since the Unix epoch; 0 means absent.
type Claims struct {
	// Issuer is iss, byte for byte as the profile has it.
	Issuer string
	// Subject is sub. Unique only together with Issuer.
	Subject string
	// TokenID is jti.
	TokenID string
	// SessionID is sid.
	SessionID string
	// ClientID is azp, or client_id where azp is absent.
	ClientID string
	// ACR is acr, the authentication level. It says nothing about the account level.
	ACR string

	// ExpiresAt is exp, rounded down. Never 0.
	ExpiresAt int64
	// NotBefore is nbf, rounded up.
	NotBefore int64
	// IssuedAt is iat, rounded up.
	IssuedAt int64
	// AuthTime is auth_time, rounded down.
	AuthTime int64

	// Status is where the issuer tells whether the token still holds, zero where the token refers to no status list. Who
	// relies on the claims asks there each time.
	Status StatusReference

	// Kind is the account kind. KindUnknown where the claim's value is not mapped (KindUnmapped is then true), the
	// profile's KindDefault where the claim is absent.
	Kind Kind
	// Level is the account level (mức độ định danh), 0 where there is none or its value is not mapped (LevelUnmapped
	// is then true).
	Level uint8
	// KindUnmapped is true where the kind claim was present with a value that the profile does not map. The token is
	// still verified: policy refuses it wherever the kind matters.
	KindUnmapped bool
	// LevelUnmapped is the same for the level claim.
	LevelUnmapped bool
}

// ValidAt re-checks the dates of claims that were verified before: ErrExpired, ErrNotYetValid or nil. It does not
// allocate. leeway is the clock skew granted, at least 0.
func (c *Claims) ValidAt(now time.Time, leeway time.Duration) error {
	return validAt(c.ExpiresAt, c.NotBefore, now, leeway)
}

func validAt(expiresAt, notBefore int64, now time.Time, leeway time.Duration) error {
	// RFC 7519 section 4.1.4: refuse when now >= exp + leeway. A missing exp (0) is long past.
	if !now.Before(time.Unix(expiresAt, 0).Add(leeway)) {
		return ErrExpired
	}
	// RFC 7519 section 4.1.5: refuse when now < nbf - leeway.
	if notBefore != 0 && now.Before(time.Unix(notBefore, 0).Add(-leeway)) {
		return ErrNotYetValid
	}
	return nil
}
