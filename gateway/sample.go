package gateway

import (
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
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
		s.Issuers = append(s.Issuers, i.sample(now))
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

// sample reads what is counted for one issuer.
func (i *issuer) sample(now time.Time) metrics.IssuerSample {
	age, has := i.keys.Age(now)
	breaker := i.guard.Stats()
	s := metrics.IssuerSample{
		Issuer:           i.name,
		IntrospectedOnly: i.refresher == nil,
		Keys:             i.keys.Snapshot().Len(),
		Age:              age,
		HasKeys:          has,
		SoftStale:        has && age >= i.softStale,
		HardStale:        has && age >= i.hardStale,
		Purged:           len(i.keys.Purged()),
		BreakerState:     breaker.State,
		BreakerStates:    identity.BreakerStates(),
		BreakerOpened:    breaker.Opened,
		BreakerRefused:   breaker.Refused,
	}
	for _, key := range i.keys.Snapshot().All() {
		use := key.Usage()
		if use.Tokens == 0 {
			s.Unused++
		}
		if retirable(use, now, i.verifier.Leeway()) {
			s.Retirable++
		}
	}
	if i.introspections != nil {
		stats := i.introspections.Stats()
		s.Introspections, s.IntrospectionFailures = outcomes(stats), stats.Failures
	}
	if i.refresher != nil {
		stats := i.refresher.Stats()
		s.Skipped, s.Fetches, s.Failures, s.Unsaved = int(stats.Skipped), stats.Fetches, stats.Failures, stats.Unsaved
		s.Lookups = i.unknown.Counts()
	}
	return s
}

// retirable reports whether a key was used and every token that was seen under
// it has expired: it could go without anybody noticing.
func retirable(u token.Usage, now time.Time, leeway time.Duration) bool {
	return u.Tokens > 0 && now.After(time.Unix(u.LatestExpiry, 0).Add(leeway))
}

// outcomes names what became of introspections. It is a closed set.
func outcomes(s identity.IntrospectionStats) map[string]uint64 {
	return map[string]uint64{
		"believed":         s.Fresh,
		"refusal_believed": s.Refusals,
		"active":           s.Active,
		"inactive":         s.Inactive,
		"unfit":            s.Unfit,
		"used_while_away":  s.Stale,
		"unavailable":      s.Unavailable,
	}
}
