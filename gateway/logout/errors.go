package logout

import (
	"errors"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

var (
	// ErrConfig means that a Config lacks something or is out of range. Where the
	// verifier refuses the rules of a logout token it wraps token.ErrProfile.
	ErrConfig = errors.New("logout: configuration invalid")

	// ErrRequest means that the request is not a form with exactly one
	// logout_token, or is too long.
	ErrRequest = errors.New("logout: request malformed")
	// ErrEvent means that events does not say that this is a back-channel logout.
	ErrEvent = errors.New("logout: not a back-channel logout event")
	// ErrNonce means that the token has a nonce: it could be an ID token.
	ErrNonce = errors.New("logout: nonce is prohibited")
	// ErrNobody means that the token has neither sub nor sid.
	ErrNobody = errors.New("logout: neither sub nor sid")
	// ErrKeys means that the issuer's keys could not be asked for the one that the
	// token names. It wraps the cause. The token may be good.
	ErrKeys = errors.New("logout: key not looked up")
	// ErrNotAccepted means that the revocation is not durable. It wraps the cause.
	ErrNotAccepted = errors.New("logout: not accepted")
)

// Outcome is what became of a request.
type Outcome uint8

// The outcomes. Their names are fit for metric labels.
const (
	// Accepted: the logout is in force and durable.
	Accepted Outcome = iota
	// Repeated: the same logout was accepted before.
	Repeated
	// Method: not a POST.
	Method
	// Request: ErrRequest.
	Request
	// Malformed: not a JWS that can be read, token.ErrMalformed, ErrTooLarge and
	// ErrCritical.
	Malformed
	// Algorithm: token.ErrAlgorithm.
	Algorithm
	// Type: token.ErrType. A backend that sends JWT, or nothing, needs
	// Config.AllowUntyped.
	Type
	// Issuer: token.ErrIssuer.
	Issuer
	// Audience: token.ErrAudience.
	Audience
	// Claims: a required claim is missing or one is malformed.
	Claims
	// Expired: token.ErrExpired.
	Expired
	// Early: token.ErrNotYetValid or ErrIssuedInFuture: a clock is wrong.
	Early
	// KeyUnknown: token.ErrKeyUnknown or ErrKeyWithdrawn.
	KeyUnknown
	// Signature: token.ErrSignature.
	Signature
	// Event: ErrEvent.
	Event
	// Nonce: ErrNonce.
	Nonce
	// Nobody: ErrNobody.
	Nobody
	// KeysUnavailable: ErrKeys.
	KeysUnavailable
	// NotAccepted: ErrNotAccepted.
	NotAccepted

	outcomes
)

var outcomeNames = [outcomes]string{
	"accepted", "repeated", "method", "request", "malformed", "algorithm", "type", "issuer", "audience", "claims", "expired",
	"early", "key_unknown", "signature", "event", "nonce", "nobody", "keys_unavailable", "not_accepted",
}

// String returns the outcome's name.
func (o Outcome) String() string { return outcomeNames[o] }

// Outcomes returns all outcomes in their order.
func Outcomes() []Outcome {
	all := make([]Outcome, outcomes)
	for o := range all {
		all[o] = Outcome(o)
	}
	return all
}

// refusals gives outcome and description for each error. The descriptions are
// for who sets the backend up, and say nothing that was not sent (section 2.8).
var refusals = [...]struct {
	err     error
	outcome Outcome
	text    string
}{
	{ErrNotAccepted, NotAccepted, "the logout could not be stored"},
	{ErrKeys, KeysUnavailable, "the issuer's keys could not be looked up"},
	{ErrRequest, Request, "the request must be a form with exactly one logout_token, of bounded length"},
	{ErrEvent, Event, "events must have the member http://schemas.openid.net/event/backchannel-logout, an object"},
	{ErrNonce, Nonce, "nonce is prohibited"},
	{ErrNobody, Nobody, "sub or sid is required"},
	{revocation.ErrEntry, Claims, "sub or sid is not usable"},
	{token.ErrTooLarge, Malformed, "the logout token is too long"},
	{token.ErrMalformed, Malformed, "the logout token is not a compact JWS of JSON objects"},
	{token.ErrCritical, Malformed, "the logout token's header asks for an extension"},
	{token.ErrAlgorithm, Algorithm, "alg is not allowed"},
	{token.ErrType, Type, "typ is not allowed"},
	{token.ErrIssuer, Issuer, "iss is not the issuer of this address"},
	{token.ErrAudience, Audience, "aud does not name this relying party"},
	{token.ErrClaimMissing, Claims, "iss, aud, iat, exp, jti and events are required"},
	{token.ErrClaimInvalid, Claims, "a claim is malformed"},
	{token.ErrExpired, Expired, "the logout token is expired or too old"},
	{token.ErrNotYetValid, Early, "the logout token is not valid yet"},
	{token.ErrIssuedInFuture, Early, "iat is in the future"},
	{token.ErrKeyUnknown, KeyUnknown, "no key of the issuer fits kid and alg"},
	{token.ErrKeyWithdrawn, KeyUnknown, "the key is no longer in use"},
	{token.ErrSignature, Signature, "the signature does not verify"},
}
