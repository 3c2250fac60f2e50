package config

import "time"

// Receiver is the listener on which identity backends call the gateway: pushed
// security events at /events/NAME and back-channel logouts at /logout/NAME, NAME
// being the issuer's. Citizens have no business there, nor have operators.
type Receiver struct {
	// Address is a TCP address, host:port or :port. Default "": there is no such
	// listener.
	Address string `yaml:"address"`

	// TLS serves https there. Without it keep the address on loopback, behind a
	// proxy.
	TLS TLS `yaml:"tls"`

	// Requests bounds those that are answered at one time. Default 64, 1 to 4096.
	Requests int `yaml:"requests" default:"64" range:"1..4096"`

	// RequestTimeout bounds one from its head to its answer, which comes when what
	// it says is durable. Default 10s, 100ms to 2m.
	RequestTimeout time.Duration `yaml:"request_timeout" default:"10s" range:"100ms..2m"`
}

// Fleet is how the nodes of a fleet tell one another of revocations: by a stream in
// Redis 7 or Valkey. All of them have the same [Revocation.SecretFile].
type Fleet struct {
	// Redis lists the server, host:port; or with [Fleet.Master] the sentinels.
	// Default: none, the node is on its own.
	Redis []string `yaml:"redis"`

	// Socket is the path of the server's unix socket, in place of [Fleet.Redis].
	// Default "": none.
	Socket string `yaml:"socket"`

	// Master is the name under which sentinels know the server. Default "": there
	// are no sentinels.
	Master string `yaml:"master"`

	// Database is the number of the database. Default 0, 0 to 1000000.
	Database int `yaml:"database" range:"0..1000000"`

	// Username is the ACL user. Default "": the default user.
	Username string `yaml:"username"`

	// PasswordFile holds the password. At most 4 KiB. Relative to the
	// configuration file. Default "": there is none.
	PasswordFile string `yaml:"password_file"`

	// TLS encrypts the connection. Default false.
	TLS bool `yaml:"tls"`

	// CAFile holds PEM roots for the server's certificate. At most 1 MiB. Relative
	// to the configuration file. Default "": the system's.
	CAFile string `yaml:"ca_file"`

	// ClientCertFile holds the PEM certificate that the gateway shows, with
	// [Fleet.ClientKeyFile]. At most 1 MiB. Relative to the configuration file.
	// Default "": none.
	ClientCertFile string `yaml:"client_cert_file"`

	// ClientKeyFile holds its unencrypted PEM private key. At most 64 KiB. Relative
	// to the configuration file.
	ClientKeyFile string `yaml:"client_key_file"`

	// ServerName is the name in the server's certificate. Default "": that of the
	// address.
	ServerName string `yaml:"server_name"`

	// Timeout bounds one call. Default 1s, 50ms to 30s.
	Timeout time.Duration `yaml:"timeout" default:"1s" range:"50ms..30s"`

	// Prefix begins the names of the fleet's keys. Default "vneid-gateway".
	Prefix string `yaml:"prefix" default:"vneid-gateway"`

	// WhenAway says what becomes of a revocation that comes while the server is
	// away: "refuse" (default: 503, the sender tries again) or "keep" (it is in
	// force here, acknowledged, and told to the others later).
	WhenAway string `yaml:"when_away" default:"refuse" enum:"when the fleet is away"`

	// OutboxBytes bounds what is kept of those. Default 64 MiB, 64 KiB to 64 GiB.
	OutboxBytes Bytes `yaml:"outbox_bytes" default:"64MiB" range:"64KiB..64GiB"`

	// Entries is about how many entries the stream keeps; a node that was away for
	// more of them reads everything anew. Default 100000, 1000 to 100000000.
	Entries int `yaml:"entries" default:"100000" range:"1000..100000000"`
}

// Enabled tells whether the node is one of a fleet.
func (f *Fleet) Enabled() bool { return len(f.Redis) > 0 || f.Socket != "" }

