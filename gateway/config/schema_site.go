package config

import "time"

// Site is one system behind the gateway.
type Site struct {
	// Name is how metrics and logs call this site. Required, lower-case
	// letters, digits and dashes, neither first nor last a dash, at most 63
	// characters, unique.
	Name string `yaml:"name" required:"yes"`

	// Hosts lists the Host values served: exact, "*.suffix" (one or more
	// labels before it) or "*" for any. Required. Exact beats the longest
	// suffix beats "*"; no host may stand in two sites.
	Hosts []string `yaml:"hosts" items:"1.." required:"yes"`

	// Upstreams lists where the site's systems are: http://host:port,
	// https://host:port, or unix:/path of a socket. Names are resolved again
	// and again; each address is an upstream. Required, 1 to 256.
	Upstreams []string `yaml:"upstreams" items:"1..256" required:"yes"`

	// Balance is "two_choices" (default: of two upstreams picked at random the
	// less busy one) or "round_robin".
	Balance string `yaml:"balance" default:"two_choices" enum:"balance"`

	// UpstreamTLS says how https upstreams are verified.
	UpstreamTLS UpstreamTLS `yaml:"upstream_tls"`

	// SendProxyProtocol tells the upstream the client's address before the
	// first request of a connection: "none" (default), "v1" or "v2". Each request
	// then has an upstream connection of its own, which is not kept.
	SendProxyProtocol string `yaml:"send_proxy_protocol" default:"none" enum:"PROXY protocol version"`

	// Resolve is how often the names of upstreams are resolved. Default 30s, 1s
	// to 1h.
	Resolve time.Duration `yaml:"resolve" default:"30s" range:"1s..1h"`

	// HealthCheck asks upstreams whether they are well.
	HealthCheck HealthCheck `yaml:"health_check"`

	// Ejection takes out upstreams that fail.
	Ejection Ejection `yaml:"ejection"`

	// Breaker refuses at once where no upstream is left.
	Breaker UpstreamBreaker `yaml:"breaker"`

	// Retry says what is tried again.
	Retry Retry `yaml:"retry"`

	// Upgrades lists the protocols that clients may change to on a
	// connection. Default [websocket]; [] for none. h2c cannot be one.
	Upgrades []string `yaml:"upgrades" default:"websocket"`

	// Share is the site's part of the machine where there is more to do than
	// it can, relative to the other sites'. Default 1, 1 to 1000.
	Share int `yaml:"share" default:"1" range:"1..1000"`

	// RateLimits bounds how many requests are taken in.
	RateLimits RateLimits `yaml:"rate_limits"`

	// Issuers lists the issuers accepted here, by name. Required, unless no
	// path needs a credential: every rule is public or deny, and one of them
	// covers "/**" for every method.
	Issuers []string `yaml:"issuers" items:"1.."`

	// Mode is "enforce" (default), or "observe": decide and count, but let
	// pass. Under observe an unverified request reaches the upstream, without
	// identity headers; use it before the cutover only. Deny rules, rate_limits
	// and overload hold in both modes.
	Mode string `yaml:"mode" default:"enforce" enum:"mode"`

	// WhenRevocationsStale says what happens once a source of revocations has been
	// silent for longer than revocation.hard_stale: "refuse" (default: 503
	// revocations_stale to whoever needs a credential) or "allow" (what is known
	// goes on to be refused).
	WhenRevocationsStale string `yaml:"when_revocations_stale" default:"refuse" enum:"when revocations are stale"`

	// Cookie names a cookie that may carry the token where there is no
	// Authorization header. Default "": none.
	Cookie string `yaml:"cookie"`

	// ForwardCredential passes the Authorization header, or the cookie, on to
	// the upstream: the one that was verified. Under mode observe what would be
	// refused is passed on, too, as the upstream still judges for itself.
	// Default false: the upstream gets the identity headers.
	ForwardCredential bool `yaml:"forward_credential"`

	// IdentityHeaders lists which of subject, account_kind, account_level,
	// issuer, auth_time, token_id are written as X-VNeID-* request headers.
	// Default [subject, account_kind, account_level, issuer]. Their values
	// are percent-encoded outside visible ASCII.
	IdentityHeaders []string `yaml:"identity_headers" default:"subject,account_kind,account_level,issuer" enum:"identity header"`

	// Host is "preserve" (default: the upstream sees the client's Host) or
	// "upstream" (it sees its own, and X-Forwarded-Host the client's).
	Host string `yaml:"host" default:"preserve" enum:"host"`

	// IgnorePathCase matches rules without regard to ASCII case, for
	// upstreams that do the same (IIS). The path is forwarded as received.
	// Default false.
	IgnorePathCase bool `yaml:"ignore_path_case"`

	// LoginURL is linked from the page that a browser gets when it must log
	// in: an http or https URL, or a path of this site. Default "": no link.
	LoginURL string `yaml:"login_url"`

	// Require is the requirement of every path that no rule matches. Default:
	// a valid credential and nothing else.
	Require Requirement `yaml:"require"`

	// Rules refine the site by path and method. The most specific rule that
	// matches wins: exact path, then longest prefix, then a rule that lists
	// the method over one that lists none. Order does not matter.
	Rules []Rule `yaml:"rules"`

	// Timeouts bounds the exchange with the upstream.
	Timeouts Timeouts `yaml:"timeouts"`

	// MaxBodyBytes bounds a request body. Default 0: unbounded (bodies are
	// streamed, never held in memory). What is too large by its Content-Length is
	// refused once its first 8 KiB have come, or before any of it where the client
	// asks first (Expect).
	MaxBodyBytes Bytes `yaml:"max_body_bytes" range:"0.."`

	// MaxUpstreamConnections bounds the connections to each upstream. Default
	// 1024, 1 to 65535. A request that would need one more gets 503.
	MaxUpstreamConnections int `yaml:"max_upstream_connections" default:"1024" range:"1..65535"`
}

