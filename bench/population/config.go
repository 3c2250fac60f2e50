package population

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// Bounds of a [Config].
const (
	MaxPool         = 20_000_000
	MaxOpaque       = 100_000 // An issuer remembers some more.
	MaxSites        = 256
	MaxPaths        = 64
	MaxUpstreams    = 256
	MaxSizes        = 16
	MaxZipfExponent = 10
	MinSize         = 200
	MaxSize         = 8000 // vneid-gateway takes credentials of 8 KiB.
	MinLifetime     = time.Minute
	MaxLifetime     = 30 * 24 * time.Hour
)

// Part is a share of something, in the measure of the other parts.
type Part[T any] struct {
	Of    T
	Share float64
}

// Config is a population.
type Config struct {
	// Seed draws which request is the n-th, and which tokens are popular. Keys and
	// tokens are new ones whatever the seed.
	Seed uint32
	// Warm and Cold are how many requests each pool has, 0 to [MaxPool].
	Warm, Cold int64
	// Reuse says how often a request comes again.
	Reuse Reuse
	// Lifetime is how long tokens are valid, [MinLifetime] to [MaxLifetime].
	Lifetime time.Duration
	// Classes are the shares of the requests, 0 to 1, each class once at most;
	// popular requests count for as often as they come. What they leave of 1 is
	// [Valid].
	Classes []Part[Class]
	// Algorithms are those of the tokens' signatures, of [corpus.Algorithms].
	Algorithms []Part[string]
	// Sizes are the least lengths of JWTs in bytes, [MinSize] to [MaxSize]; one that
	// needs more for its claims and signature is longer.
	Sizes []Part[int]
	// Sites are the systems that the requests are for.
	Sites []Site
	// IssuerURL is where [ServeIssuers] is to listen: http://host:port. It is the
	// "iss" of tokens; the other issuers are below it.
	IssuerURL string
	// OrganisationCutover is from when on organisations must not come with an old
	// portal's login; zero: they always may.
	OrganisationCutover time.Time
	// Listen and Admin are the addresses of the gateway in [GatewayFile].
	Listen, Admin string
	// Replace lets the files of an earlier corpus be written over.
	Replace bool
	// Progress is told how many of all requests are written, in one goroutine; nil
	// tells nobody.
	Progress func(done, all int64)
	// Now tells the time. Optional. Defaults to time.Now.
	Now func() time.Time
}

// DefaultConfig returns a population that a laptop mints in seconds: nine requests
// in ten pass, and every token is one that needs no introspection.
func DefaultConfig() Config {
	return Config{
		Seed: 1, Warm: 2000, Cold: 10_000, Reuse: Reuse{ZipfExponent: 1, ColdShare: 0.05}, Lifetime: 12 * time.Hour,
		Classes: []Part[Class]{
			{ValidLevel1, 0.1},
			{Organisation, 0.1},
			{LevelTooLow, 0.01},
			{Expired, 0.01},
			{NotYetValid, 0.001},
			{Forged, 0.005},
			{Altered, 0.005},
			{WrongAudience, 0.005},
			{Revoked, 0.005},
			{Legacy, 0.005},
			{LegacyOrganisation, 0.002},
			{Anonymous, 0.01},
		},
		Algorithms: []Part[string]{{"RS256", 0.5}, {"PS256", 0.1}, {"ES256", 0.3}, {"EdDSA", 0.1}},
		Sizes:      []Part[int]{{corpus.DefaultSize, 0.8}, {1800, 0.2}},
		Sites: []Site{
			{Name: "dvcqg", Host: "dichvucong.gov.vn", Paths: []string{"/api/thu-tuc"}, Audience: "tthc", Share: 0.6, Upstreams: []string{"http://127.0.0.1:9201"}},
			{Name: "hanoi", Host: "dichvucong.hanoi.gov.vn", Paths: []string{"/api/tai-khoan", "/api/thong-bao"}, Audience: "tthc", Share: 0.4, Upstreams: []string{"http://127.0.0.1:9202"}},
		},
		IssuerURL: "http://127.0.0.1:9090",
		// Decree 69/2024, Article 40.
		OrganisationCutover: time.Date(2025, 7, 1, 0, 0, 0, 0, hanoiTime()),
		Listen:              "127.0.0.1:8080", Admin: "127.0.0.1:9080",
	}
}

