package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// build makes the state of a validated configuration. It opens no connection.
// What runs in the background for it ends with ctx.
func build(ctx context.Context, c *config.Config, m *metrics.Metrics, log *slog.Logger) (*state, error) {
	st := &state{
		hosts:      hosts{exact: make(map[string]*site), suffix: make(map[string]*site)},
		byIssuer:   make(map[string]*issuer),
		unknown:    m.Verifications("unknown"),
		tokenBytes: int(c.Limits.TokenBytes),
		log:        accessPolicyOf(c.Log.Access),
	}
	if err := st.makeCaches(&c.Verdicts); err != nil {
		return nil, fmt.Errorf("verdicts: %w", err)
	}
	for i := range c.Issuers {
		is, err := buildIssuer(ctx, c, &c.Issuers[i], st, m, log)
		if err != nil {
			return nil, fmt.Errorf("issuer %s: %w", c.Issuers[i].Name, err)
		}
		st.issuers = append(st.issuers, is)
		st.byIssuer[c.Issuers[i].Issuer] = is
	}
	for i := range c.Sites {
		s, err := buildSite(c, &c.Sites[i], st, m)
		if err != nil {
			return nil, fmt.Errorf("site %s: %w", c.Sites[i].Name, err)
		}
		st.sites = append(st.sites, s)
		for _, host := range c.Sites[i].Hosts {
			st.hosts.add(host, s)
		}
	}
	return st, nil
}

// refusedShare is the part of the memory for verdicts that is set aside for
// what issuers refused: random tokens cannot drive out good ones.
const refusedShare = 16

func (st *state) makeCaches(c *config.Verdicts) error {
	var err error
	if st.verdicts, err = cache.NewVerdicts(cache.VerdictsConfig{MaxBytes: int64(c.MaxBytes), MaxAge: c.MaxAge}); err != nil {
		return err
	}
	st.refused, err = cache.NewVerdicts(cache.VerdictsConfig{
		MaxBytes: max(int64(c.MaxBytes)/refusedShare, cache.MinVerdictBytes),
		MaxAge:   c.MaxAge,
	})
	return err
}

func buildSite(c *config.Config, s *config.Site, st *state, m *metrics.Metrics) (*site, error) {
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
		upstreamHost:      s.Host == config.HostUpstream,
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
	for _, i := range st.issuers {
		// Validation allows one of them at a site.
		if i.introspections != nil && built.accepts(i) {
			built.opaque = i
		}
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
