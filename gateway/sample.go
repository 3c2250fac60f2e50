package gateway

import (
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
)

// sample reads what other packages count, for a scrape.
func (g *Gateway) sample() metrics.Sample {
	st := g.state.Load()
	now := time.Now()
	s := metrics.Sample{
		Ready:            len(g.Missing()) == 0,
		Draining:         g.draining.Load(),
		Connections:      g.conns.open.Load(),
		ConnectionsLimit: g.conns.max,
	}
	for _, i := range st.issuers {
		stats := i.refresher.Stats()
		age, has := i.keys.Age(now)
		s.Issuers = append(s.Issuers, metrics.IssuerSample{
			Issuer:   i.name,
			Keys:     i.keys.Snapshot().Len(),
			Skipped:  int(stats.Skipped),
			Age:      age,
			HasKeys:  has,
			Fetches:  stats.Fetches,
			Failures: stats.Failures,
		})
	}
	for _, site := range st.sites {
		s.Sites = append(s.Sites, metrics.SiteSample{Site: site.name, Observes: site.policy.Mode == policy.Observe})
		for _, u := range site.upstreams.Stats() {
			s.Upstreams = append(s.Upstreams, metrics.UpstreamSample{
				Site: site.name, Upstream: u.Address, Connections: u.Open, Limit: u.Limit, DialFailures: u.DialFailures,
			})
		}
	}
	v := st.verdicts.Stats()
	s.Verdicts = metrics.VerdictSample{
		Hits: v.Hits, Misses: v.Misses, Evicted: v.Evicted, Rejected: v.Rejected, Expired: v.Expired, Entries: v.Entries, Bytes: v.Bytes, BytesLimit: int64(g.cfg.Verdicts.MaxBytes),
	}
	return s
}
