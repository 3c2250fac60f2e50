package gateway

import (
	"fmt"
	"slices"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

// build makes the state of a validated configuration. It opens no connection.
// Issuers and upstreams of old, which may be nil, are taken over where nothing
// of theirs changed. What runs in the background for the others ends with
// g.base. After an error nothing is left of those.
func (g *Gateway) build(c *config.Config, old *state) (*state, error) {
	st := &state{
		cfg:        c,
		hosts:      hosts{exact: make(map[string]*site), suffix: make(map[string]*site)},
		byIssuer:   make(map[string]*issuer),
		verdicts:   g.verdicts,
		unknown:    g.metrics.Verifications("unknown"),
		tokenBytes: int(c.Limits.TokenBytes),
		log:        accessPolicyOf(c.Log.Access),
	}
	if err := g.fill(st, old); err != nil {
		st.closeBut(old)
		g.forgetShares(st, old)
		return nil, err
	}
	return st, nil
}

// fill builds the issuers and sites of st.
func (g *Gateway) fill(st, old *state) error {
	c := st.cfg
	if g.fleet != nil {
		st.sources = append(st.sources, g.fleetSource())
	}
	for i := range c.Issuers {
		is, err := g.buildIssuer(c, &c.Issuers[i], old)
		if err != nil {
			return fmt.Errorf("issuer %s: %w", c.Issuers[i].Name, err)
		}
		st.issuers = append(st.issuers, is)
		st.byIssuer[c.Issuers[i].Issuer] = is
		st.sources = append(st.sources, is.sources()...)
	}
	for i := range c.Sites {
		s, err := g.buildSite(c, &c.Sites[i], st, old)
		if err != nil {
			return fmt.Errorf("site %s: %w", c.Sites[i].Name, err)
		}
		st.sites = append(st.sites, s)
		for _, host := range c.Sites[i].Hosts {
			st.hosts.add(host, s)
		}
	}
	return nil
}

// closeBut ends what st does not share with other, which may be nil.
func (st *state) closeBut(other *state) {
	for _, i := range st.issuers {
		if other == nil || !slices.Contains(other.issuers, i) {
			i.close()
		}
	}
	for _, s := range st.sites {
		if other == nil || !slices.ContainsFunc(other.sites, func(o *site) bool { return o.reach == s.reach }) {
			s.reach.close()
		}
	}
}

// refusedShare is the part of the memory for verdicts that is set aside for
// what issuers refused: random tokens cannot drive out good ones.
const refusedShare = 16

func (g *Gateway) makeCaches(c *config.Verdicts) error {
	var err error
	if g.verdicts, err = cache.NewVerdicts(cache.VerdictsConfig{MaxBytes: int64(c.MaxBytes), MaxAge: c.MaxAge}); err != nil {
		return err
	}
	g.refused, err = cache.NewVerdicts(cache.VerdictsConfig{
		MaxBytes: max(int64(c.MaxBytes)/refusedShare, cache.MinVerdictBytes),
		MaxAge:   c.MaxAge,
	})
	return err
}

func (g *Gateway) buildSite(c *config.Config, s *config.Site, st, old *state) (*site, error) {
	compiled, err := compilePolicy(c, s)
	if err != nil {
		return nil, err
	}
	answers, err := reject.NewSite(s.Name, s.LoginURL)
	if err != nil {
		return nil, err
	}
	var identity []identityField
	for _, name := range s.IdentityHeaders {
		field, ok := parseIdentityField(name)
		if !ok {
			return nil, fmt.Errorf("identity header %q is not known", name)
		}
		identity = append(identity, field)
	}
	reach, err := buildReach(g.base, s, old)
	if err != nil {
		return nil, err
	}
	observed := g.metrics.Site(s.Name)
	observed.Foresee(metrics.Allowed, noReason)
	for _, code := range reject.Codes() {
		if outcomeOf(code) == metrics.Failed {
			observed.Foresee(metrics.Failed, reasonIndex(code))
		}
	}
	built := &site{
		name:              s.Name,
		policy:            compiled,
		reject:            answers,
		metrics:           observed,
		cookie:            []byte(s.Cookie),
		forwardCredential: s.ForwardCredential,
		maxBody:           int64(s.MaxBodyBytes),
		upstreamHost:      s.Host == config.HostUpstream,
		identity:          identity,
		refusesStale:      s.WhenRevocationsStale == config.StaleRefuse,
		reach:             reach,
		streaming:         g.streamingOf(c, s),
	}
	if err := g.addLimits(built, s, old); err != nil {
		reach.drop(old)
		return nil, err
	}
	for _, i := range st.issuers {
		// Validation allows one of them at a site.
		if i.introspections != nil && built.accepts(i) {
			built.opaque = i
		}
	}
	return built, nil
}
