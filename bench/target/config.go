package target

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"time"
)

// Bounds and defaults of a [Config].
const (
	DefaultInterval = time.Second
	MinInterval     = 100 * time.Millisecond
	DefaultTimeout  = 2 * time.Second
	DefaultMaxBytes = 8 << 20
	MaxMaxBytes     = 256 << 20
	// MaxInstances bounds the processes and the metrics that are watched.
	MaxInstances = 64
	// MaxSeries bounds the series of one name that are followed.
	MaxSeries = 10_000
	// MaxPoints bounds [Use.Series]: beyond it, two points become one.
	MaxPoints = 2048
)

// The names of this repository's gateway, which count where no others are given.
const (
	DefaultRequests = "vneid_gateway_requests_total"
	DefaultOverhead = "vneid_gateway_overhead_duration_seconds"
)

// Config says where to look. At least one of Metrics and PIDs must be given.
type Config struct {
	// Metrics are the URLs of metrics in Prometheus' format, one for each process
	// of the target, at most [MaxInstances].
	Metrics []string
	// PIDs are processes of this machine, at most [MaxInstances]. Where they are
	// given, processor time and memory are those of /proc.
	PIDs []int

	// Requests is the name of the counter of requests, and Overhead that of the
	// histogram, in seconds, of what the target itself adds to a request. Empty is
	// [DefaultRequests] and [DefaultOverhead].
	Requests, Overhead string

	// Interval is the time between samples, at least [MinInterval]; 0 is
	// [DefaultInterval].
	Interval time.Duration
	// Timeout bounds one scrape; 0 is [DefaultTimeout].
	Timeout time.Duration
	// MaxBytes bounds one scrape, uncompressed, up to [MaxMaxBytes]; 0 is
	// [DefaultMaxBytes].
	MaxBytes int64
	// TLS is how metrics of https:// are known; nil is as the system has it.
	TLS *tls.Config
}

func (c Config) complete() (Config, error) {
	for _, d := range []struct {
		field *string
		value string
	}{{&c.Requests, DefaultRequests}, {&c.Overhead, DefaultOverhead}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if c.Interval == 0 {
		c.Interval = DefaultInterval
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	for _, rule := range []struct {
		broken bool
		says   string
	}{
		{len(c.Metrics)+len(c.PIDs) == 0, "neither Metrics nor PIDs"},
		{len(c.Metrics) > MaxInstances, "Metrics: more than 64"},
		{len(c.PIDs) > MaxInstances, "PIDs: more than 64"},
		{c.Interval < MinInterval, "Interval must be at least 100ms"},
		{c.Timeout < 0, "Timeout must not be negative"},
		{c.MaxBytes < 0 || c.MaxBytes > MaxMaxBytes, "MaxBytes must be at most 256 MiB"},
	} {
		if rule.broken {
			return c, fmt.Errorf("%w: %s", ErrConfig, rule.says)
		}
	}
	for i, text := range c.Metrics {
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			// What url.Parse says repeats the URL, which may hold a secret.
			return c, fmt.Errorf("%w: Metrics %d: write it as http://127.0.0.1:9080/metrics", ErrConfig, i+1)
		}
	}
	for _, pid := range c.PIDs {
		if pid <= 0 {
			return c, fmt.Errorf("%w: PIDs: %d is no process", ErrConfig, pid)
		}
	}
	return c, nil
}
