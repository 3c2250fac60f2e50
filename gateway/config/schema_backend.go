package config

import "time"

// JWKS is the source of a key set: exactly one of url, file and
// discovery.
type JWKS struct {
	// URL is fetched over https; plain http only on loopback or with
	// [JWKS.AllowPlainHTTP].
	URL string `yaml:"url"`

	// File is read from disk, for sites without a way out. Relative to the
	// configuration file. Read again when it changes.
	File string `yaml:"file"`

	// Discovery finds the URL through OpenID Connect Discovery 1.0: issuer +
	// /.well-known/openid-configuration. Default false.
	Discovery bool `yaml:"discovery"`

	// AllowPlainHTTP permits http to addresses other than loopback. Default
	// false: whoever can answer for the identity backend can forge tokens.
	AllowPlainHTTP bool `yaml:"allow_plain_http"`

	// Refresh is the mean time between background fetches, to which a jitter
	// of 10% is applied. Cache-Control or Expires of the answer shortens or
	// lengthens it between [JWKS.RefreshMin] and [JWKS.RefreshMax]. Default
	// 5m, 1s to 24h. Of these three, one that is not given moves as far as
	// those that are need it to.
	Refresh time.Duration `yaml:"refresh" default:"5m" range:"1s..24h"`

	// RefreshMin is the least time between background fetches, whatever the
	// answer's caching header. Default 1m, 1s to 24h.
	RefreshMin time.Duration `yaml:"refresh_min" default:"1m" range:"1s..24h"`

	// RefreshMax is the greatest time between background fetches, whatever the
	// answer's caching header; the jitter comes on top. Default 30m, 1s to 24h.
	RefreshMax time.Duration `yaml:"refresh_max" default:"30m" range:"1s..24h"`

	// SoftStale is the age of the key set, counted from the last good fetch,
	// from which on it is reported as stale while it goes on serving. Default
	// 1h, 10s to 168h; where it is not given, at most [JWKS.HardStale].
	SoftStale time.Duration `yaml:"soft_stale" default:"1h" range:"10s..168h"`

	// HardStale is the age from which on no token is verified under the key
	// set any more, cached verdicts included: 503 keys_stale. Default 24h, 10s
	// to 720h; not less than [JWKS.SoftStale], and more than the time between
	// two fetches, [JWKS.RefreshMax] and its jitter.
	HardStale time.Duration `yaml:"hard_stale" default:"24h" range:"10s..720h"`

	// UnknownKey says what happens to a token whose key is not in memory.
	UnknownKey UnknownKey `yaml:"unknown_key"`
}

// UnknownKey bounds what tokens under unknown keys can make the gateway do.
type UnknownKey struct {
	// Burst is how many fetches unknown keys may trigger at once, whatever
	// their number. Default 3, 0 to 100; 0 triggers none.
	Burst *int `yaml:"burst" default:"3" range:"0..100"`

	// Every is the time after which unknown keys may trigger one more fetch.
	// Default 30s, 1s to 1h.
	Every time.Duration `yaml:"every" default:"30s" range:"1s..1h"`

	// Wait bounds how long a request waits for such a fetch. Default 1s, 0s
	// to 30s; 0s waits for none.
	Wait *time.Duration `yaml:"wait" default:"1s" range:"0s..30s"`

	// Waiters bounds the requests that wait at one time. Default 1024, 1 to
	// 100000. One more is answered at once.
	Waiters int `yaml:"waiters" default:"1024" range:"1..100000"`

	// Remember is how long a key that a fetch did not bring is answered as
	// unknown without another. Default 1m, 1s to 1h.
	Remember time.Duration `yaml:"remember" default:"1m" range:"1s..1h"`

	// Answer is "refuse" (default: 401 key_unknown) or "unavailable" (503
	// keys_unavailable) for a key that could not be looked up, because the
	// budget was spent, the wait too short or the backend away. A key that a
	// fetch did not bring is always refused.
	Answer string `yaml:"answer" default:"refuse" enum:"unknown key answer"`
}

