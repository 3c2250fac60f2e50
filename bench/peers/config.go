package peers

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Bounds and defaults of a [Config].
const (
	MaxRounds       = 99
	MaxRequests     = 1_000_000
	MaxTokens       = 100_000
	MaxConnections  = 1000
	MaxLongest      = time.Minute
	DefaultRounds   = 5
	DefaultRequests = 20_000
	DefaultTokens   = 1000
	// DefaultConnections is how many the findings of other proxies were measured with.
	DefaultConnections = 64
	DefaultLongest     = 2 * time.Second
	// DefaultProxyProcessor and DefaultLoadProcessor are numbers as taskset has them.
	DefaultProxyProcessor = 1
	DefaultLoadProcessor  = 0
)

// Config says what is measured. The zero value of a field is its default.
type Config struct {
	// Gateway is the vneid-gateway binary, a path or a name on PATH; empty leaves VNeID Gateway out, unless Proxies names it.
	Gateway string
	// Proxies are the names of those that are measured, of [Names]. Optional. Defaults to all.
	Proxies []string
	// Algorithms are the signature algorithms, of [Algorithms]. Optional. Defaults to all of them.
	Algorithms []string
	// Rounds is how often everything is measured, 1 to [MaxRounds]. Defaults to [DefaultRounds].
	Rounds int
	// Requests is how many are measured in one load, 100 to [MaxRequests]; for each algorithm about as many tokens are
	// minted, of about a kilobyte. Defaults to [DefaultRequests].
	Requests int
	// Longest is how long one load is measured at most, 100 ms to [MaxLongest]; a slow proxy is asked fewer requests.
	// Defaults to [DefaultLongest].
	Longest time.Duration
	// Tokens is how many different ones a warm load uses, 1 to [MaxTokens]. Defaults to [DefaultTokens].
	Tokens int
	// Connections is how many are kept to the proxy, 1 to [MaxConnections]. Defaults to [DefaultConnections].
	Connections int
	// ProxyProcessor and LoadProcessor are the processors of the proxy and of generator and upstream; they must differ.
	// Both 0 are [DefaultProxyProcessor] and [DefaultLoadProcessor].
	ProxyProcessor, LoadProcessor int
	// Progress is told in a line what is being done; nil tells nobody.
	Progress func(line string)
}

// Algorithms are those that are measured.
func Algorithms() []string { return []string{"RS256", "ES256", "EdDSA"} }

// complete fills in the defaults and checks the bounds.
func (c Config) complete() (Config, error) {
	if c.ProxyProcessor == 0 && c.LoadProcessor == 0 {
		c.ProxyProcessor, c.LoadProcessor = DefaultProxyProcessor, DefaultLoadProcessor
	}
	fill(&c.Rounds, DefaultRounds)
	fill(&c.Requests, DefaultRequests)
	fill(&c.Longest, DefaultLongest)
	fill(&c.Tokens, DefaultTokens)
	fill(&c.Connections, DefaultConnections)
	if len(c.Proxies) == 0 {
		c.Proxies = Names()
		if c.Gateway == "" {
			c.Proxies = slices.DeleteFunc(c.Proxies, func(name string) bool { return name == gatewayName })
		}
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = Algorithms()
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	for _, check := range []struct {
		ok   bool
		what string
	}{
		{known(c.Proxies, Names()), "Proxies: each once, of " + strings.Join(Names(), ", ")},
		{known(c.Algorithms, Algorithms()), "Algorithms: each once, of " + strings.Join(Algorithms(), ", ")},
		{c.Gateway != "" || !slices.Contains(c.Proxies, gatewayName), "Gateway: the path of the binary is needed"},
		{c.Rounds >= 1 && c.Rounds <= MaxRounds, fmt.Sprintf("Rounds: 1 to %d", MaxRounds)},
		{c.Requests >= 100 && c.Requests <= MaxRequests, fmt.Sprintf("Requests: 100 to %d", MaxRequests)},
		{c.Longest >= 100*time.Millisecond && c.Longest <= MaxLongest, fmt.Sprintf("Longest: 100ms to %s", MaxLongest)},
		{c.Tokens >= 1 && c.Tokens <= MaxTokens, fmt.Sprintf("Tokens: 1 to %d", MaxTokens)},
		{c.Connections >= 1 && c.Connections <= MaxConnections, fmt.Sprintf("Connections: 1 to %d", MaxConnections)},
		{c.ProxyProcessor != c.LoadProcessor, "ProxyProcessor and LoadProcessor: two different ones"},
		{c.ProxyProcessor >= 0 && c.LoadProcessor >= 0, "ProxyProcessor and LoadProcessor: 0 and up"},
		{runtime.NumCPU() >= 2, "this machine has one processor, and two are needed"},
	} {
		if !check.ok {
			return c, fmt.Errorf("%w: %s", ErrConfig, check.what)
		}
	}
	return c, nil
}

func fill[V comparable](to *V, value V) {
	var zero V
	if *to == zero {
		*to = value
	}
}

// known says whether names are some of all, each once.
func known(names, all []string) bool {
	for i, name := range names {
		if !slices.Contains(all, name) || slices.Contains(names[:i], name) {
			return false
		}
	}
	return true
}
