package plan

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
)

// Kind says how a figure was come by.
type Kind string

// The kinds of figures.
const (
	// Measured is what a command or test of the project found; its source names it.
	Measured Kind = "measured"
	// Derived is computed from what was measured; its source says how.
	Derived Kind = "derived"
	// Assumed is neither: the first thing to replace.
	Assumed Kind = "assumed"
)

// Figure is a number with where it is from. Its unit is in the name of the field that holds it.
type Figure struct {
	Value  float64 `json:"value" yaml:"value"`
	Kind   Kind    `json:"kind" yaml:"kind"`
	Source string  `json:"source" yaml:"source"`
}

// Cost is what a gateway's process takes for what it does. Processor times are those of one core; Scaling says what
// more of them are worth.
type Cost struct {
	// Name says what was measured, and Machine on what.
	Name    string `json:"name" yaml:"name"`
	Machine string `json:"machine" yaml:"machine"`

	// WarmRequest is a request with a token that is remembered, and ColdRequest one with a token that must be
	// verified, by the algorithm of its signature.
	WarmRequest Figure            `json:"cpu_microseconds_per_warm_request" yaml:"cpu_microseconds_per_warm_request"`
	ColdRequest map[string]Figure `json:"cpu_microseconds_per_cold_request" yaml:"cpu_microseconds_per_cold_request"`
	// NewConnection is one accepted and closed again, Handshake what TLS adds to that, and SecuredRequest what it
	// adds to a request.
	NewConnection  Figure `json:"cpu_microseconds_per_new_connection" yaml:"cpu_microseconds_per_new_connection"`
	Handshake      Figure `json:"cpu_microseconds_per_tls_handshake" yaml:"cpu_microseconds_per_tls_handshake"`
	SecuredRequest Figure `json:"cpu_microseconds_per_request_over_tls" yaml:"cpu_microseconds_per_request_over_tls"`
	// Background is what a process uses without any request.
	Background Figure `json:"background_cores" yaml:"background_cores"`

	// Base is the memory of a process that has nothing to do.
	Base Figure `json:"base_bytes" yaml:"base_bytes"`
	// CachedToken is a token that is remembered.
	CachedToken Figure `json:"bytes_per_cached_token" yaml:"bytes_per_cached_token"`
	// BusyConnection is one that spoke within the last second; others are idle. SecuredConnection is what TLS adds.
	BusyConnection     Figure `json:"bytes_per_busy_connection" yaml:"bytes_per_busy_connection"`
	IdleConnection     Figure `json:"bytes_per_idle_connection" yaml:"bytes_per_idle_connection"`
	SecuredConnection  Figure `json:"bytes_per_connection_over_tls" yaml:"bytes_per_connection_over_tls"`
	UpstreamConnection Figure `json:"bytes_per_upstream_connection" yaml:"bytes_per_upstream_connection"`
	// Socket is what the kernel keeps of a connection of either side. It counts against a container's limit.
	Socket     Figure `json:"kernel_bytes_per_socket" yaml:"kernel_bytes_per_socket"`
	Revocation Figure `json:"bytes_per_revocation" yaml:"bytes_per_revocation"`
	Key        Figure `json:"bytes_per_key" yaml:"bytes_per_key"`

	Scaling Scaling `json:"scaling" yaml:"scaling"`

	// Fit says how well the figures that were fitted here match the runs they are from; nil where none were.
	Fit *Fit `json:"fit,omitzero" yaml:"-"`
}

// Scaling is the Universal Scalability Law (Gunther): a process with N cores carries N/(1 + σ(N-1) + κN(N-1)) times what
// it carries with one.
type Scaling struct {
	// Sigma is the share of the work that waits for its turn, 0 to 1, and Kappa that of keeping cores in step, for
	// each pair of them.
	Sigma Figure `json:"sigma" yaml:"sigma"`
	Kappa Figure `json:"kappa" yaml:"kappa"`
	// OneCore is the rate of one core that was fitted; 0 where nothing was.
	OneCore float64 `json:"one_core_per_second,omitzero" yaml:"-"`
	// Points are what it was fitted to.
	Points []ScalingPoint `json:"points,omitzero" yaml:"-"`
	// RSquared is the share of the variance that the curve explains; nil where there are too few points to say.
	RSquared *float64 `json:"r_squared,omitzero" yaml:"-"`
}

// ScalingPoint is the highest rate found with a number of cores, and what the curve says.
type ScalingPoint struct {
	Cores           float64 `json:"cores"`
	PerSecond       float64 `json:"per_second"`
	FittedPerSecond float64 `json:"fitted_per_second"`
}