func hanoiTime() *time.Location { return time.FixedZone("+07:00", 7*60*60) }

// complete fills in defaults, makes shares of 1 of the parts, and checks the
// bounds. The caller's slices stay as they are.
func (c Config) complete(now time.Time) (Config, error) {
	var err error
	if c.Classes, err = c.completeClasses(); err != nil {
		return c, err
	}
	if c.Algorithms, err = measured("algorithm", c.Algorithms); err != nil {
		return c, err
	}
	if c.Sizes, err = measured("size", c.Sizes); err != nil {
		return c, err
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(corpus.Algorithms(), a.Of) {
			return c, fmt.Errorf("%w: algorithm %q (one of %s)", ErrConfig, a.Of, strings.Join(corpus.Algorithms(), ", "))
		}
	}
	for _, s := range c.Sizes {
		if s.Of < MinSize || s.Of > MaxSize {
			return c, fmt.Errorf("%w: size %d (%d to %d bytes)", ErrConfig, s.Of, MinSize, MaxSize)
		}
	}
	if err := c.completeSites(); err != nil {
		return c, err
	}
	opaque := 0.0
	for _, p := range c.Classes {
		if p.Of.trait().kind == kindOpaque {
			opaque += p.Share
		}
	}
	_, addressErr := addressOf(c.IssuerURL)
	ends := now.Add(c.Lifetime)
	for _, rule := range []struct {
		broken bool
		says   string
	}{
		{c.Warm < 0 || c.Warm > MaxPool || c.Cold < 0 || c.Cold > MaxPool || c.Warm+c.Cold == 0, "warm and cold must be 0 to 20,000,000 requests, and not both 0"},
		{opaque*float64(c.Warm+c.Cold) > MaxOpaque, "at most 100,000 opaque tokens, which is what their issuer remembers"},
		{c.Lifetime < MinLifetime || c.Lifetime > MaxLifetime, "lifetime must be 1m to 720h"},
		{len(c.Sizes) > MaxSizes, "at most 16 sizes"},
		{c.Cold == 0 && c.Reuse.ColdShare > 0, "a cold share needs a cold pool"},
		{addressErr != nil, "issuer must be http://host:port"},
		{!hostPort(c.Listen) || !hostPort(c.Admin), "listen and admin must be host:port"},
		{!c.OrganisationCutover.IsZero() && c.OrganisationCutover.After(now.Add(-time.Hour)) && c.OrganisationCutover.Before(ends.Add(time.Hour)), "organisation cutover must not fall into the tokens' lifetime"},
	} {
		if rule.broken {
			return c, fmt.Errorf("%w: %s", ErrConfig, rule.says)
		}
	}
	_, err = NewPicker(c.Seed, c.Reuse, Pools{Warm: min(c.Warm, 1), Cold: c.Cold})
	return c, err
}

// completeClasses gives [Valid] what the others leave.
func (c *Config) completeClasses() ([]Part[Class], error) {
	valid := 1.0
	all := []Part[Class]{{Of: Valid}}
	for i, p := range c.Classes {
		switch {
		case p.Of.index() < 0:
			return nil, fmt.Errorf("%w: class %q (one of %s)", ErrConfig, p.Of, classNames())
		case !(p.Share >= 0 && p.Share <= 1):
			return nil, fmt.Errorf("%w: share %v of class %s (0 to 1)", ErrConfig, p.Share, p.Of)
		case slices.ContainsFunc(c.Classes[:i], func(o Part[Class]) bool { return o.Of == p.Of }):
			return nil, fmt.Errorf("%w: class %s is given twice", ErrConfig, p.Of)
		case p.Of != Valid && p.Share > 0:
			all = append(all, p)
			valid -= p.Share
		}
	}
	// Rounding may leave a little of what adds up to 1.
	if valid < -1e-9 {
		return nil, fmt.Errorf("%w: the shares of classes add up to %.4g, more than 1", ErrConfig, 1-valid)
	}
	all[0].Share = max(valid, 0)
	if given := slices.IndexFunc(c.Classes, func(p Part[Class]) bool { return p.Of == Valid }); given >= 0 && math.Abs(c.Classes[given].Share-valid) > 1e-6 {
		return nil, fmt.Errorf("%w: the other classes leave %.4g for class valid, not %.4g", ErrConfig, valid, c.Classes[given].Share)
	}
	return all, nil
}

