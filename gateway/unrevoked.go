package gateway

import (
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/statuslist"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// unrevoked reports whether nobody has revoked what a token proves: by the store,
// which is memory, then by the issuer's status list, for which a request waits a
// bounded time where it is not there. It is asked for every request.
func (x *exchange) unrevoked(i *issuer, claims *token.Claims, key *token.Key) (reject.Code, bool) {
	if x.g.revocations.Revoked(claims, key) {
		return reject.TokenRevoked, false
	}
	if !claims.Status.Present() {
		return 0, true
	}
	status := i.lists.Check(x.g.base, claims.Status.URI(), claims.Status.Index(), x.now)
	x.now = time.Now() // it may have waited
	return statusCode(status), i.lists.Allows(status)
}

// statusCode is why a token of a status that is not allowed is refused.
func statusCode(s statuslist.Status) reject.Code {
	switch s {
	case statuslist.Unknown, statuslist.Foreign:
		return reject.TokenStatusUnavailable
	case statuslist.OutOfRange:
		return reject.ClaimInvalid
	}
	return reject.TokenRevoked
}
