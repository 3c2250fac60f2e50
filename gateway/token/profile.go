package token

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Profile is how one issuer's tokens are verified and read.
type Profile struct {
	// Issuer is what iss must be, byte for byte. Required; at most MaxStringBytes.
	Issuer string
	// Algorithms are the names of the algorithms that the issuer may use, out of SupportedAlgorithms. Required.
	Algorithms []string
	// Types are the header's typ values that are access tokens, "" standing for a header without typ. Case is ignored,
	// as is a prefix "application/" (RFC 7515 section 4.1.9). Defaults to at+jwt, JWT and "". A Type that other
	// specifications use for other purposes (logout+jwt, secevent+jwt, dpop+jwt) does not belong here.
	Types []string
	// Audience are the audiences that are ours; a token must name at least one. Required unless AudienceUnchecked.
	Audience []string
	// AudienceClaims are the claims in which an audience may be named: aud, azp, client_id. Defaults to aud.
	AudienceClaims []string
	// AudienceUnchecked accepts tokens for anybody. Only for issuers whose every token is meant for this gateway.
	AudienceUnchecked bool
	// Leeway is the clock skew granted to exp, nbf and iat. From 0 to MaxLeeway.
	Leeway time.Duration
	// MaxLifetime is the longest that exp may lie after iat or, in a token without iat, after now. 0 means any.
	MaxLifetime time.Duration
	// StatusIgnored takes no notice of the claim status. Only for issuers whose claim of that name has nothing to do with
	// Token Status Lists.
	StatusIgnored bool
	// StatusPlainHTTP lets a token refer to a status list whose address is plain http.
	StatusPlainHTTP bool

	// KindClaim is the top-level claim with the account kind, "" where the issuer has none.
	KindClaim string
	// KindMap gives the kind for each value of KindClaim: a string's content, or a number or boolean as written.
	// Where nil, values are the names that ParseKind knows. A value without a kind reads as KindUnknown, as
	// do null, arrays and objects.
	KindMap map[string]Kind
	// KindDefault is the kind of accounts whose tokens do not have KindClaim.
	KindDefault Kind
	// LevelClaim is the top-level claim with the account level, "" where the issuer has none.
	LevelClaim string
	// LevelMap gives the level for each value of LevelClaim. Where nil, values are decimal numbers from 0 to 255.
	// A value without a level reads as 0, none, as do null, arrays and objects.
	LevelMap map[string]uint8
}

// MaxLeeway is the largest clock skew that a profile may grant.
const MaxLeeway = 10 * time.Minute

var (
	defaultTypes          = []string{"at+jwt", "JWT", ""}
	defaultAudienceClaims = []string{"aud"}
	knownAudienceClaims   = []string{"aud", "azp", "client_id"}
)

// complete returns a deep copy of the profile with its defaults filled in, or an error that wraps ErrProfile.
func (p Profile) complete() (Profile, error) {
	fault := func(format string, args ...any) (Profile, error) {
		return Profile{}, fmt.Errorf("%w: %s", ErrProfile, fmt.Sprintf(format, args...))
	}
	if p.Issuer == "" || len(p.Issuer) > MaxStringBytes || strings.ContainsFunc(p.Issuer, unicode.IsControl) {
		return fault("issuer must have 1 to %d bytes and no control characters", MaxStringBytes)
	}
	if len(p.Algorithms) == 0 {
		return fault("no algorithms")
	}
	for _, name := range p.Algorithms {
		if algorithmNamed(name) == nil {
			return fault("algorithm %q is not supported", name)
		}
	}
	if p.Types == nil {
		p.Types = defaultTypes
	}
	if p.AudienceClaims == nil {
		p.AudienceClaims = defaultAudienceClaims
	}
	for _, claim := range p.AudienceClaims {
		if !slices.Contains(knownAudienceClaims, claim) {
			return fault("audience claim %q is not one of %s", claim, strings.Join(knownAudienceClaims, ", "))
		}
	}
	switch {
	case len(p.Types) == 0:
		return fault("no types")
	case slices.Contains(p.Audience, ""):
		return fault("an audience is empty")
	case p.AudienceUnchecked && len(p.Audience) > 0:
		return fault("audiences are given but not to be checked")
	case !p.AudienceUnchecked && (len(p.Audience) == 0 || len(p.AudienceClaims) == 0):
		return fault("no audience")
	case p.Leeway < 0 || p.Leeway > MaxLeeway:
		return fault("leeway must be from 0 to %s", MaxLeeway)
	case p.MaxLifetime < 0:
		return fault("maximum lifetime is negative")
	}
	p.Algorithms = slices.Clone(p.Algorithms)
	p.Audience = slices.Clone(p.Audience)
	p.AudienceClaims = slices.Clone(p.AudienceClaims)
	p.KindMap = maps.Clone(p.KindMap)
	p.LevelMap = maps.Clone(p.LevelMap)
	types := make([]string, len(p.Types))
	for i, t := range p.Types {
		types[i] = strings.ToLower(string(withoutPrefix([]byte(t))))
	}
	p.Types = types
	return p, nil
}

// typeAllowed reports whether a header's typ is one of types, which are in lower case and without prefix.
func typeAllowed(types []string, typ []byte) bool {
	typ = withoutPrefix(typ)
	return slices.ContainsFunc(types, func(t string) bool {
		// Media types are ASCII; Unicode folding would let U+212A stand for k.
		return len(t) == len(typ) && t == string(bytes.ToLower(typ))
	})
}

// withoutPrefix drops "application/" where nothing but one name follows (RFC 7515 section 4.1.9).
func withoutPrefix(typ []byte) []byte {
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(string(typ[:len(prefix)]), prefix) &&
		bytes.IndexByte(typ[len(prefix):], '/') < 0 {
		return typ[len(prefix):]
	}
	return typ
}
