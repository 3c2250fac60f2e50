package config

import "time"

// UpstreamTLS configures the connections to https upstreams.
type UpstreamTLS struct {
	// CAFile holds the roots under which upstreams are verified, in PEM.
	// Default "": those of the system. Relative to the configuration file.
	CAFile string `yaml:"ca_file"`

	// ServerName is asked for (SNI) and verified in place of the upstream's
	// host. Default "": the host.
	ServerName string `yaml:"server_name"`

	// ClientCertFile holds the certificate that is shown to upstreams which ask
	// for one, in PEM; it needs [UpstreamTLS.ClientKeyFile]. Default "": none.
	// Relative to the configuration file.
	ClientCertFile string `yaml:"client_cert_file"`

	// ClientKeyFile holds the private key to [UpstreamTLS.ClientCertFile], in
	// PEM. Default "": none. Relative to the configuration file.
	ClientKeyFile string `yaml:"client_key_file"`
}

// HealthCheck asks each upstream whether it is well.
type HealthCheck struct {
	// Path is asked for by GET, such as /healthz. Default "": upstreams are
	// judged by their answers to requests alone.
	Path string `yaml:"path"`

	// Interval is the mean time between two checks of one upstream, to which a
	// jitter of 10% is applied. Default 5s, 100ms to 10m.
	Interval time.Duration `yaml:"interval" default:"5s" range:"100ms..10m"`

	// Timeout bounds one check. Default 2s, 10ms to 60s.
	Timeout time.Duration `yaml:"timeout" default:"2s" range:"10ms..60s"`

	// Healthy is how many good checks in a row bring an upstream back. Default
	// 2, 1 to 100.
	Healthy int `yaml:"healthy" default:"2" range:"1..100"`

	// Unhealthy is how many bad checks in a row take it out. Default 3, 1 to
	// 100.
	Unhealthy int `yaml:"unhealthy" default:"3" range:"1..100"`

	// LeastStatus is the least status of a good answer. Default 200, 100 to 599.
	LeastStatus int `yaml:"least_status" default:"200" range:"100..599"`

	// MostStatus is the greatest status of a good answer. Default 399, 100 to
	// 599.
	MostStatus int `yaml:"most_status" default:"399" range:"100..599"`
}

// Ejection takes an upstream out for a while because of how it answers
// requests.
type Ejection struct {
	// After is how many failures in a row (no connection, timeout, broken
	// response, 502, 503 or 504) eject an upstream. Default 5, 0 to 10000; 0
	// ejects none.
	After int `yaml:"after" default:"5" range:"0..10000"`

	// For is how long it is out the first time, each further time twice as
	// long. Default 10s, 100ms to 1h.
	For time.Duration `yaml:"for" default:"10s" range:"100ms..1h"`

	// AtMost bounds that time. Default 5m, 100ms to 24h.
	AtMost time.Duration `yaml:"at_most" default:"5m" range:"100ms..24h"`

	// Share is the share of a site's upstreams, in percent, that may be out by
	// ejection; the last one never is. Default 50, 0 to 100.
	Share int `yaml:"share" default:"50" range:"0..100"`

	// SlowReturn is the time over which an upstream that comes back gets its
	// full part of the requests again. Default 10s, 0s to 10m.
	SlowReturn time.Duration `yaml:"slow_return" default:"10s" range:"0s..10m"`
}

// UpstreamBreaker leaves a failing upstream alone, so that requests are refused
// at once when there is no other.
type UpstreamBreaker struct {
	// BreakAfter is how many failures in a row (no connection, timeout, broken
	// response; never a status) open the breaker of an upstream. Default 20, 1 to
	// 10000.
	BreakAfter int `yaml:"break_after" default:"20" range:"1..10000"`

	// BreakFor is how long it stays open; then one request tries. Default 5s,
	// 100ms to 10m.
	BreakFor time.Duration `yaml:"break_for" default:"5s" range:"100ms..10m"`
}

// Retry bounds what is sent a second time: only an idempotent request without a
// body that met a kept connection which the upstream had just closed. An
// upstream that takes no connection is passed over for another without being
// counted here, as nothing was sent: three are tried in all.
type Retry struct {
	// Attempts bounds how often one request is tried in all. Default 2, 1 to
	// 10.
	Attempts int `yaml:"attempts" default:"2" range:"1..10"`

	// Percent is the share of requests, in percent, that may be tried again.
	// Default 20, 0 to 100.
	Percent int `yaml:"percent" default:"20" range:"0..100"`

	// PerSecond is how many requests a second may be tried again in any case.
	// Default 10, 0 to 100000.
	PerSecond int `yaml:"per_second" default:"10" range:"0..100000"`
}
