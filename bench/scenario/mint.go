package scenario

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
	"github.com/vneid-gateway/vneid-gateway/bench/stand"
)

// tokenLifetime is how long tokens are good at the least; a longer load has them longer.
const tokenLifetime = time.Hour

// Mint writes the corpus that a scenario sends into a directory, with an issuer on a free port of this machine. Progress
// is that of [population.Config].
func (s *Scenario) Mint(ctx context.Context, directory string, progress func(done, all int64)) (*population.Corpus, error) {
	config, err := s.config()
	if err != nil {
		return nil, err
	}
	address, err := stand.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	config.IssuerURL, config.Progress = "http://"+address, progress
	return population.Mint(ctx, directory, config)
}

// config is what a scenario says of its population.
func (s *Scenario) config() (population.Config, error) {
	p, c := &s.Population, population.DefaultConfig()
	c.Seed = uint32(p.Seed) // It was checked.
	c.Warm, c.Reuse = p.Warm, population.Reuse{ZipfExponent: p.ZipfExponent, ColdShare: p.ColdShare}
	c.Lifetime = max(tokenLifetime, 2*s.Load.Duration)
	if p.Classes != nil {
		c.Classes = parts(p.Classes, func(name string) population.Class { return population.Class(name) })
	}
	if p.Algorithms != nil {
		c.Algorithms = parts(p.Algorithms, func(name string) string { return name })
	}
	if p.Sizes != nil {
		c.Sizes = parts(p.Sizes, func(name string) int {
			bytes, _ := strconv.Atoi(name) // It was checked.
			return bytes
		})
	}
	if len(p.Sites) > 0 {
		c.Sites = nil
	}
	for _, site := range p.Sites {
		paths := site.Paths
		if len(paths) == 0 {
			paths = []string{"/api/thu-tuc"}
		}
		c.Sites = append(c.Sites, population.Site{
			Name: site.Name, Host: site.Host, Paths: paths, Audience: "tthc", Share: site.Share,
			// A stand puts its own in place of it.
			Upstreams: []string{"http://127.0.0.1:9201"},
		})
	}
	schedule, err := s.Load.Schedule()
	if err != nil {
		return c, err
	}
	picker, err := population.NewPicker(c.Seed, c.Reuse, population.Pools{Warm: min(c.Warm, 1)})
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	c.Cold = picker.Cold(schedule.Most())
	return c, nil
}

// parts lists shares in an order that is always the same.
func parts[T cmp.Ordered](shares map[string]float64, of func(string) T) []population.Part[T] {
	var all []population.Part[T]
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		all = append(all, population.Part[T]{Of: of(name), Share: shares[name]})
	}
	return all
}
