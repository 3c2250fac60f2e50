package gateway

import (
	"errors"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// statementKeys finds the keys of an issuer for what it tells the gateway itself:
// events, logouts, status lists. Unlike a request's, their sender waits, so a key
// that is not in memory is looked for. Where it cannot be said whether a key is
// the issuer's the error is none of package token's: the sender comes again.
type statementKeys struct{ *issuer }

// Key implements token.KeySource.
func (k statementKeys) Key(kid, alg string) (*token.Key, error) {
	now := time.Now()
	if k.keys.Snapshot().FetchedAt().IsZero() || k.stale(now) {
		return nil, errNotLookedUp
	}
	key, err := k.keys.Key(kid, alg)
	if !errors.Is(err, token.ErrKeyUnknown) {
		return key, err
	}
	switch k.unknown.Await(kid, alg) {
	case identity.LookupFound:
		return k.keys.Key(kid, alg)
	case identity.LookupAbsent:
		return nil, err
	}
	return nil, errNotLookedUp
}
