package reject

// Code is a refusal's stable code. It is a closed enumeration; the name of a
// code appears in answers, metrics and logs and never changes. The zero value
// is InternalError, so that a refusal nobody filled in is one.
type Code uint8

// The codes. Their meaning is told to people by the wording, to operators here.
const (
	// InternalError: a fault of the gateway, a panic included.
	InternalError Code = iota

	// CredentialMissing: the route requires a credential and there is none.
	CredentialMissing
	// CredentialsMultiple: more than one credential, or more than one
	// Authorization field.
	CredentialsMultiple
	// CredentialMalformed: the Authorization field is not "Bearer" and a token.
	CredentialMalformed
	// TokenTooLarge: the token is over the configured limit.
	TokenTooLarge

	// TokenMalformed: not a compact JWS of strict JSON.
	TokenMalformed
	// TokenAlgorithmNotAllowed: alg is not allowed for the issuer or key.
	TokenAlgorithmNotAllowed
	// TokenTypeNotAllowed: typ is not that of an access token.
	TokenTypeNotAllowed
	// TokenCriticalHeader: the header asks for an unsupported extension.
	TokenCriticalHeader
	// IssuerUnknown: iss is not a configured issuer.
	IssuerUnknown
	// IssuerNotAccepted: the issuer is configured, but not for this site.
	IssuerNotAccepted
	// KeyUnknown: no key of the issuer fits kid and alg.
	KeyUnknown
	// KeyWithdrawn: the issuer took the key back.
	KeyWithdrawn
	// SignatureInvalid: the signature does not verify.
	SignatureInvalid
	// TokenExpired: exp has passed.
	TokenExpired
	// TokenNotYetValid: nbf has not come.
	TokenNotYetValid
	// TokenIssuedInFuture: iat has not come.
	TokenIssuedInFuture
	// TokenLifetimeTooLong: exp is further off than allowed.
	TokenLifetimeTooLong
	// AudienceMismatch: the token was issued for somebody else.
	AudienceMismatch
	// ClaimMissing: a required claim is absent.
	ClaimMissing
	// ClaimInvalid: a claim has the wrong type or range.
	ClaimInvalid
	// TokenRevoked: the token, its session, subject, client or key is revoked.
	TokenRevoked
	// TokenInactive: the issuer, asked about the token, does not vouch for it
	// (RFC 7662 section 2.2).
	TokenInactive
	// AuthenticationInsufficient: acr or auth_time do not satisfy the rule.
	AuthenticationInsufficient

	// VNeIDAccountRequired: the account's kind has moved to other issuers.
	VNeIDAccountRequired
	// AccountKindNotAllowed: the rule does not list the account's kind.
	AccountKindNotAllowed
	// AccountKindUnknown: a rule depends on a kind that the token lacks.
	AccountKindUnknown
	// AccountLevelInsufficient: the account's level is too low.
	AccountLevelInsufficient
	// CitizenAccountCreationRemoved: one-stop officers lost this operation.
	CitizenAccountCreationRemoved
	// RouteDenied: a deny rule refuses the route.
	RouteDenied

	// HostUnknown: no site serves the host.
	HostUnknown
	// RequestMalformed: framing or syntax that two parsers could read
	// differently.
	RequestMalformed
	// TargetMalformed: the target cannot be normalised safely.
	TargetMalformed
	// HeaderTooLarge: the head is over its limit in bytes or fields.
	HeaderTooLarge
	// TargetTooLong: the target is over its limit.
	TargetTooLong
	// BodyTooLarge: the body is over the site's limit.
	BodyTooLarge
	// ExpectationFailed: an Expect other than 100-continue.
	ExpectationFailed
	// MethodNotSupported: a method that the gateway does not forward.
	MethodNotSupported
	// TransferEncodingUnsupported: a transfer coding other than chunked.
	TransferEncodingUnsupported
	// HTTPVersionUnsupported: neither HTTP/1.0 nor HTTP/1.1.
	HTTPVersionUnsupported
	// RequestTimeout: the head or body did not arrive in time.
	RequestTimeout
	// RateLimited: the site, the client or its address sent more than it may.
	RateLimited
	// ClientGone: nobody waited for the answer any more.
	ClientGone

	// KeysUnavailable: the issuer's key set is missing, or a key could not be
	// looked up in time.
	KeysUnavailable
	// KeysStale: the issuer's key set is past its hard limit.
	KeysStale
	// IntrospectionUnavailable: the issuer could not be asked about the token.
	IntrospectionUnavailable
	// RevocationsStale: what is known of revocations is past its hard limit.
	RevocationsStale
	// TokenStatusUnavailable: the issuer's status list for the token is not there,
	// or past its hard limit.
	TokenStatusUnavailable
	// Overloaded: the request was shed.
	Overloaded
	// UpstreamSaturated: all connections to the upstreams are in use.
	UpstreamSaturated
	// UpstreamUnavailable: every upstream is out, by its breaker or by its
	// health checks.
	UpstreamUnavailable

	// UpstreamUnreachable: no connection to an upstream.
	UpstreamUnreachable
	// UpstreamResponseMalformed: an upstream broke HTTP.
	UpstreamResponseMalformed
	// UpstreamClosed: an upstream took the request and closed the connection
	// without an answer. It may have acted on it.
	UpstreamClosed
	// UpstreamTimeout: an upstream did not answer in time.
	UpstreamTimeout

	codeCount
)

