package config

import "time"

// Revocation says what is kept of revocations: of tokens, sessions, subjects,
// clients and keys that are not to be trusted any more although they have not
// expired.
type Revocation struct {
	// Directory is where they are kept, so that a restart forgets none. It is
	// created, readable by the owner alone, where it does not exist; one process
	// at a time uses it. Identifiers are in it as digests only. Relative to the
	// configuration file. Default "": nothing can be revoked.
	Directory string `yaml:"directory"`

	// MaxEntries bounds them. At the bound new ones are refused, old ones never
	// forgotten. Ten million take about 310 MiB of memory and twice that on disk.
	// Default 10000000, 1 to 500000000.
	MaxEntries int `yaml:"max_entries" default:"10000000" range:"1..500000000"`

	// LogBytes is how much is logged before what is in force is written as a
	// whole. Default 64 MiB, 4 KiB to 1 TiB.
	LogBytes Bytes `yaml:"log_bytes" default:"64MiB" range:"4KiB..1024GiB"`

	// Keep is how long a revocation is kept whose source does not say until when,
	// where its issuer has no max_lifetime. A token that would outlive it is refused:
	// 401 token_lifetime_too_long. Default 24h, 1m to 87600h.
	Keep time.Duration `yaml:"keep" default:"24h" range:"1m..87600h"`

	// SecretFile holds the secret under which identifiers are kept, 64 hexadecimal
	// digits ("openssl rand -hex 32"). All nodes of a fleet have the same. At most
	// 4 KiB. Relative to the configuration file. Default "": a random one, kept in
	// [Revocation.Directory].
	SecretFile string `yaml:"secret_file"`

	// StatusListBytes bounds the memory of all issuers' status lists together.
	// Default 256 MiB, 1 MiB to 64 GiB.
	StatusListBytes Bytes `yaml:"status_list_bytes" default:"256MiB" range:"1MiB..64GiB"`

	// SoftStale is the age of what a source of revocations last said from which on
	// that is reported. Default 1m, 1s to 720h.
	SoftStale time.Duration `yaml:"soft_stale" default:"1m" range:"1s..720h"`

	// HardStale is the age from which on sites refuse, or do not, as
	// when_revocations_stale says. Default 10m, 1s to 720h, and no less than
	// [Revocation.SoftStale].
	HardStale time.Duration `yaml:"hard_stale" default:"10m" range:"1s..720h"`

	// Receiver is where identity backends call.
	Receiver Receiver `yaml:"receiver"`

	// Fleet is how other nodes learn of them.
	Fleet Fleet `yaml:"fleet"`
}

// LongestLife is the longest that a token of the issuer may live, by its exp and
// iat; 0 for any. Where revocations are kept it is bounded: a token must not
// outlive what revokes it.
func (c *Config) LongestLife(i *Issuer) time.Duration {
	if i.MaxLifetime == 0 && c.Revocation.Directory != "" {
		return c.Revocation.Keep
	}
	return i.MaxLifetime
}
