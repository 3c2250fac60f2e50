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
		Ready:          len(g.Missing()) == 0,
		Draining:       g.draining.Load(),
		RetiredConfigs: g.retired.Load(),
		Connections:    g.sampleConnections(),
		Listeners:      g.sampleListeners(),
		Tunnels:        tunnelSample(g.tunnels.Stats()),
		Overload:       g.sampleOverload(),
	}
	for _, i := range st.issuers {
		s.Issuers = append(s.Issuers, i.sample(now))
	}
	for _, site := range st.sites {
		s.Sites = append(s.Sites, metrics.SiteSample{Site: site.name, Observes: site.policy.Mode == policy.Observe})
		if site.rates != nil {
			s.Rates = append(s.Rates, rateSample(site.name, site.rates.Stats()))
		}
		for _, u := range site.reach.group.Stats() {
			s.Upstreams = append(s.Upstreams, upstreamSample(site.name, &u))
		}
	}
	v := st.verdicts.Stats()
	s.Verdicts = metrics.VerdictSample{
		Hits: v.Hits, Misses: v.Misses, Evicted: v.Evicted, Rejected: v.Rejected, Expired: v.Expired, Entries: v.Entries, Bytes: v.Bytes, BytesLimit: int64(g.cfg.Verdicts.MaxBytes),
	}
	g.sampleRevocations(&s, st, now)
	return s
}

// sample reads what is counted for one issuer.
func (i *issuer) sample(now time.Time) metrics.IssuerSample {
	age, has := i.keys.Age(now)
	s := metrics.IssuerSample{
		Issuer:           i.name,
		IntrospectedOnly: i.refresher == nil,
		Keys:             i.keys.Snapshot().Len(),
		Age:              age,
		HasKeys:          has,
		SoftStale:        has && age >= i.softStale,
		HardStale:        has && age >= i.hardStale,
		Purged:           len(i.keys.Purged()),
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
	if i.fetching != nil {
		s.Breakers = append(s.Breakers, breaker(metrics.CallKeys, i.fetching))
	}
	if i.told.polling != nil {
		s.Breakers = append(s.Breakers, breaker(metrics.CallEvents, i.told.polling))
	}
	if i.listing != nil {
		s.Breakers = append(s.Breakers, breaker(metrics.CallStatusLists, i.listing))
	}
	if i.introspections != nil {
		stats := i.introspections.Stats()
		s.Introspections, s.IntrospectionFailures = outcomes(stats), stats.Failures
		asked := i.asker.Stats()
		s.Asked = &metrics.AskSample{
			Calls: asked.Calls, Retries: asked.Retries, InFlight: asked.InFlight, Waiting: asked.Waiting, Limit: int64(asked.Limit),
		}
		s.Breakers = append(s.Breakers, breaker(metrics.CallIntrospection, i.asking))
	}
	if i.refresher != nil {
		stats := i.refresher.Stats()
		s.Skipped, s.Fetches, s.Failures, s.Unsaved = int(stats.Skipped), stats.Fetches, stats.Failures, stats.Unsaved
		s.Lookups = i.unknown.Counts()
	}
	return s
}

// breaker reads what is counted of the calls of one kind.
func breaker(call metrics.Call, g *identity.Guard) metrics.BreakerSample {
	stats := g.Stats()
	return metrics.BreakerSample{
		Call: call, State: stats.State, States: identity.BreakerStates(), Opened: stats.Opened, Refused: stats.Refused,
	}
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
