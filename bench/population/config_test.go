package population_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

func TestPopulationThatCannotBeIsRefusedByWhatIsAllowed(t *testing.T) {
	t.Parallel()
	type config = population.Config
	site := func(change func(*population.Site)) func(*config) {
		return func(c *config) { change(&c.Sites[0]) }
	}
	for name, c := range map[string]struct {
		change func(*config)
		says   string
	}{
		"no requests":             {func(c *config) { c.Warm, c.Cold = 0, 0 }, "0 to 20,000,000"},
		"too many":                {func(c *config) { c.Cold = population.MaxPool + 1 }, "0 to 20,000,000"},
		"cold without a pool":     {func(c *config) { c.Cold = 0 }, "cold pool"},
		"warm without a pool":     {func(c *config) { c.Warm = 0 }, "cold share must be 1"},
		"a cold share above 1":    {func(c *config) { c.Reuse.ColdShare = 1.1 }, "0 to 1"},
		"no exponent":             {func(c *config) { c.Reuse.ZipfExponent = math.NaN() }, "0 to 10"},
		"a short life":            {func(c *config) { c.Lifetime = time.Second }, "1m to 720h"},
		"a long life":             {func(c *config) { c.Lifetime = 721 * time.Hour }, "1m to 720h"},
		"an unknown class":        {func(c *config) { c.Classes[0].Of = "stale" }, "one of valid, valid_level1, organisation"},
		"a class twice":           {func(c *config) { c.Classes[0].Of = c.Classes[1].Of }, "twice"},
		"a share below 0":         {func(c *config) { c.Classes[0].Share = -0.1 }, "0 to 1"},
		"shares above 1":          {func(c *config) { c.Classes[0].Share = 0.99 }, "more than 1"},
		"valid that is not left":  {func(c *config) { c.Classes[0] = population.Part[population.Class]{Of: population.Valid, Share: 0.5} }, "leave 0.842 for class valid"},
		"an unknown algorithm":    {func(c *config) { c.Algorithms[0].Of = "HS256" }, "one of RS256"},
		"no algorithm":            {func(c *config) { c.Algorithms = nil }, "at least one algorithm"},
		"a share of nothing":      {func(c *config) { c.Algorithms[0].Share = 0 }, "more than 0"},
		"a size twice":            {func(c *config) { c.Sizes[1].Of = c.Sizes[0].Of }, "twice"},
		"a small size":            {func(c *config) { c.Sizes[0].Of = 10 }, "200 to 8000"},
		"no site":                 {func(c *config) { c.Sites = nil }, "1 to 256 sites"},
		"a site's name":           {site(func(s *population.Site) { s.Name = "Hà Nội" }), "lower-case letters"},
		"a site's host":           {site(func(s *population.Site) { s.Host = "*.example.vn" }), "host must be a name"},
		"a host twice":            {site(func(s *population.Site) { s.Host = "dichvucong.hanoi.gov.vn" }), "no other site's"},
		"no path":                 {site(func(s *population.Site) { s.Paths = nil }), "1 to 64 paths"},
		"a path that is not one":  {site(func(s *population.Site) { s.Paths = []string{"/a/../b"} }), "as /api/thu-tuc"},
		"a path that is public":   {site(func(s *population.Site) { s.Paths = []string{"/tra-cuu/x"} }), "not below /tra-cuu"},
		"an upstream with a path": {site(func(s *population.Site) { s.Upstreams = []string{"http://10.0.0.1:80/x"} }), "http://host:port"},
		"an upstream without":     {site(func(s *population.Site) { s.Upstreams = []string{"http://10.0.0.1"} }), "http://host:port"},
		"no audience":             {site(func(s *population.Site) { s.Audience = "" }), "1 to 256 bytes"},
		"the wrong audience":      {site(func(s *population.Site) { s.Audience = corpus.OtherAudience }), "wrong_audience"},
		"an issuer with a path":   {func(c *config) { c.IssuerURL += "/x" }, "http://host:port"},
		"an issuer of https":      {func(c *config) { c.IssuerURL = "https://127.0.0.1:9090" }, "http://host:port"},
		"an address":              {func(c *config) { c.Listen = "127.0.0.1" }, "host:port"},
		"a cutover meanwhile":     {func(c *config) { c.OrganisationCutover = time.Now().Add(time.Hour) }, "lifetime"},
		"too many opaque tokens": {func(c *config) {
			c.Warm, c.Cold, c.Reuse.ColdShare = 100_001, 0, 0
			c.Classes = []population.Part[population.Class]{{Of: population.Opaque, Share: 1}}
		}, "100,000 opaque tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := population.DefaultConfig()
			config.Algorithms = []population.Part[string]{{Of: "EdDSA", Share: 1}}
			c.change(&config)
			_, err := population.Mint(t.Context(), t.TempDir(), config)
			if !errors.Is(err, population.ErrConfig) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want it to say %q", err, c.says)
			}
		})
	}
}