// Class groups codes for metrics: a closed set of outcome labels.
type Class uint8

// The classes.
const (
	// ClassInternal: the gateway is at fault.
	ClassInternal Class = iota
	// ClassUnauthenticated: no credential that could be verified (401, 400).
	ClassUnauthenticated
	// ClassForbidden: the site's policy refused a request (403).
	ClassForbidden
	// ClassInvalid: the request itself is at fault.
	ClassInvalid
	// ClassUnavailable: the gateway cannot serve it now (503).
	ClassUnavailable
	// ClassUpstream: an upstream is at fault (502, 504).
	ClassUpstream

	classCount
)

var classNames = [classCount]string{
	ClassInternal:        "internal",
	ClassUnauthenticated: "unauthenticated",
	ClassForbidden:       "forbidden",
	ClassInvalid:         "invalid",
	ClassUnavailable:     "unavailable",
	ClassUpstream:        "upstream",
}

// String returns the label.
func (c Class) String() string {
	if c < classCount {
		return classNames[c]
	}
	return classNames[ClassInternal]
}

// Codes returns every code, in ascending order.
func Codes() []Code {
	out := make([]Code, codeCount)
	for i := range out {
		out[i] = Code(i)
	}
	return out
}

// entry returns the table's line; a value outside the enumeration is an
// internal error.
func (c Code) entry() *entry {
	if c >= codeCount {
		c = InternalError
	}
	return &table[c]
}

// String returns the stable name in snake case.
func (c Code) String() string { return c.entry().name }

// Status returns the HTTP status, 400 to 599.
func (c Code) Status() int { return c.entry().status }

// Class returns the outcome label.
func (c Code) Class() Class { return c.entry().class }

// RetryAfter returns the seconds after which a client may try again, as sent
// in Retry-After where the refusal does not say otherwise; 0 where none is sent.
func (c Code) RetryAfter() int { return c.entry().retryAfter }

// Retryable reports whether the same request may be sent again as it is: it
// did not reach an upstream, and the cause may pass by itself.
func (c Code) Retryable() bool { return c.entry().retryable }

// Closes reports whether the connection must be closed: what follows on it can
// no longer be told from the refused request.
func (c Code) Closes() bool { return c.entry().closes }

// BearerError returns the error attribute of the challenge (RFC 6750 section
// 3.1, RFC 9470 section 3), "" for a challenge without one or no challenge.
func (c Code) BearerError() string { return c.entry().bearer }

// Challenges reports whether the answer carries WWW-Authenticate.
func (c Code) Challenges() bool { return c.entry().bearer != "" || c == CredentialMissing }

// LoginRelated reports whether the answer names the hotline.
func (c Code) LoginRelated() bool { return c.entry().login }
