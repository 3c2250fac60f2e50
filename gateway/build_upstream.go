package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"reflect"
	"slices"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// reach is how a site's upstreams are reached. Successive states share it as
// long as nothing changes that it was made of: connections, health and the
// memory of failures outlive a reload.
type reach struct {
	cfg   config.Site // the fields that it was made of
	files digest
	group *upstream.Group
	ctx   context.Context
	stop  context.CancelFunc
}

// reachFields returns the fields of s of which a reach is made.
func reachFields(s *config.Site) config.Site {
	return config.Site{
		Name:                   s.Name,
		Upstreams:              s.Upstreams,
		Balance:                s.Balance,
		UpstreamTLS:            s.UpstreamTLS,
		SendProxyProtocol:      s.SendProxyProtocol,
		Resolve:                s.Resolve,
		HealthCheck:            s.HealthCheck,
		Ejection:               s.Ejection,
		Breaker:                s.Breaker,
		Retry:                  s.Retry,
		Timeouts:               s.Timeouts,
		MaxUpstreamConnections: s.MaxUpstreamConnections,
	}
}

// buildReach returns the reach of an earlier state where it still is as s says,
// or makes one. What runs in the background for it ends with ctx.
func buildReach(ctx context.Context, s *config.Site, old *state) (*reach, error) {
	fields := reachFields(s)
	files, err := digestFiles(s.UpstreamTLS.CAFile, s.UpstreamTLS.ClientCertFile, s.UpstreamTLS.ClientKeyFile)
	if err != nil {
		return nil, err
	}
	if old != nil {
		for _, was := range old.sites {
			if was.reach.files == files && reflect.DeepEqual(was.reach.cfg, fields) {
				return was.reach, nil
			}
		}
	}
	endpoints, err := endpointsOf(s)
	if err != nil {
		return nil, err
	}
	r := &reach{cfg: fields, files: files, group: upstream.NewGroup(groupConfig(s, endpoints))}
	r.ctx, r.stop = context.WithCancel(ctx)
	return r, nil
}

func groupConfig(s *config.Site, endpoints []upstream.Endpoint) upstream.GroupConfig {
	c := upstream.GroupConfig{
		Endpoints:      endpoints,
		MaxConnections: s.MaxUpstreamConnections,
		Timeouts: upstream.Timeouts{
			Connect:   s.Timeouts.Connect,
			FirstByte: s.Timeouts.FirstByte,
			Idle:      s.Timeouts.Idle,
			Total:     s.Timeouts.Total,
		},
		Eject: upstream.EjectConfig{
			After:         s.Ejection.After,
			GatewayErrors: true,
			Base:          s.Ejection.For,
			Max:           s.Ejection.AtMost,
			Percent:       s.Ejection.Share,
			Return:        s.Ejection.SlowReturn,
		},
		Breaker: upstream.BreakerConfig{After: s.Breaker.BreakAfter, For: s.Breaker.BreakFor},
		Retry:   upstream.RetryConfig{Attempts: s.Retry.Attempts, Percent: s.Retry.Percent, PerSecond: s.Retry.PerSecond},
		Resolve: upstream.ResolveConfig{Interval: s.Resolve},
		Dial:    (&net.Dialer{}).DialContext,
	}
	if s.Balance == config.BalanceRoundRobin {
		c.Balance = upstream.RoundRobin
	}
	if h := &s.HealthCheck; h.Path != "" {
		c.Health = &upstream.HealthConfig{
			Path:      h.Path,
			Interval:  h.Interval,
			Timeout:   h.Timeout,
			Unhealthy: h.Unhealthy,
			Healthy:   h.Healthy,
			MinStatus: h.LeastStatus,
			MaxStatus: h.MostStatus,
		}
	}
	return c
}

// proxyVersions are the versions of the PROXY protocol by their names.
var proxyVersions = map[string]int{config.ProxyProtocolNone: 0, config.ProxyProtocolV1: 1, config.ProxyProtocolV2: 2}

func endpointsOf(s *config.Site) ([]upstream.Endpoint, error) {
	secure, err := upstreamTLS(&s.UpstreamTLS)
	if err != nil {
		return nil, err
	}
	endpoints := make([]upstream.Endpoint, len(s.Upstreams))
	for i, raw := range s.Upstreams {
		u, ok := config.ParseUpstream(raw)
		if !ok {
			return nil, fmt.Errorf("upstream %q is not understood", raw)
		}
		e := upstream.Endpoint{SendProxy: proxyVersions[s.SendProxyProtocol]}
		if u.Socket != "" {
			e.Network, e.Address = "unix", u.Socket
		} else {
			e.Address = net.JoinHostPort(u.Host, u.Port)
		}
		if u.Secure {
			e.TLS = secure
		}
		endpoints[i] = e
	}
	return endpoints, nil
}

// upstreamTLS says whom the gateway trusts as an upstream, and who it is.
func upstreamTLS(c *config.UpstreamTLS) (*tls.Config, error) {
	t := &tls.Config{ServerName: c.ServerName, MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("upstream_tls.ca_file: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("upstream_tls.ca_file: %s holds no PEM certificate", c.CAFile)
		}
	}
	if c.ClientCertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.ClientCertFile, c.ClientKeyFile)
		if err != nil {
			return nil, fmt.Errorf("upstream_tls.client_cert_file: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// streamingOf says what exchanges of the site that last may do.
func (g *Gateway) streamingOf(c *config.Config, s *config.Site) *upstream.Streaming {
	rate := func(least config.Bytes) upstream.Rate {
		return upstream.Rate{BytesPerSecond: int64(least), Grace: c.Limits.RateGrace}
	}
	return &upstream.Streaming{
		Upgrades:     s.Upgrades,
		Tunnels:      g.tunnels,
		TunnelIdle:   s.Timeouts.Tunnel,
		RequestRate:  rate(c.Limits.MinBodyRate),
		ResponseRate: rate(c.Limits.MinResponseRate),
	}
}

// close ends what runs for the upstreams. Requests under way keep their
// connection until they end.
func (r *reach) close() {
	r.stop()
	r.group.Close()
}

// drop closes a reach that was built for a state that came to nothing, unless
// old, which may be nil, has it.
func (r *reach) drop(old *state) {
	if old == nil || !slices.ContainsFunc(old.sites, func(s *site) bool { return s.reach == r }) {
		r.close()
	}
}