// measured makes the shares of parts add up to 1.
func measured[T comparable](name string, parts []Part[T]) ([]Part[T], error) {
	sum := 0.0
	for i, p := range parts {
		if !(p.Share > 0 && p.Share <= 1e6) {
			return nil, fmt.Errorf("%w: share %v of %s %v (more than 0, at most a million)", ErrConfig, p.Share, name, p.Of)
		}
		if slices.ContainsFunc(parts[:i], func(o Part[T]) bool { return o.Of == p.Of }) {
			return nil, fmt.Errorf("%w: %s %v is given twice", ErrConfig, name, p.Of)
		}
		sum += p.Share
	}
	if sum == 0 {
		return nil, fmt.Errorf("%w: at least one %s is needed", ErrConfig, name)
	}
	all := slices.Clone(parts)
	for i := range all {
		all[i].Share /= sum
	}
	return all, nil
}

// siteName is what vneid-gateway takes for one.
var siteName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// completeSites makes the shares of sites add up to 1.
func (c *Config) completeSites() error {
	if len(c.Sites) == 0 || len(c.Sites) > MaxSites {
		return fmt.Errorf("%w: 1 to %d sites are needed", ErrConfig, MaxSites)
	}
	c.Sites = slices.Clone(c.Sites)
	sum := 0.0
	for i, s := range c.Sites {
		for _, rule := range []struct {
			broken bool
			says   string
		}{
			{!siteName.MatchString(s.Name), "name must be lower-case letters, digits and dashes, at most 63"},
			{!validHost(s.Host) || strings.ToLower(s.Host) != s.Host || strings.ContainsAny(s.Host, "*: "), "host must be a name in lower case, without port"},
			{len(s.Paths) == 0 || len(s.Paths) > MaxPaths, "1 to 64 paths are needed"},
			{s.Audience == "" || len(s.Audience) > 256 || !utf8.ValidString(s.Audience), "audience must have 1 to 256 bytes of UTF-8"},
			{s.Audience == corpus.OtherAudience, "audience is that of the class wrong_audience"},
			{!(s.Share > 0 && s.Share <= 1e6), "share must be more than 0, and at most a million"},
			{len(s.Upstreams) == 0 || len(s.Upstreams) > MaxUpstreams, "1 to 256 upstreams are needed"},
			{slices.ContainsFunc(c.Sites[:i], func(o Site) bool { return o.Name == s.Name || o.Host == s.Host }), "name and host must be no other site's"},
			{slices.ContainsFunc(s.Paths, func(p string) bool { return !plainPath(p) }), "paths must be as /api/thu-tuc, of letters, digits and -._~, and not below " + publicPath},
			{slices.ContainsFunc(s.Upstreams, func(u string) bool { return !plainURL(u) }), "upstreams must be http://host:port or https://host:port"},
		} {
			if rule.broken {
				return fmt.Errorf("%w: site %d (%q): %s", ErrConfig, i+1, s.Name, rule.says)
			}
		}
		sum += s.Share
	}
	for i := range c.Sites {
		c.Sites[i].Share /= sum
	}
	return nil
}

// path is one that no server normalises.
var path = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

func plainPath(p string) bool {
	return len(p) <= 1024 && path.MatchString(p) && !strings.HasPrefix(p+"/", publicPath+"/")
}

func plainURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && hostPort(u.Host) && (u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.User == nil
}

func hostPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port != "" && !strings.ContainsAny(address, " \"'\r\n")
}

// loopback says whether an issuer is on this machine.
func loopback(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}
