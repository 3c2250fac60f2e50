package gateway

import (
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// state is all that requests need to know of one configuration. It is
// immutable; a request loads it once and sees no other.
type state struct {
	hosts    hosts
	sites    []*site
	issuers  []*issuer
	byIssuer map[string]*issuer // by the iss claim
	verdicts *cache.Verdicts
	// refused remembers what issuers said of tokens that are not good, in
	// memory of its own.
	refused *cache.Verdicts
	// unknown counts tokens of nobody's issuer.
	unknown    *metrics.Verifications
	tokenBytes int
	log        accessPolicy
}

// issuer is one party whose tokens can be verified.
type issuer struct {
	name     string
	verifier *token.Verifier
	keys     *cache.Keys
	guard    *identity.Guard
	counts   *metrics.Verifications

	// refresher and unknown are nil for an issuer without a key set.
	refresher *identity.Refresher
	unknown   *identity.UnknownKeys
	softStale time.Duration
	hardStale time.Duration
	// unavailable answers 503 for a key that could not be looked up.
	unavailable bool

	// introspections is nil for an issuer that is not asked about tokens;
	// confirms says that it is asked about JWTs, too.
	introspections *identity.Introspections
	asker          *identity.Introspector
	confirms       bool
}

// usable reports whether a verdict about a token of the issuer still holds
// without asking anybody.
func (i *issuer) usable(v *cache.Verdict, now time.Time) bool {
	switch {
	case v.Usable(now, i.verifier) != nil:
		return false
	case v.Key != nil && i.stale(now):
		return false
	case v.Key == nil || i.confirms:
		return i.introspections != nil && i.introspections.Fresh(v, now)
	}
	return true
}

// stale reports whether the issuer's keys are past their hard limit: nothing is
// verified under them, and no verdict that rests on them is used.
func (i *issuer) stale(now time.Time) bool {
	age, ok := i.keys.Age(now)
	return ok && age >= i.hardStale
}

// site is one system behind the gateway.
type site struct {
	name              string
	policy            *policy.Site
	upstreams         *upstream.Group
	reject            *reject.Site
	metrics           *metrics.Site
	cookie            []byte
	forwardCredential bool
	identity          []identityField
	// upstreamHost sends the upstream its own authority as Host.
	upstreamHost bool
	// opaque is asked about tokens that are no JWT; nil for nobody.
	opaque  *issuer
	maxBody int64
}

// accepts reports whether the site takes tokens of the issuer.
func (s *site) accepts(i *issuer) bool { return slices.Contains(s.policy.Issuers, i.name) }

// issuerOf finds the issuer under whose present configuration a verdict was
// reached; nil where that configuration is gone.
func (st *state) issuerOf(v *token.Verifier) *issuer {
	for _, i := range st.issuers {
		if i.verifier == v {
			return i
		}
	}
	return nil
}
