package config

import (
	"time"
)

// Config is one complete, decoded configuration. It is immutable once Load or
// Parse returned it: a reload builds a new one.
//
// It is normalised: Site.Hosts are in lower case and without a trailing dot;
// StateDir, Revocation.Directory and every field that names a file (Admin.TokenFile, JWKS.File, and
// those of Backend and Introspection) are joined to the configuration file's
// directory; JWKS.RefreshMin <= JWKS.Refresh <= JWKS.RefreshMax, and
// JWKS.SoftStale <= JWKS.HardStale; and the pointers Issuer.Leeway,
// UnknownKey.Burst, UnknownKey.Wait, Introspection.InactiveAge, StatusLists.Wait,
// AccessLog.RefusedPerSecond, Shutdown.Delay and Shutdown.Deadline are never
// nil.
//
// The tags are the schema's second half, next to the comment that words it:
// default is the value of an absent field (list items and map entries are
// joined by commas), range bounds a number or each value of a map, items
// bounds the length of a list or map that is present, enum names a closed set
// of sets.go, required refuses absence, blank permits "" in a list, and restart
// marks what a running gateway cannot change.
type Config struct {
	// Listen lists the data listeners. Required, 1 to 16.
	Listen []Listener `yaml:"listen" items:"1..16" required:"yes" restart:"yes"`

	// Admin is the second listener: probes, metrics, profiles. It must never
	// be reachable by citizens.
	Admin Admin `yaml:"admin" restart:"yes"`

	// Issuers lists those whose tokens may be accepted. Required, 1 to 64. An
	// issuer is accepted only at the sites that name it.
	Issuers []Issuer `yaml:"issuers" items:"1..64" required:"yes"`

	// Revocation says what is kept of revocations, and how they come.
	Revocation Revocation `yaml:"revocation" restart:"yes"`

	// Cutover lists the dated rules by which account kinds move to given
	// issuers. Optional; without them no issuer ever loses a kind.
	Cutover []Cutover `yaml:"cutover"`

	// Sites lists what stands behind the gateway. Required, 1 to 1024.
	Sites []Site `yaml:"sites" items:"1..1024" required:"yes"`

	// Limits bounds what one request and one connection may use.
	Limits Limits `yaml:"limits"`

	// Verdicts bounds the cache of verified tokens.
	Verdicts Verdicts `yaml:"verdicts" restart:"yes"`

	// Overload says what is refused first where there is more than the machine
	// can do.
	Overload Overload `yaml:"overload" restart:"yes"`

	// Memory says how much memory is given for less processor time.
	Memory Memory `yaml:"memory" restart:"yes"`

	// Log says what is written to standard error.
	Log Log `yaml:"log"`

	// Reload says how a change of the configuration is noticed.
	Reload Reload `yaml:"reload"`

	// Shutdown says how the process leaves.
	Shutdown Shutdown `yaml:"shutdown"`

	// StateDir is a directory of the gateway's own, where the last good key
	// sets are kept for a start while the identity backend is away. It holds
	// public keys only, and is created, readable by the owner alone, where it
	// does not exist. Relative to the configuration file. Default "": nothing
	// is kept.
	StateDir string `yaml:"state_dir" restart:"yes"`

	places *places // where each field was stated, for Warnings
}

// Admin configures the admin listener.
type Admin struct {
	// Address is a TCP address. Default "127.0.0.1:9080". Decree 85/2016
	// asks for access control on it: keep it on loopback, or behind a
	// network policy.
	Address string `yaml:"address" default:"127.0.0.1:9080"`

	// Pprof serves /debug/pprof/. Default false.
	Pprof bool `yaml:"pprof"`

	// TLS encrypts the listener.
	TLS AdminTLS `yaml:"tls"`

	// TokenFile holds the bearer token that an operator shows to change
	// something through the admin listener (DELETE /keys/…): at least 16
	// letters, digits and -._~+/ (RFC 6750 section 2.1), after which one line
	// end is dropped. At most 4 KiB. Default "": only who shows a certificate of
	// tls.client_ca_file can change something. Relative to the configuration file.
	TokenFile string `yaml:"token_file"`
}

// AdminTLS configures TLS on the admin listener. The files are read again when
// they change.
type AdminTLS struct {
	// CertFile holds the certificate chain in PEM, the listener's own first. At
	// most 1 MiB. Relative to the configuration file. Default "": plain http.
	CertFile string `yaml:"cert_file"`

	// KeyFile holds its private key in PEM. Required with [AdminTLS.CertFile]. At
	// most 64 KiB. Relative to the configuration file.
	KeyFile string `yaml:"key_file"`

	// ClientCAFile holds PEM roots: who shows a certificate of theirs is an
	// operator and can change things, as with the token. Probes and metrics need
	// none. At most 1 MiB. Relative to the configuration file. Default "": nobody.
	ClientCAFile string `yaml:"client_ca_file"`
}

