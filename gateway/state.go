package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/overload"
	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/statuslist"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// state is all that requests need to know of one configuration. It is
// immutable; a request loads it once and sees no other.
type state struct {
	cfg      *config.Config
	users    users
	hosts    hosts
	sites    []*site
	issuers  []*issuer
	byIssuer map[string]*issuer // by the iss claim
	// sources are heard of again and again.
	sources  []revocationSource
	verdicts *cache.Verdicts
	// unknown counts tokens of nobody's issuer.
	unknown    *metrics.Verifications
	tokenBytes int
	log        accessPolicy
}

// issuer is one party whose tokens can be verified.
type issuer struct {
	cfg   *config.Issuer
	was   *issuer         // its predecessor until it is in force; nil for none
	files digest          // of what its configuration names
	ctx   context.Context // ends with it
	stop  context.CancelFunc

	name     string
	verifier *token.Verifier
	keys     *cache.Keys
	counts   *metrics.Verifications

	// refresher and unknown are nil for an issuer without a key set, fetching
	// also for one whose key set is a file.
	refresher *identity.Refresher
	unknown   *identity.UnknownKeys
	fetching  *identity.Guard
	softStale time.Duration
	hardStale time.Duration
	// unavailable answers 503 for a key that could not be looked up.
	unavailable bool

	// introspections is nil for an issuer that is not asked about tokens;
	// confirms says that it is asked about JWTs, too.
	introspections *identity.Introspections
	asker          *identity.Introspector
	asking         *identity.Guard
	confirms       bool

	told told
	// lists are its status lists, nil for none.
	lists   *statuslist.Lists
	listing *identity.Guard
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

// named finds an issuer of st, which may be nil, by its configured name.
func (st *state) named(name string) *issuer {
	if st == nil {
		return nil
	}
	for _, i := range st.issuers {
		if i.name == name {
			return i
		}
	}
	return nil
}

// predecessor finds the issuer of st, which may be nil, that i is to take the
// place of: the one of its name, else the one that issues the same tokens, else
// the one with the same keys.
func (st *state) predecessor(i *config.Issuer) *issuer {
	if was := st.named(i.Name); was != nil || st == nil {
		return was
	}
	for _, was := range st.issuers {
		if was.cfg.Issuer == i.Issuer {
			return was
		}
	}
	for _, was := range st.issuers {
		if was.refresher != nil && sameSource(was.cfg, i) {
			return was
		}
	}
	return nil
}

// sameSource reports whether two issuers' keys come from the same place.
func sameSource(a, b *config.Issuer) bool {
	return a.JWKS.URL == b.JWKS.URL && a.JWKS.File == b.JWKS.File && a.JWKS.Discovery == b.JWKS.Discovery &&
		(!a.JWKS.Discovery || a.Issuer == b.Issuer)
}

// site is one system behind the gateway.
type site struct {
	reach             *reach
	streaming         *upstream.Streaming
	share             *overload.SiteShare
	weight            int
	rates             *overload.RateLimits // nil for none
	ratesCfg          config.RateLimits
	name              string
	policy            *policy.Site
	reject            *reject.Site
	metrics           *metrics.Site
	cookie            []byte
	forwardCredential bool
	identity          []identityField
	// upstreamHost sends the upstream its own authority as Host.
	upstreamHost bool
	// refusesStale refuses credentials while a source of revocations is past its
	// hard limit.
	refusesStale bool
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
