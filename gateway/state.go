package gateway

import (
	"slices"

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
	// unknown counts tokens of nobody's issuer.
	unknown    *metrics.Verifications
	tokenBytes int
	log        accessPolicy
}

// issuer is one party whose tokens can be verified.
type issuer struct {
	name      string
	verifier  *token.Verifier
	keys      *cache.Keys
	refresher *identity.Refresher
	counts    *metrics.Verifications
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
	// host replaces the client's Host; nil preserves it.
	host    []byte
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
