package config

import "strings"

// The values of Site.Mode.
const (
	ModeEnforce = "enforce"
	ModeObserve = "observe"
)

// The values of Site.Host.
const (
	HostPreserve = "preserve"
	HostUpstream = "upstream"
)

// The values of Rule.Access.
const (
	AccessRequire = "require"
	AccessPublic  = "public"
)

// The values of Rule.Deny, beside "".
const (
	DenyAccountCreation = "citizen_account_creation_removed"
	DenyRoute           = "route_denied"
)

// The values of UnknownKey.Answer.
const (
	AnswerRefuse      = "refuse"
	AnswerUnavailable = "unavailable"
)

// The values of Introspection.Tokens.
const (
	TokensOpaque = "opaque"
	TokensAll    = "all"
)

// The values of Introspection.Auth.
const (
	AuthSecretBasic   = "client_secret_basic"
	AuthSecretPost    = "client_secret_post"
	AuthPrivateKeyJWT = "private_key_jwt"
)

// The values of Introspection.WhenUnavailable.
const (
	UnavailableRefuse    = "refuse"
	UnavailableUseCached = "use_cached_until_exp"
)

// The values of Site.WhenRevocationsStale.
const (
	StaleRefuse = "refuse"
	StaleAllow  = "allow"
)

// The values of Fleet.WhenAway.
const (
	AwayRefuse = "refuse"
	AwayKeep   = "keep"
)

// The values of EventSource.Unmapped.
const (
	UnmappedRefuse      = "refuse"
	UnmappedAcknowledge = "acknowledge"
)

// The values of StatusLists.WhenUnknown.
const (
	UnknownRefuse = "refuse"
	UnknownAllow  = "allow"
)

// The values of LogoutSource.Ends.
const (
	EndsSession = "session"
	EndsSubject = "subject"
)

// The values of TLS.MinVersion.
const (
	TLS12 = "TLSv1.2"
	TLS13 = "TLSv1.3"
)

// The values of TLS.ClientAuth.
const (
	ClientAuthNone    = "none"
	ClientAuthRequest = "request"
	ClientAuthRequire = "require"
)

// The values of Site.Balance.
const (
	BalanceTwoChoices = "two_choices"
	BalanceRoundRobin = "round_robin"
)

// The values of Site.SendProxyProtocol.
const (
	ProxyProtocolNone = "none"
	ProxyProtocolV1   = "v1"
	ProxyProtocolV2   = "v2"
)

// The account kinds.
const (
	KindCitizen      = "citizen"
	KindOrganisation = "organisation"
	KindEnterprise   = "enterprise"
	KindForeigner    = "foreigner"
	KindOfficer      = "officer"
)

// closedSet returns the values that a field tagged enum:"name" may have, in
// the order in which messages and the manual list them.
func closedSet(name string) []string {
	switch name {
	case "account kind":
		return []string{KindCitizen, KindOrganisation, KindEnterprise, KindForeigner, KindOfficer}
	case "algorithm":
		return []string{
			"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
			"ES256", "ES384", "ES512", "EdDSA",
		}
	case "audience claim":
		return []string{"aud", "azp", "client_id"}
	case "identity header":
		return []string{"subject", "account_kind", "account_level", "issuer", "auth_time", "token_id"}
	case "mode":
		return []string{ModeEnforce, ModeObserve}
	case "host":
		return []string{HostPreserve, HostUpstream}
	case "access":
		return []string{AccessRequire, AccessPublic}
	case "deny reason":
		return []string{DenyAccountCreation, DenyRoute}
	case "unknown key answer":
		return []string{AnswerRefuse, AnswerUnavailable}
	case "introspected tokens":
		return []string{TokensOpaque, TokensAll}
	case "client authentication":
		return []string{AuthSecretBasic, AuthSecretPost, AuthPrivateKeyJWT}
	case "when unavailable":
		return []string{UnavailableRefuse, UnavailableUseCached}
	case "when revocations are stale":
		return []string{StaleRefuse, StaleAllow}
	case "when the fleet is away":
		return []string{AwayRefuse, AwayKeep}
	case "unmapped events":
		return []string{UnmappedRefuse, UnmappedAcknowledge}
	case "when a status is unknown":
		return []string{UnknownRefuse, UnknownAllow}
	case "logout ends":
		return []string{EndsSession, EndsSubject}
	case "TLS version":
		return []string{TLS12, TLS13}
	case "client auth":
		return []string{ClientAuthNone, ClientAuthRequest, ClientAuthRequire}
	case "balance":
		return []string{BalanceTwoChoices, BalanceRoundRobin}
	case "PROXY protocol version":
		return []string{ProxyProtocolNone, ProxyProtocolV1, ProxyProtocolV2}
	case "log level":
		return []string{"debug", "info", "warn", "error"}
	}
	panic("BUG: no closed set " + name)
}

// outside words why v is not in the closed set name.
func outside(name, v string) string {
	if name == "algorithm" {
		switch {
		case strings.EqualFold(v, "none"):
			return "\"none\" cannot be listed: a token without a signature proves nothing"
		case len(v) > 2 && strings.EqualFold(v[:2], "HS"):
			return quote(v) + " cannot be listed: with HMAC whoever can verify a token can also forge one"
		}
	}
	set := closedSet(name)
	return quote(v) + " is not allowed; allowed: " + strings.Join(set, ", ")
}
