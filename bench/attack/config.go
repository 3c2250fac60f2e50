package attack

import (
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

// Bounds and defaults of a [Config].
const (
	MaxConnections      = 100_000
	MaxThreads          = 64
	MaxTimeout          = 10 * time.Minute
	DefaultConnections  = 64
	DefaultTimeout      = 10 * time.Second
	DefaultMaxLateness  = 5 * time.Millisecond
	DefaultMaxBodyBytes = 16 << 10
	DefaultInterval     = time.Second
)

// Config is a load, and the target that it is for.
type Config struct {
	// Address is the target's host and port. A name is looked up once, before
	// the run; connections are spread evenly over the addresses that it has.
	Address string
	// TLS makes the connections TLS; nil sends in the clear. Its ServerName must
	// be set. It costs the generator twice as much; see the package.
	TLS *tls.Config
	// Source gives the requests.
	Source Source

	// Schedule says when each request is due, whether or not earlier ones were
	// answered: an open loop. Nil is a closed loop: every connection sends its next
	// request as soon as it has the answer to the last, for as long as Duration.
	Schedule *pace.Schedule
	// Duration is how long a closed loop sends, up to [pace.MaxDuration]. With a
	// Schedule it must be 0.
	Duration time.Duration

	// Connections is how many connections are kept open, 1 to [MaxConnections];
	// 0 is [DefaultConnections]. They are opened before the load begins and used
	// in turn, one request at a time. One that closes is opened again.
	Connections int
	// NewConnectionsPerSecond is how many connections are replaced by new ones
	// every second, one after the other; 0 keeps them.
	NewConnectionsPerSecond float64
	// Threads is how many loops send, each with its share of the requests and
	// connections and a thread of its own, 1 to [MaxThreads]; 0 is 1. TLS and systems
	// other than Linux use a goroutine a connection, and leave it to GOMAXPROCS.
	Threads int
	// Spin keeps the threads looking for work instead of sleeping. It takes a
	// processor for each, and spares the target, on this machine, the cost of waking
	// them; what is spun away is in no figure of the generator's cost. It changes
	// nothing where goroutines send.
	Spin bool

	// Timeout is how long an answer may take, counted from when the request was due,
	// and how long a connection may take to open, up to [MaxTimeout]; 0 is
	// [DefaultTimeout].
	Timeout time.Duration
	// MaxLateness is how late the generator itself may be with the 99th of 100
	// requests before the run's figures are refused; 0 is [DefaultMaxLateness].
	MaxLateness time.Duration
	// MaxBodyBytes is how much of a body is kept for [Expect.Accept], at most
	// [MaxKeptBytes]; 0 is [DefaultMaxBodyBytes]. A connection takes this much
	// memory if need be.
	MaxBodyBytes int

	// Begun is told when the load begins, once, before the first request is asked
	// for: requests are due from then on. Nil tells nobody. It must be quick.
	Begun func(at time.Time)

	// Interval is how often Progress is called and a point of the series of
	// [Result] ends; at least 10 ms, 0 is [DefaultInterval].
	Interval time.Duration
	// Progress is told of every interval, in one goroutine; nil tells nobody. A
	// call that takes long delays the next.
	Progress func(Interval)
}

// MaxKeptBytes bounds [Config.MaxBodyBytes].
const MaxKeptBytes = 16 << 20

// complete fills in defaults and checks the bounds.
func (c Config) complete() (Config, error) {
	setDefault(&c.Connections, DefaultConnections)
	setDefault(&c.Threads, 1)
	setDefault(&c.Timeout, DefaultTimeout)
	setDefault(&c.MaxLateness, DefaultMaxLateness)
	setDefault(&c.MaxBodyBytes, DefaultMaxBodyBytes)
	setDefault(&c.Interval, DefaultInterval)
	_, _, addressErr := net.SplitHostPort(c.Address)
	for _, rule := range []struct {
		broken bool
		says   string
	}{
		{addressErr != nil, "Address must be host:port"},
		{c.Source == nil, "Source is missing"},
		{c.Schedule == nil && (c.Duration <= 0 || c.Duration > pace.MaxDuration), "Duration must be more than 0 and at most 168h"},
		{c.Schedule != nil && c.Duration != 0, "Duration goes with a closed loop only: a schedule has its own"},
		{c.Schedule != nil && c.Schedule.Profile().Duration() == 0, "Schedule is empty"},
		{c.Connections < 1 || c.Connections > MaxConnections, "Connections must be 1 to 100,000"},
		{c.Threads < 1 || c.Threads > MaxThreads, "Threads must be 1 to 64"},
		{c.Threads > c.Connections, "Threads must be no more than Connections"},
		{!(c.NewConnectionsPerSecond >= 0 && c.NewConnectionsPerSecond <= pace.MaxPerSecond), "NewConnectionsPerSecond must be 0 to 10,000,000"},
		{c.Timeout < time.Millisecond || c.Timeout > MaxTimeout, "Timeout must be 1ms to 10m"},
		{c.MaxLateness < 0, "MaxLateness must not be negative"},
		{c.MaxBodyBytes < 0 || c.MaxBodyBytes > MaxKeptBytes, "MaxBodyBytes must be at most 16 MiB"},
		{c.Interval < 10*time.Millisecond, "Interval must be at least 10ms"},
		{c.TLS != nil && c.TLS.ServerName == "", "TLS must have a ServerName"},
		{classes(c.Source) > MaxClasses, "Source must have at most 32 classes"},
	} {
		if rule.broken {
			return Config{}, fmt.Errorf("%w: %s", ErrConfig, rule.says)
		}
	}
	return c, c.enough()
}

func classes(s Source) int {
	if c, ok := s.(Classified); ok {
		return len(c.Classes())
	}
	return 0
}

// enough asks a source that has an end whether it lies behind the load's.
func (c *Config) enough() error {
	finite, ok := c.Source.(Finite)
	if !ok || c.Schedule == nil {
		return nil
	}
	if err := finite.Enough(c.Schedule.Most()); err != nil {
		return fmt.Errorf("%w: %w", ErrSource, err)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// duration is how long requests are sent.
func (c *Config) duration() time.Duration {
	if c.Schedule != nil {
		return c.Schedule.Profile().Duration()
	}
	return c.Duration
}
