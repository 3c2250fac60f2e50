package secevent

import (
	"errors"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Why a security event token is not acknowledged. Every error of Stream.Take wraps exactly one of these. Their texts, and
// those of the errors that wrap them, say nothing of what is in a token.
var (
	// ErrRequest means that it is no security event token, or not one of sound form, or that an event in it is not what
	// its definition says: invalid_request of RFC 8935 section 2.4.
	ErrRequest = errors.New("secevent: not a sound security event token")
	// ErrKey means that it was signed with a key or algorithm that is not the transmitter's: invalid_key.
	ErrKey = errors.New("secevent: key not accepted")
	// ErrIssuer means that another than the configured transmitter issued it: invalid_issuer.
	ErrIssuer = errors.New("secevent: issuer not accepted")
	// ErrAudience means that it is for others: invalid_audience.
	ErrAudience = errors.New("secevent: audience not accepted")
	// ErrAuthentication means that its signature does not verify, or that it was delivered without the transmitter's
	// bearer token: authentication_failed.
	ErrAuthentication = errors.New("secevent: transmitter not authenticated")
	// ErrAccess means that it is about a subject of an issuer for which the transmitter may not speak: access_denied.
	ErrAccess = errors.New("secevent: transmitter may not speak for this issuer")
	// ErrUnmapped means that it is about subjects that no token names, such as an email address: nothing was revoked, and
	// nobody is told otherwise. For want of a code of its own it is invalid_request.
	ErrUnmapped = errors.New("secevent: no subject that tokens name")
	// ErrUnavailable means that it may be good, but could not be verified or made durable now: whoever sent it must send
	// it again.
	ErrUnavailable = errors.New("secevent: cannot be taken now")

	// ErrConfig means that a configuration is out of range, or lacks what is required.
	ErrConfig = errors.New("secevent: configuration invalid")
)

// Reason is why a security event token is not acknowledged. Its names are values of metric labels.
type Reason uint8

// The reasons, one for each error of Stream.Take, in the same order.
const (
	ReasonRequest Reason = iota
	ReasonKey
	ReasonIssuer
	ReasonAudience
	ReasonAuthentication
	ReasonAccess
	ReasonUnmapped
	ReasonUnavailable

	// NumReasons is the number of reasons.
	NumReasons
)

// reasons gives each reason its name, its error and its code in RFC 8935 section 2.4.
var reasons = [NumReasons]struct {
	name, code string
	err        error
}{
	ReasonRequest:        {"invalid_request", "invalid_request", ErrRequest},
	ReasonKey:            {"invalid_key", "invalid_key", ErrKey},
	ReasonIssuer:         {"invalid_issuer", "invalid_issuer", ErrIssuer},
	ReasonAudience:       {"invalid_audience", "invalid_audience", ErrAudience},
	ReasonAuthentication: {"authentication_failed", "authentication_failed", ErrAuthentication},
	ReasonAccess:         {"access_denied", "access_denied", ErrAccess},
	ReasonUnmapped:       {"unmapped", "invalid_request", ErrUnmapped},
	ReasonUnavailable:    {"unavailable", "", ErrUnavailable},
}

// String returns the reason's name.
func (r Reason) String() string { return reasons[r].name }

// reasonOf returns the reason of an error of Stream.Take.
func reasonOf(err error) Reason {
	for r := range reasons {
		if errors.Is(err, reasons[r].err) {
			return Reason(r)
		}
	}
	return ReasonUnavailable
}

// statementFaults gives the error for each way in which a statement is refused. What is not in it is no fault of the
// transmitter's: keys that cannot be had now.
var statementFaults = [...]struct{ from, to error }{
	{token.ErrTooLarge, ErrRequest},
	{token.ErrMalformed, ErrRequest},
	{token.ErrCritical, ErrRequest},
	{token.ErrType, ErrRequest},
	{token.ErrExpired, ErrRequest},
	{token.ErrNotYetValid, ErrRequest},
	{token.ErrIssuedInFuture, ErrRequest},
	{token.ErrClaimMissing, ErrRequest},
	{token.ErrClaimInvalid, ErrRequest},
	{token.ErrAlgorithm, ErrKey},
	{token.ErrKeyUnknown, ErrKey},
	{token.ErrKeyWithdrawn, ErrKey},
	{token.ErrIssuer, ErrIssuer},
	{token.ErrAudience, ErrAudience},
	{token.ErrSignature, ErrAuthentication},
}

func statementFault(err error) error {
	for _, f := range statementFaults {
		if errors.Is(err, f.from) {
			return f.to
		}
	}
	return ErrUnavailable
}
