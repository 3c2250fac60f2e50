package config

import "time"

// Issuer is one party whose tokens can be verified.
type Issuer struct {
	// Name is how sites, metrics and logs call this issuer. Required,
	// lower-case letters, digits and dashes, neither first nor last a dash, at
	// most 63 characters, unique.
	Name string `yaml:"name" required:"yes"`

	// Issuer is the exact value of the iss claim (RFC 7519 section 4.1.1,
	// compared byte by byte). Required, unique, at most 1024 bytes.
	Issuer string `yaml:"issuer" required:"yes"`

	// JWKS says where the issuer's key set comes from. Required, unless
	// introspection.url is given and introspection.tokens is opaque: then the
	// issuer is asked about each of its tokens.
	JWKS JWKS `yaml:"jwks"`

	// Introspection asks the issuer about tokens (RFC 7662). Default: none.
	Introspection Introspection `yaml:"introspection"`

	// Revocation says how the issuer tells what it has revoked. It needs
	// revocation.directory.
	Revocation RevocationSources `yaml:"revocation"`

	// Backend bounds every call to this issuer's identity backend.
	Backend Backend `yaml:"backend"`

	// Algorithms lists the signature algorithms accepted from this issuer.
	// Default [RS256, PS256, ES256, EdDSA]. HMAC and none cannot be listed.
	Algorithms []string `yaml:"algorithms" default:"RS256,PS256,ES256,EdDSA" items:"1.." enum:"algorithm"`

	// Types lists the accepted values of the typ header (RFC 9068 section
	// 2.1), compared case-insensitively, with or without "application/".
	// Default [at+jwt, JWT, ""], where "" accepts a token without typ.
	Types []string `yaml:"types" blank:"yes" default:"at+jwt,JWT," items:"1.."`

	// Audience says for whom a token must have been issued.
	Audience Audience `yaml:"audience"`

	// Leeway is how far exp, nbf and iat may be off. Default 30s, 0s to 5m.
	Leeway *time.Duration `yaml:"leeway" default:"30s" range:"0s..5m"`

	// MaxLifetime bounds exp - iat where the token has an iat. Default 0s:
	// unbounded, or revocation.keep where revocations are kept.
	MaxLifetime time.Duration `yaml:"max_lifetime" range:"0s.."`

	// Claims says which claims carry the account's attributes. Every name
	// here is an assumption: there is no public VNeID specification.
	Claims Claims `yaml:"claims"`
}

// Audience binds tokens to the relying party.
type Audience struct {
	// AnyOf lists the accepted values; one must be present. Required, unless
	// [Audience.Unchecked].
	AnyOf []string `yaml:"any_of" items:"1.."`

	// Claims lists where they are looked for: aud, azp, client_id. Default
	// [aud]. Keycloak-like issuers say aud="account" and name the relying
	// party in azp: use [aud, azp] there.
	Claims []string `yaml:"claims" default:"aud" items:"1.." enum:"audience claim"`

	// Unchecked accepts a token issued for anybody. Default false. RFC 8725
	// section 3.9 warns against it.
	Unchecked bool `yaml:"unchecked"`
}

// Claims names the claims that carry an account's attributes.
type Claims struct {
	// AccountKind yields citizen, organisation, enterprise, foreigner or
	// officer.
	AccountKind KindClaim `yaml:"account_kind"`

	// AccountLevel yields 1 or 2 (mức độ 1, 2). An organisation has none.
	AccountLevel LevelClaim `yaml:"account_level"`

	// PersonalNumber names the claim that holds the personal number (số định
	// danh cá nhân). It is never forwarded, logged or counted; where a log
	// needs it, it is masked. Default "": unknown.
	PersonalNumber string `yaml:"personal_number"`
}

// KindClaim maps a claim's values to account kinds.
type KindClaim struct {
	// Claim is the member's exact name. Default "": every account of the
	// issuer is of the kind [KindClaim.Default].
	Claim string `yaml:"claim"`

	// Map gives the account kind for each value of the claim; a number is
	// written as its decimal digits. A value that is not listed is refused.
	// Required with [KindClaim.Claim].
	Map map[string]string `yaml:"map" items:"1.." enum:"account kind"`

	// Default is the kind of an account whose token lacks the claim. Default
	// "": such a token is refused where a rule depends on the kind.
	Default string `yaml:"default" enum:"account kind"`
}

// LevelClaim maps a claim's values to account levels.
type LevelClaim struct {
	// Claim is the member's exact name. Default "": no account of this
	// issuer has a level.
	Claim string `yaml:"claim"`

	// Map gives 1 or 2 for each value of the claim; a number is written as its
	// decimal digits. Default {"1": 1, "2": 2}.
	Map map[string]int `yaml:"map" default:"1=1,2=2" items:"1.." range:"1..2"`
}

// Cutover moves account kinds to given issuers on a date.
type Cutover struct {
	// Accounts lists the kinds that move. Required. Citizens moved on
	// 2024-07-01 (letter 3701/VPCP-KSTT), organisations and enterprises on
	// 2025-07-01 (Decree 69/2024 article 40); for foreigners the sources
	// conflict and the operator must decide.
	Accounts []string `yaml:"accounts" items:"1.." enum:"account kind" required:"yes"`

	// Only lists the issuers from which these kinds are accepted once
	// [Cutover.From] has come. Required.
	Only []string `yaml:"only" items:"1.." required:"yes"`

	// From is the first moment of the new rule, RFC 3339 with an explicit
	// offset (+07:00 for Vietnam). Required.
	From time.Time `yaml:"from" required:"yes"`

	// NoticeFrom starts a period in which the request still passes, and the
	// answer says when that ends (RFC 9745 Deprecation, RFC 8594 Sunset).
	// Default: no notice.
	NoticeFrom time.Time `yaml:"notice_from"`

	// Sites limits the rule to the named sites. Default: every site.
	Sites []string `yaml:"sites" items:"1.."`
}