// RevocationSources says how an issuer tells what it has revoked.
type RevocationSources struct {
	// Events takes its Security Event Tokens (RFC 8417).
	Events EventSource `yaml:"events"`

	// Logout takes its logout tokens (OpenID Connect Back-Channel Logout 1.0).
	Logout LogoutSource `yaml:"logout"`

	// StatusLists follows its Token Status Lists. They need no
	// revocation.directory.
	StatusLists StatusLists `yaml:"status_lists"`
}

// EventSource takes an issuer's security events: CAEP session-revoked,
// credential-change and token-claims-change, RISC account-disabled and others.
type EventSource struct {
	// Audience lists the values of aud that mean this gateway. Required with
	// [EventSource.Push] and [EventSource.PollURL].
	Audience []string `yaml:"audience" items:"1.."`

	// Push takes what the issuer delivers (RFC 8935) to /events/NAME of
	// revocation.receiver. Default false.
	Push bool `yaml:"push"`

	// PushTokenFile holds the bearer token that the issuer shows. At most 4 KiB.
	// Relative to the configuration file. Default "": its signatures are proof
	// enough.
	PushTokenFile string `yaml:"push_token_file"`

	// PushHeartbeat says that the issuer pushes verification events (SSF) all the
	// time: silence then counts as that of a source that is away, by
	// revocation.soft_stale and hard_stale. Default false: a silent issuer has
	// nothing to tell.
	PushHeartbeat bool `yaml:"push_heartbeat"`

	// PollURL is where the issuer is asked for them (RFC 8936), over https; plain
	// http only on loopback or with jwks.allow_plain_http. Default "": it is not
	// asked.
	PollURL string `yaml:"poll_url"`

	// PollTokenFile holds the bearer token that is shown to it, read before each
	// poll. At most 4 KiB. Relative to the configuration file. Default "": none.
	PollTokenFile string `yaml:"poll_token_file"`

	// PollEvery is the mean time between polls that bring nothing, unless the
	// issuer holds them for longer. Default 1s, 100ms to 1h.
	PollEvery time.Duration `yaml:"poll_every" default:"1s" range:"100ms..1h"`

	// PollTimeout bounds one poll; the issuer may hold it for less. Default 30s, 1s
	// to 5m.
	PollTimeout time.Duration `yaml:"poll_timeout" default:"30s" range:"1s..5m"`

	// MaxAge bounds how old an event may be. Default 0s, 0s to 87600h; 0s is no
	// bound.
	MaxAge time.Duration `yaml:"max_age" range:"0s..87600h"`

	// WithoutSessionIDs says that the issuer's tokens have no sid: an event about a
	// session then ends all that its user was issued. Default false.
	WithoutSessionIDs bool `yaml:"without_session_ids"`

	// Unmapped says what is answered to an event about nothing that a token names,
	// such as an email address: "refuse" (default) or "acknowledge". It has no
	// effect in either case.
	Unmapped string `yaml:"unmapped" default:"refuse" enum:"unmapped events"`
}

// Enabled tells whether events are taken.
func (e *EventSource) Enabled() bool { return e.Push || e.PollURL != "" }

// LogoutSource takes an issuer's back-channel logouts at /logout/NAME of
// revocation.receiver.
type LogoutSource struct {
	// Audience lists the client ids under which the issuer knows what is behind
	// the gateway. Default: none, and no logouts are taken.
	Audience []string `yaml:"audience" items:"1.."`

	// Untyped takes logout tokens whose typ is JWT or absent, too. Default false:
	// logout+jwt only.
	Untyped bool `yaml:"untyped"`

	// Ends is what a logout with sid and sub ends: "session" (default), or
	// "subject", for issuers whose access tokens have no sid.
	Ends string `yaml:"ends" default:"session" enum:"logout ends"`
}

// Enabled tells whether logouts are taken.
func (l *LogoutSource) Enabled() bool { return len(l.Audience) > 0 }
