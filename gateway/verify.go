package gateway

import (
	"errors"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// verify verifies a token that has no usable verdict: parse, issuer, key,
// signature, claims; then whether it still holds. It takes a turn of the
// processors for it, and gives it up before it waits for anything.
func (x *exchange) verify(credential []byte, digest *[32]byte) (*issuer, bool) {
	if !x.takeTurn() {
		return nil, x.shed()
	}
	defer x.leaveTurn()
	parsed, err := token.Parse(credential)
	switch {
	case errors.Is(err, token.ErrMalformed) && x.site.opaque != nil && !token.HasJOSEHeader(credential):
		// Two dots make no JWT: an issuer may have them in its opaque tokens. What
		// has a JOSE header is a JWT, and is judged as one and by nobody else.
		return x.introspect(x.site.opaque, credential, digest)
	case err != nil:
		return nil, x.unverified(x.st.unknown, reject.FromToken(err))
	}
	issuer := x.st.byIssuer[parsed.Issuer]
	switch {
	case issuer == nil:
		return nil, x.unverified(x.st.unknown, reject.IssuerUnknown)
	case !x.site.accepts(issuer):
		return nil, x.unverified(issuer.counts, reject.IssuerNotAccepted)
	case issuer.refresher == nil:
		// It has no key set: only it can say what its tokens are.
		return x.introspect(issuer, credential, digest)
	case issuer.keys.Snapshot().FetchedAt().IsZero():
		return nil, x.unverified(issuer.counts, reject.KeysUnavailable)
	case issuer.stale(x.now):
		return nil, x.unverified(issuer.counts, reject.KeysStale)
	}
	verified, err := x.prove(issuer, &parsed)
	switch {
	case errors.Is(err, errNoTurn):
		return nil, x.shed()
	case errors.Is(err, errNotLookedUp), errors.Is(err, token.ErrKeyUnknown) && issuer.keys.Snapshot().Len() == 0:
		// Where every key was purged, a token may bring the next one, and is
		// not at fault while there is none.
		return nil, x.unverified(issuer.counts, reject.KeysUnavailable)
	case err != nil:
		return nil, x.unverified(issuer.counts, reject.FromToken(err))
	}
	verified.Key.Use(verified.Claims, digest[0], x.now.Unix())
	if issuer.confirms {
		x.leaveTurn()
		v, err := issuer.introspections.Confirm(x.g.base, credential, digest, verified, x.now)
		return x.introspected(issuer, v, err)
	}
	x.st.verdicts.PutDigest(digest, verified, issuer.verifier, x.now)
	return x.verified(issuer, verified.Claims, verified.Key)
}

// prove checks the token against the issuer's keys, after a look for one that
// is not in memory.
func (x *exchange) prove(i *issuer, parsed *token.Parsed) (token.Verified, error) {
	verified, err := i.verifier.Verify(parsed, i.keys, x.now)
	if !errors.Is(err, token.ErrKeyUnknown) {
		return verified, err
	}
	x.leaveTurn()
	if err := x.search(i, parsed); err != nil {
		return token.Verified{}, err
	}
	if !x.takeTurn() {
		return token.Verified{}, errNoTurn
	}
	return i.verifier.Verify(parsed, i.keys, x.now)
}

// introspect asks the issuer about a token that only it can read, or knows what
// it said not long ago.
func (x *exchange) introspect(i *issuer, credential []byte, digest *[32]byte) (*issuer, bool) {
	x.leaveTurn()
	v, err := i.introspections.Verdict(x.g.base, credential, digest, x.now)
	return x.introspected(i, v, err)
}

func (x *exchange) introspected(i *issuer, v *cache.Verdict, err error) (*issuer, bool) {
	x.now = time.Now()
	switch {
	case errors.Is(err, identity.ErrIntrospection):
		return nil, x.unverified(i.counts, reject.IntrospectionUnavailable)
	case err != nil:
		return nil, x.unverified(i.counts, reject.FromToken(err))
	}
	x.held = v.Claims.Expand()
	return x.verified(i, &x.held, v.Key)
}

// verified takes what a token proved, unless it was revoked since.
func (x *exchange) verified(i *issuer, claims *token.Claims, key *token.Key) (*issuer, bool) {
	if claims.Status.Present() {
		x.leaveTurn()
	}
	if code, ok := x.unrevoked(i, claims, key); !ok {
		return nil, x.unverified(i.counts, code)
	}
	i.counts.Count(noReason)
	x.claims, x.key = claims, key
	return i, true
}

// errNotLookedUp means that a key could not be looked for, where the issuer is
// configured to say so.
var errNotLookedUp = errors.New("gateway: key not looked up")

// errNoTurn means that a token was not verified for want of processor time.
var errNoTurn = errors.New("gateway: no turn to verify")

// search looks for the key of a token that is good but for that, within the
// issuer's budget.
func (x *exchange) search(i *issuer, parsed *token.Parsed) error {
	outcome := i.unknown.Await(parsed.KeyID, parsed.Algorithm())
	x.now = time.Now()
	switch {
	case outcome == identity.LookupFound:
		return nil
	case outcome == identity.LookupAbsent || !i.unavailable:
		return token.ErrKeyUnknown
	}
	return errNotLookedUp
}

func (x *exchange) unverified(counts *metrics.Verifications, code reject.Code) bool {
	counts.Count(reasonIndex(code))
	return x.refuse(code)
}
