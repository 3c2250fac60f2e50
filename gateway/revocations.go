package gateway

import "github.com/vneid-gateway/vneid-gateway/gateway/token"

// Revocations tells whether a verified token was revoked since. It is asked
// for every request, cached verdicts included, so it must answer from memory,
// without a lock that requests share.
type Revocations interface {
	Revoked(c *token.Claims, k *token.Key) bool
}

// nothingRevoked is what the gateway knows without a source of revocations.
type nothingRevoked struct{}

func (nothingRevoked) Revoked(*token.Claims, *token.Key) bool { return false }
