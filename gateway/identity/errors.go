package identity

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

var (
	// ErrUnreachable means that no answer came: no connection, a broken one,
	// or no such file.
	ErrUnreachable = errors.New("identity: backend unreachable")
	// ErrUntrusted means that the backend's certificate did not verify under the
	// configured roots, or that the backend broke off the handshake: it does not
	// trust the gateway's, say, or wants one.
	ErrUntrusted = errors.New("identity: certificate not trusted")
	// ErrTimeout means that the answer was not complete in time.
	ErrTimeout = errors.New("identity: backend timed out")
	// ErrStatus means an answer other than 200.
	ErrStatus = errors.New("identity: backend answered with an error status")
	// ErrAbsent means a 404 or 410: that document is not there, which says little
	// about the backend.
	ErrAbsent = fmt.Errorf("%w: no such document", ErrStatus)
	// ErrTooLarge means an answer beyond the configured bound, or beyond
	// token.MaxKeySetBytes.
	ErrTooLarge = errors.New("identity: answer too large")
	// ErrRedirect means a redirect to another origin, or too many.
	ErrRedirect = errors.New("identity: redirect refused")
	// ErrMalformed means an answer that is not strict JSON, or a discovery
	// document without an address.
	ErrMalformed = errors.New("identity: malformed answer")
	// ErrIssuerMismatch means a discovery document of another issuer (OpenID
	// Connect Discovery 1.0 section 4.3).
	ErrIssuerMismatch = errors.New("identity: discovery names another issuer")
	// ErrInsecure means a discovered key set address that is not https.
	ErrInsecure = errors.New("identity: key set address is not https")
	// ErrKeySet means an answer without a key set, or without one usable key.
	ErrKeySet = errors.New("identity: no usable key")
	// ErrRetired means that a refresher was replaced: what it fetches is not used
	// any more. It is no failure of the backend.
	ErrRetired = errors.New("identity: refresher retired")
	// ErrPanic means a fault of the gateway's own while it called the backend or
	// read its answer.
	ErrPanic = errors.New("identity: panic")
)

// Reasons lists the values that Reason returns for errors, for metrics.
func Reasons() []string {
	return []string{
		"unreachable", "untrusted", "timeout", "status", "too_large", "redirect", "malformed",
		"issuer_mismatch", "insecure", "no_usable_key", "breaker_open",
		"client_rejected", "saturated", "panic", "other",
	}
}

// Reason gives a refresh error its stable code.
func Reason(err error) string {
	for _, known := range []struct {
		err  error
		code string
	}{
		{ErrTimeout, "timeout"},
		{context.DeadlineExceeded, "timeout"},
		{ErrUnreachable, "unreachable"},
		{ErrUntrusted, "untrusted"},
		{ErrStatus, "status"},
		{ErrTooLarge, "too_large"},
		{ErrRedirect, "redirect"},
		{ErrMalformed, "malformed"},
		{ErrIssuerMismatch, "issuer_mismatch"},
		{ErrInsecure, "insecure"},
		{ErrKeySet, "no_usable_key"},
		{ErrBreakerOpen, "breaker_open"},
		{ErrClientRejected, "client_rejected"},
		{ErrSaturated, "saturated"},
		{ErrPanic, "panic"},
		{token.ErrKeySet, "no_usable_key"},
	} {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	return "other"
}

// transportError maps what net/http and the file system return to the
// taxonomy. The address stays out of it: it may hold a credential.
func transportError(err error) error {
	var (
		timeout     net.Error
		certificate *tls.CertificateVerificationError
		alert       *net.OpError // crypto/tls: the other side's alert
	)
	switch {
	case errors.Is(err, ErrRedirect):
		return ErrRedirect
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	case errors.Is(err, context.Canceled):
		// Ours: nobody waits any more. It says nothing about the backend.
		return context.Canceled
	case errors.As(err, &certificate), errors.As(err, &alert) && alert.Op == "remote error":
		return ErrUntrusted
	}
	return ErrUnreachable
}
