package corpus

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"time"
)

// Fault names one thing that is wrong with a token that is right otherwise.
type Fault string

// The faults that [Token.SignFaulty] makes.
const (
	Expired       Fault = "expired"        // Valid for [DefaultLifetime], until an hour before it was issued.
	NotYetValid   Fault = "not-yet-valid"  // "nbf" lies an hour after the issue.
	Forged        Fault = "forged"         // Signed by another key under the same kid and algorithm.
	Altered       Fault = "altered"        // Names another subject than when it was signed.
	WrongAudience Fault = "wrong-audience" // "aud" and the authorized party name another relying party.
	WrongIssuer   Fault = "wrong-issuer"   // "iss" names another issuer.
	AlgNone       Fault = "alg-none"       // "alg" is "none" and the signature is empty.
	UnknownKid    Fault = "unknown-kid"    // The header names a random kid.
	Truncated     Fault = "truncated"      // The second half of the signature is missing.
)

// OtherAudience is the audience of [WrongAudience].
const OtherAudience = "another-relying-party"

// Faults returns every fault.
func Faults() []Fault {
	return []Fault{Expired, NotYetValid, Forged, Altered, WrongAudience, WrongIssuer, AlgNone, UnknownKid, Truncated}
}

// distance is how far times are moved: beyond any leeway that a gateway allows.
const distance = time.Hour

// SignFaulty returns the compact token with one fault, signed by key where the fault allows; [ErrFault] when there is no such fault.
func (t Token) SignFaulty(key *Key, fault Fault) (string, error) {
	switch fault {
	case Expired:
		t.Expires = t.IssuedAt.Add(-distance)
		t.IssuedAt = t.Expires.Add(-DefaultLifetime)
		t.NotBefore, t.AuthTime = t.IssuedAt, t.IssuedAt
	case NotYetValid:
		t.NotBefore = t.IssuedAt.Add(distance)
		t.Expires = t.NotBefore.Add(DefaultLifetime)
	case Forged:
		twin, err := key.Twin()
		if err != nil {
			return "", err
		}
		key = twin
	case Altered:
		return t.altered(key)
	case WrongAudience:
		t.Audience, t.AuthorizedParty = []string{OtherAudience}, OtherAudience
	case WrongIssuer:
		t.Issuer = "https://another-issuer.example"
	case AlgNone:
		return t.unsigned(key)
	case UnknownKid:
		t.Header = with(t.Header, "kid", uuid())
	case Truncated:
		token, err := t.Sign(key)
		return token[:max(0, len(token)-base64.RawURLEncoding.EncodedLen(key.signatureLength())/2)], err
	default:
		return "", fmt.Errorf("%w: %q", ErrFault, fault)
	}
	return t.Sign(key)
}

// unsigned returns the unsecured JWS of RFC 7515 appendix A.5.
func (t Token) unsigned(key *Key) (string, error) {
	t.Header = with(t.Header, "alg", "none")
	header, payload, err := t.encode(key)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode(header) + "." + encode(payload) + ".", nil
}

// altered returns the token with the signature of another one.
func (t Token) altered(key *Key) (string, error) {
	signed, err := t.Sign(key)
	if err != nil {
		return "", err
	}
	t.Subject = uuid()
	header, payload, err := t.encode(key)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode(header) + "." + encode(payload) + signed[strings.LastIndexByte(signed, '.'):], nil
}

// with returns a copy of members with one more: the caller's map stays as it is.
func with(members map[string]any, name string, value any) map[string]any {
	changed := map[string]any{}
	maps.Copy(changed, members)
	changed[name] = value
	return changed
}