// Backend bounds the calls to an identity backend.
type Backend struct {
	// Timeout bounds one call, from dialling to the last byte. Default 5s,
	// 100ms to 60s.
	Timeout time.Duration `yaml:"timeout" default:"5s" range:"100ms..60s"`

	// MaxBytes bounds one answer, and the file that jwks.file names. Default 1
	// MiB, 1 KiB to 16 MiB.
	MaxBytes Bytes `yaml:"max_bytes" default:"1MiB" range:"1KiB..16MiB"`

	// CAFile holds PEM roots for the backend's certificate. Default: the
	// system's roots. Relative to the configuration file. At most 1 MiB.
	CAFile string `yaml:"ca_file"`

	// ClientCertFile holds the PEM certificate that the gateway shows to the
	// backend (mTLS), the chain after it, with [Backend.ClientKeyFile]. Default
	// "": none. Relative to the configuration file. At most 1 MiB.
	ClientCertFile string `yaml:"client_cert_file"`

	// ClientKeyFile holds the unencrypted PEM private key of
	// [Backend.ClientCertFile], and is required with it. Relative to the
	// configuration file. At most 64 KiB.
	ClientKeyFile string `yaml:"client_key_file"`

	// ProxyURL is the HTTP proxy by which the backend is reached, http or https
	// and nothing after the host and port. Through it no address is loopback.
	// Default "": none; the environment's is never used.
	ProxyURL string `yaml:"proxy_url"`

	// BreakAfter is how many calls in a row must fail for the breaker to open.
	// Default 5, 1 to 1000.
	BreakAfter int `yaml:"break_after" default:"5" range:"1..1000"`

	// BreakFor is how long an open breaker lets no call through; then a single
	// one probes. Default 10s, 100ms to 10m.
	BreakFor time.Duration `yaml:"break_for" default:"10s" range:"100ms..10m"`
}

// Introspection asks an issuer about tokens (RFC 7662).
type Introspection struct {
	// URL is the introspection endpoint, over https; plain http only on
	// loopback or with jwks.allow_plain_http. Default "": tokens are not
	// introspected, and no other field of this section may be given.
	URL string `yaml:"url"`

	// Tokens is "opaque" (default: those that are no JWT) or "all": a JWT,
	// too, after it was verified, for which jwks is required. An opaque token
	// names no issuer: a site may name one issuer that introspects.
	Tokens string `yaml:"tokens" default:"opaque" enum:"introspected tokens"`

	// Auth is how the gateway authenticates: client_secret_basic (default),
	// client_secret_post or private_key_jwt (RFC 7523).
	Auth string `yaml:"auth" default:"client_secret_basic" enum:"client authentication"`

	// ClientID names the gateway at the issuer: printable ASCII. Required with
	// url.
	ClientID string `yaml:"client_id"`

	// ClientSecretFile holds the client secret, printable ASCII, after which
	// one line end is dropped. Required for client_secret_basic and
	// client_secret_post, and for nothing else. Relative to the configuration
	// file. At most 4 KiB.
	ClientSecretFile string `yaml:"client_secret_file"`

	// PrivateKeyFile holds the unencrypted PEM private key (PKCS #8: RSA of at
	// least 2048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519). Required
	// for private_key_jwt, and for nothing else. Relative to the configuration
	// file. At most 64 KiB.
	PrivateKeyFile string `yaml:"private_key_file"`

	// PrivateKeyID is the kid under which the issuer knows that key. Default
	// "": none is sent.
	PrivateKeyID string `yaml:"private_key_id"`

	// MaxAge bounds how long an active answer is believed without asking
	// again. Default 1m, 1s to 1h.
	MaxAge time.Duration `yaml:"max_age" default:"1m" range:"1s..1h"`

	// InactiveAge is how long an inactive answer is believed. Default 10s, 0s
	// to 10m.
	InactiveAge *time.Duration `yaml:"inactive_age" default:"10s" range:"0s..10m"`

	// Concurrency bounds the calls at one time. Default 64, 1 to 10000.
	// Requests beyond it wait, as long as a call may take.
	Concurrency int `yaml:"concurrency" default:"64" range:"1..10000"`

	// WhenUnavailable is "refuse" (default: 503 introspection_unavailable) or
	// "use_cached_until_exp": an active answer older than max_age is believed
	// while the backend cannot be asked, until the token's exp or, if that comes
	// first, verdicts.max_age.
	WhenUnavailable string `yaml:"when_unavailable" default:"refuse" enum:"when unavailable"`
}