//go:embed default_cost.yaml
var defaultCost []byte

// DefaultCostFile is the text of the built-in cost, with where each figure is from: a file to start from.
func DefaultCostFile() []byte { return slices.Clone(defaultCost) }

// DefaultCost is what the project measured of its own gateway.
func DefaultCost() Cost {
	c, err := DecodeCost("default_cost.yaml", defaultCost)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return c
}

// DecodeCost reads a cost from YAML; name is for errors, which wrap [ErrInput] and have line and column.
func DecodeCost(name string, data []byte) (Cost, error) {
	var c Cost
	err := decode(name, data, &c, func() error { return c.Validate() })
	return c, err
}

// figure is a figure of a cost, with its name there and the range that makes sense.
type figure struct {
	field           string
	at              *Figure
	lowest, highest float64
}

// The ranges of figures: a request that takes a minute, and a terabyte.
const (
	mostMicroseconds = 60e6
	mostBytes        = 1 << 40
)

// figures are all of c but those of ColdRequest.
func (c *Cost) figures() []figure {
	return []figure{
		{"cpu_microseconds_per_warm_request", &c.WarmRequest, 0.01, mostMicroseconds},
		{"cpu_microseconds_per_new_connection", &c.NewConnection, 0, mostMicroseconds},
		{"cpu_microseconds_per_tls_handshake", &c.Handshake, 0, mostMicroseconds},
		{"cpu_microseconds_per_request_over_tls", &c.SecuredRequest, 0, mostMicroseconds},
		{"background_cores", &c.Background, 0, 64},
		{"base_bytes", &c.Base, 0, mostBytes},
		{"bytes_per_cached_token", &c.CachedToken, 1, mostBytes},
		{"bytes_per_busy_connection", &c.BusyConnection, 0, mostBytes},
		{"bytes_per_idle_connection", &c.IdleConnection, 0, mostBytes},
		{"bytes_per_connection_over_tls", &c.SecuredConnection, 0, mostBytes},
		{"bytes_per_upstream_connection", &c.UpstreamConnection, 0, mostBytes},
		{"kernel_bytes_per_socket", &c.Socket, 0, mostBytes},
		{"bytes_per_revocation", &c.Revocation, 0, mostBytes},
		{"bytes_per_key", &c.Key, 0, mostBytes},
		{"scaling.sigma", &c.Scaling.Sigma, 0, 1},
		{"scaling.kappa", &c.Scaling.Kappa, 0, 1},
	}
}

// Validate refuses a cost that cannot be. The error wraps [ErrInput].
func (c *Cost) Validate() error {
	all := c.figures()
	if len(c.ColdRequest) == 0 {
		return &fault{"cpu_microseconds_per_cold_request", "none", "one figure or more, by algorithm, as in RS256: {…}"}
	}
	for _, algorithm := range slices.Sorted(maps.Keys(c.ColdRequest)) {
		f := c.ColdRequest[algorithm]
		all = append(all, figure{"cpu_microseconds_per_cold_request." + algorithm, &f, c.WarmRequest.Value, mostMicroseconds})
	}
	for _, f := range all {
		if err := within(f.field+".value", f.at.Value, f.lowest, f.highest); err != nil {
			return err
		}
		switch f.at.Kind {
		case Measured, Derived, Assumed:
		default:
			return &fault{f.field + ".kind", fmt.Sprintf("%q", f.at.Kind), "measured, derived or assumed"}
		}
	}
	if c.BusyConnection.Value < c.IdleConnection.Value {
		return &fault{
			"bytes_per_busy_connection.value", number(c.BusyConnection.Value),
			"no less than bytes_per_idle_connection, " + number(c.IdleConnection.Value),
		}
	}
	return nil
}

// EffectiveCores is how many single cores a process with n of them is worth.
func (s *Scaling) EffectiveCores(n float64) float64 {
	return n / (1 + s.Sigma.Value*(n-1) + s.Kappa.Value*n*(n-1))
}

// assumptions are the figures that nobody measured.
func (c *Cost) assumptions() []string {
	var list []string
	for _, f := range c.figures() {
		if f.at.Kind == Assumed {
			list = append(list, fmt.Sprintf("%s = %s: %s", f.field, number(f.at.Value), f.at.Source))
		}
	}
	for _, algorithm := range slices.Sorted(maps.Keys(c.ColdRequest)) {
		if f := c.ColdRequest[algorithm]; f.Kind == Assumed {
			list = append(list, fmt.Sprintf("cpu_microseconds_per_cold_request.%s = %s: %s", algorithm, number(f.Value), f.Source))
		}
	}
	return list
}
