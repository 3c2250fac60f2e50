package reject

import (
	"errors"
	"net"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// tokenCodes is ordered by how often a flood of bad tokens meets each.
var tokenCodes = [...]struct {
	err  error
	code Code
}{
	{token.ErrExpired, TokenExpired},
	{token.ErrSignature, SignatureInvalid},
	{token.ErrMalformed, TokenMalformed},
	{token.ErrKeyUnknown, KeyUnknown},
	{token.ErrIssuer, IssuerUnknown},
	{token.ErrAudience, AudienceMismatch},
	{token.ErrAlgorithm, TokenAlgorithmNotAllowed},
	{token.ErrInactive, TokenInactive},
	{token.ErrTooLarge, TokenTooLarge},
	{token.ErrType, TokenTypeNotAllowed},
	{token.ErrCritical, TokenCriticalHeader},
	{token.ErrKeyWithdrawn, KeyWithdrawn},
	{token.ErrNotYetValid, TokenNotYetValid},
	{token.ErrIssuedInFuture, TokenIssuedInFuture},
	{token.ErrLifetime, TokenLifetimeTooLong},
	{token.ErrClaimMissing, ClaimMissing},
	{token.ErrClaimInvalid, ClaimInvalid},
}

// FromToken returns the code of an error with which a token was refused. An
// error outside the token package's taxonomy of refusals is InternalError.
func FromToken(err error) Code {
	for i := range tokenCodes {
		if errors.Is(err, tokenCodes[i].err) {
			return tokenCodes[i].code
		}
	}
	return InternalError
}

var policyCodes = map[policy.Reason]Code{
	policy.ReasonCredentialMissing:             CredentialMissing,
	policy.ReasonCitizenAccountCreationRemoved: CitizenAccountCreationRemoved,
	policy.ReasonRouteDenied:                   RouteDenied,
	policy.ReasonIssuerNotAccepted:             IssuerNotAccepted,
	policy.ReasonVNeIDAccountRequired:          VNeIDAccountRequired,
	policy.ReasonAccountKindUnknown:            AccountKindUnknown,
	policy.ReasonAccountKindNotAllowed:         AccountKindNotAllowed,
	policy.ReasonAccountLevelInsufficient:      AccountLevelInsufficient,
	policy.ReasonAuthenticationInsufficient:    AuthenticationInsufficient,
}

// FromPolicy returns the code of a refusing decision. A decision that does not
// refuse, or gives no reason, is InternalError: it must not be rendered.
func FromPolicy(d policy.Decision) Code {
	if d.Outcome == policy.Allow {
		return InternalError
	}
	return policyCodes[d.Reason]
}

// FromServer returns the code of an error that fasthttp passes to a server's
// ErrorHandler: a request that could not be read. Unknown ones are
// RequestMalformed, since nothing of the request was acted on.
func FromServer(err error) Code {
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	switch {
	case errors.As(err, &small):
		return HeaderTooLarge
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return BodyTooLarge
	case errors.Is(err, fasthttp.ErrUnsupportedTransferEncoding):
		return TransferEncodingUnsupported
	case errors.As(err, &network) && network.Timeout():
		return RequestTimeout
	}
	return RequestMalformed
}