// Requirement is what a credential must satisfy beyond being valid.
type Requirement struct {
	// AccountKinds lists the kinds that may pass. Default: every kind.
	AccountKinds []string `yaml:"account_kinds" items:"1.." enum:"account kind"`

	// AccountLevel is the least account level, 1 or 2. Default 0: any. An
	// organisation has no level and is never level-checked.
	AccountLevel int `yaml:"account_level" range:"0..2"`

	// ACR lists the accepted values of the acr claim, the authentication
	// level. Default: any. Refusal asks for step-up (RFC 9470).
	ACR []string `yaml:"acr" items:"1.."`

	// MaxAuthAge bounds the time since auth_time. Default 0s: any. Refusal
	// asks for step-up (RFC 9470).
	MaxAuthAge time.Duration `yaml:"max_auth_age" range:"0s.."`
}

// Rule refines a site for some paths and methods.
type Rule struct {
	// Paths lists patterns: "/exact/path", or "/prefix/**" for /prefix and
	// everything below it. Matched against the normalised path that the
	// upstream also gets. Required.
	Paths []string `yaml:"paths" items:"1.." required:"yes"`

	// Methods limits the rule. Default: every method.
	Methods []string `yaml:"methods" items:"1.."`

	// Access is "require" (default), or "public": no credential is looked at.
	Access string `yaml:"access" default:"require" enum:"access"`

	// Deny refuses with the given reason: citizen_account_creation_removed,
	// or route_denied. Default "".
	Deny string `yaml:"deny" enum:"deny reason"`

	// Requirement applies to access "require" and replaces the site's.
	Requirement `yaml:",inline"`
}

// Timeouts bounds an exchange with an upstream.
type Timeouts struct {
	// Connect bounds dialling. Default 2s, 10ms to 60s.
	Connect time.Duration `yaml:"connect" default:"2s" range:"10ms..60s"`

	// FirstByte bounds the wait for the response head after the request was
	// sent. Default 30s, 10ms to 1h.
	FirstByte time.Duration `yaml:"first_byte" default:"30s" range:"10ms..1h"`

	// Idle bounds the time between two reads of a body, either way. Default
	// 60s, 100ms to 1h.
	Idle time.Duration `yaml:"idle" default:"60s" range:"100ms..1h"`

	// Total bounds the exchange from its beginning to the end of the response,
	// tunnels excepted. Default 0s, 0s to 24h; 0s is unbounded.
	Total time.Duration `yaml:"total" range:"0s..24h"`

	// Tunnel bounds the time in which neither side of an upgraded connection
	// sends anything. Default 10m, 1s to 24h.
	Tunnel time.Duration `yaml:"tunnel" default:"10m" range:"1s..24h"`
}
