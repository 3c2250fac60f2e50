package population

import (
	"slices"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// manifest describes what was written.
func (s *scribe) manifest() *Manifest {
	c := s.config
	m := &Manifest{
		Format: Format, Seed: c.Seed, CreatedAt: s.created, ExpiresAt: s.expires,
		Sites: c.Sites, Reuse: c.Reuse, Pools: Pools{Warm: c.Warm, Cold: c.Cold},
		Classes: []ClassCount{}, Algorithms: []NamedCount{}, Sizes: []SizeCount{},
		RequestsBytes: s.requests.written,
	}
	total := 0.0
	for _, w := range s.weights {
		total += w
	}
	for _, class := range Classes() {
		count, drawn := s.classes[class]
		if !drawn || count.Warm+count.Cold == 0 {
			continue
		}
		if c.Warm > 0 {
			count.RequestShare += (1 - c.Reuse.ColdShare) * s.weights[class] / total
		}
		if c.Cold > 0 {
			count.RequestShare += c.Reuse.ColdShare * float64(count.Cold) / float64(c.Cold)
		}
		m.Classes = append(m.Classes, *count)
	}
	for i, a := range c.Algorithms {
		m.Algorithms = append(m.Algorithms, NamedCount{a.Of, s.algorithms[i]})
	}
	for i, size := range c.Sizes {
		m.Sizes = append(m.Sizes, SizeCount{size.Of, s.sizes[i]})
	}
	var audiences []string
	for _, site := range c.Sites {
		if !slices.Contains(audiences, site.Audience) {
			audiences = append(audiences, site.Audience)
		}
	}
	set := func(keys []*corpus.Key) KeySet {
		all := KeySet{Keys: []corpus.JWK{}}
		for _, k := range keys {
			all.Keys = append(all.Keys, k.PublicJWK())
		}
		return all
	}
	m.Issuers = []Issuer{
		{Name: issuerVNeID, URL: c.IssuerURL, Audiences: audiences, JWKS: set(s.vneid)},
		{Name: issuerLegacy, URL: c.IssuerURL + legacyPath, Audiences: audiences, JWKS: set(s.legacy)},
	}
	if len(s.opaque) > 0 {
		base := c.IssuerURL + opaquePath
		m.Issuers = append(m.Issuers, Issuer{Name: issuerOpaque, URL: base, Audiences: audiences, JWKS: set(nil), IntrospectionURL: base + "/introspect"})
	}
	return m
}
