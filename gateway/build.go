package gateway

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// build makes the state of a validated configuration. It opens no connection.
func build(c *config.Config, m *metrics.Metrics, log *slog.Logger) (*state, error) {
	st := &state{
		hosts:      hosts{exact: make(map[string]*site), suffix: make(map[string]*site)},
		byIssuer:   make(map[string]*issuer),
		unknown:    m.Verifications("unknown"),
		tokenBytes: int(c.Limits.TokenBytes),
		log:        accessPolicyOf(c.Log.Access),
	}
	for i := range c.Issuers {
		is, err := buildIssuer(&c.Issuers[i], m, log)
		if err != nil {
			return nil, fmt.Errorf("issuer %s: %w", c.Issuers[i].Name, err)
		}
		st.issuers = append(st.issuers, is)
		st.byIssuer[c.Issuers[i].Issuer] = is
	}
	for i := range c.Sites {
		s, err := buildSite(c, &c.Sites[i], m)
		if err != nil {
			return nil, fmt.Errorf("site %s: %w", c.Sites[i].Name, err)
		}
		st.sites = append(st.sites, s)
		for _, host := range c.Sites[i].Hosts {
			st.hosts.add(host, s)
		}
	}
	verdicts, err := cache.NewVerdicts(cache.VerdictsConfig{
		MaxBytes: int64(c.Verdicts.MaxBytes),
		MaxAge:   c.Verdicts.MaxAge,
	})
	if err != nil {
		return nil, fmt.Errorf("verdicts: %w", err)
	}
	st.verdicts = verdicts
	return st, nil
}

func buildIssuer(c *config.Issuer, m *metrics.Metrics, log *slog.Logger) (*issuer, error) {
	profile, err := profileOf(c)
	if err != nil {
		return nil, err
	}
	verifier, err := token.NewVerifier(profile)
	if err != nil {
		return nil, err
	}
	source, err := sourceOf(c)
	if err != nil {
		return nil, err
	}
	keys := new(cache.Keys)
	return &issuer{
		name:     c.Name,
		verifier: verifier,
		keys:     keys,
		counts:   m.Verifications(c.Name),
		refresher: identity.NewRefresher(identity.RefresherConfig{
			Issuer:     c.Name,
			Source:     source,
			Keys:       keys,
			Algorithms: c.Algorithms,
			Interval:   c.JWKS.Refresh,
			Log:        log,
		}),
	}, nil
}

func profileOf(c *config.Issuer) (token.Profile, error) {
	p := token.Profile{
		Issuer:            c.Issuer,
		Algorithms:        c.Algorithms,
		Types:             c.Types,
		Audience:          c.Audience.AnyOf,
		AudienceClaims:    c.Audience.Claims,
		AudienceUnchecked: c.Audience.Unchecked,
		MaxLifetime:       c.MaxLifetime,
		KindClaim:         c.Claims.AccountKind.Claim,
		LevelClaim:        c.Claims.AccountLevel.Claim,
	}
	if c.Leeway != nil {
		p.Leeway = *c.Leeway
	}
	var err error
	if name := c.Claims.AccountKind.Default; name != "" {
		if p.KindDefault, err = token.ParseKind(name); err != nil {
			return p, err
		}
	}
	p.KindMap = make(map[string]token.Kind, len(c.Claims.AccountKind.Map))
	for value, name := range c.Claims.AccountKind.Map {
		if p.KindMap[value], err = token.ParseKind(name); err != nil {
			return p, err
		}
	}
	p.LevelMap = make(map[string]uint8, len(c.Claims.AccountLevel.Map))
	for value, level := range c.Claims.AccountLevel.Map {
		p.LevelMap[value] = uint8(level)
	}
	return p, nil
}

func sourceOf(c *config.Issuer) (identity.Source, error) {
	if c.JWKS.File != "" {
		return identity.FileSource{Path: c.JWKS.File, MaxBytes: int64(c.JWKS.MaxBytes)}, nil
	}
	client, err := identity.NewClient(identity.ClientConfig{
		Timeout:  c.JWKS.Timeout,
		MaxBytes: int64(c.JWKS.MaxBytes),
		CAFile:   c.JWKS.CAFile,
	})
	if err != nil {
		return nil, err
	}
	if c.JWKS.Discovery {
		return identity.DiscoverySource{Client: client, Issuer: c.Issuer, AllowPlainHTTP: c.JWKS.AllowPlainHTTP}, nil
	}
	return identity.URLSource{Client: client, URL: c.JWKS.URL}, nil
}

func buildSite(c *config.Config, s *config.Site, m *metrics.Metrics) (*site, error) {
	compiled, err := compilePolicy(c, s)
	if err != nil {
		return nil, err
	}
	answers, err := reject.NewSite(s.Name, s.LoginURL)
	if err != nil {
		return nil, err
	}
	addresses := make([]string, len(s.Upstreams))
	for i, base := range s.Upstreams {
		if addresses[i], err = dialAddress(base); err != nil {
			return nil, err
		}
	}
	observed := m.Site(s.Name)
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
		upstreams: upstream.NewGroup(upstream.GroupConfig{
			Addresses:      addresses,
			MaxConnections: s.MaxUpstreamConnections,
			Dial:           (&net.Dialer{}).DialContext,
			Timeouts: upstream.Timeouts{
				Connect:   s.Timeouts.Connect,
				FirstByte: s.Timeouts.FirstByte,
				Idle:      s.Timeouts.Idle,
			},
		}),
	}
	if s.Host == "upstream" {
		built.host = []byte(strings.TrimSuffix(addresses[0], ":80"))
	}
	for _, name := range s.IdentityHeaders {
		field, ok := parseIdentityField(name)
		if !ok {
			return nil, fmt.Errorf("identity header %q is not known", name)
		}
		built.identity = append(built.identity, field)
	}
	return built, nil
}

// dialAddress turns an upstream's base URL into host:port.
func dialAddress(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "80"), nil
	}
	return u.Host, nil
}