// Limits bounds what clients can use.
type Limits struct {
	// TokenBytes bounds a credential. Default 8 KiB, 256 B to 64 KiB.
	TokenBytes Bytes `yaml:"token_bytes" default:"8KiB" range:"256..64KiB"`

	// HeaderBytes bounds a request head. Default 16 KiB, 4 KiB to 256 KiB.
	HeaderBytes Bytes `yaml:"header_bytes" default:"16KiB" range:"4KiB..256KiB" restart:"yes"`

	// HeaderCount bounds the fields of a request head. Default 100, 8 to 1000.
	HeaderCount int `yaml:"header_count" default:"100" range:"8..1000" restart:"yes"`

	// TargetBytes bounds a request target. Default 8 KiB, 256 B to 64 KiB.
	TargetBytes Bytes `yaml:"target_bytes" default:"8KiB" range:"256..64KiB" restart:"yes"`

	// HeaderTimeout bounds the arrival of a request head, and of the first 8
	// KiB of a body. Default 10s, 100ms to 5m.
	HeaderTimeout time.Duration `yaml:"header_timeout" default:"10s" range:"100ms..5m" restart:"yes"`

	// IdleTimeout bounds the time between two requests of a connection.
	// Default 75s, 1s to 1h.
	IdleTimeout time.Duration `yaml:"idle_timeout" default:"75s" range:"1s..1h" restart:"yes"`

	// Connections bounds the open connections of the data listeners together.
	// Default 65536, 1 to 10000000.
	Connections int `yaml:"connections" default:"65536" range:"1..10000000" restart:"yes"`

	// ConnectionsPerSource bounds the open connections of one client address
	// (IPv6: of one /64). Addresses in trusted_proxies and proxy_protocol are
	// exempt; behind the latter the address that they state counts. Many
	// citizens share one address where their provider translates addresses:
	// keep it generous. Default 4096, 0 to 10000000; 0 is no bound.
	ConnectionsPerSource int `yaml:"connections_per_source" default:"4096" range:"0..10000000" restart:"yes"`

	// RequestsPerConnection closes a connection after that many requests, so
	// that balancers can spread clients anew. Default 10000, 0 to 1000000000; 0
	// is no bound.
	RequestsPerConnection int `yaml:"requests_per_connection" default:"10000" range:"0..1000000000" restart:"yes"`

	// MinBodyRate is the least mean rate, in bytes a second, at which a request
	// body must arrive once [Limits.RateGrace] has passed: 408
	// request_timeout below it. Default 240 B, 0 to 1 GiB; 0 asks for none.
	MinBodyRate Bytes `yaml:"min_body_rate" default:"240" range:"0..1GiB"`

	// MinResponseRate is the least mean rate, in bytes a second, at which a client
	// must take a streamed response once [Limits.RateGrace] has passed; below it
	// the connection is closed. Default 0 B, 0 to 1 GiB; 0 asks for none.
	MinResponseRate Bytes `yaml:"min_response_rate" range:"0..1GiB"`

	// RateGrace is how long a body may be slower than [Limits.MinBodyRate] and
	// [Limits.MinResponseRate] at its beginning. Default 10s, 100ms to 10m.
	RateGrace time.Duration `yaml:"rate_grace" default:"10s" range:"100ms..10m"`

	// Tunnels bounds the open connections that were upgraded to another
	// protocol (WebSocket). One more is refused. Default 8192, 0 to 10000000.
	Tunnels int `yaml:"tunnels" default:"8192" range:"0..10000000" restart:"yes"`
}

// Verdicts configures the cache of verified tokens.
type Verdicts struct {
	// MaxBytes bounds the memory held. Default 256 MiB, 1 MiB to 1 TiB.
	MaxBytes Bytes `yaml:"max_bytes" default:"256MiB" range:"1MiB..1024GiB"`

	// MaxAge bounds how long a verdict is kept, whatever the token's exp.
	// Default 1h, 1s to 24h.
	MaxAge time.Duration `yaml:"max_age" default:"1h" range:"1s..24h"`
}

// Memory configures the garbage collector.
type Memory struct {
	// Headroom is how far the heap may grow beyond what is in use before garbage
	// is collected; where more than that has to be looked through for it, which
	// revocations do not, it may grow by as much.
	// Less of it costs processor time with every collection, most of all in a
	// flood of tokens that are refused. GOGC in the environment takes its place;
	// GOMEMLIMIT there bounds the whole. Default 128 MiB, 0 to 1 TiB; 0 is Go's
	// own pace.
	Headroom Bytes `yaml:"headroom" default:"128MiB" range:"0..1024GiB"`
}

// Log configures the log.
type Log struct {
	// Level is the least severity written: debug, info (default), warn or
	// error.
	Level string `yaml:"level" default:"info" enum:"log level"`

	// Access configures the access log.
	Access AccessLog `yaml:"access"`
}

// AccessLog configures the log of requests.
type AccessLog struct {
	// Off turns the access log off. Default false.
	Off bool `yaml:"off"`

	// Sample writes one in this many allowed requests. Default 100, 1 to
	// 1000000; 1 writes every one.
	Sample int `yaml:"sample" default:"100" range:"1..1000000"`

	// RefusedPerSecond bounds the lines for refused requests; what was left
	// out is counted. Default 100, 0 to 1000000; 0 writes none.
	RefusedPerSecond *int `yaml:"refused_per_second" default:"100" range:"0..1000000"`
}

// Shutdown configures the drain after SIGTERM.
type Shutdown struct {
	// Delay is how long the gateway goes on serving, not ready and closing
	// each connection after its response, so that balancers look away.
	// Default 5s, 0s to 5m.
	Delay *time.Duration `yaml:"delay" default:"5s" range:"0s..5m"`

	// Deadline bounds the wait for requests in flight after
	// [Shutdown.Delay]. Default 30s, 0s to 10m.
	Deadline *time.Duration `yaml:"deadline" default:"30s" range:"0s..10m"`
}

// Reload configures how a running gateway takes a new configuration.
type Reload struct {
	// Watch reloads when the configuration file, or a file that it names, has
	// changed and then stayed the same for two seconds. SIGHUP and POST /reload
	// on the admin listener always do. Default true.
	Watch bool `yaml:"watch" default:"true"`
}
