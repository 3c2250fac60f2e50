package config

import "time"

// StatusLists follows an issuer's Token Status Lists (draft-ietf-oauth-status-list):
// a token's claim status names a list and a place in it. VALID passes; INVALID and
// SUSPENDED are refused with 401 token_revoked.
type StatusLists struct {
	// Addresses lists where the issuer's lists are: one that ends in "/" covers all
	// below it, any other is that of one list. Over https; plain http only on
	// loopback or with jwks.allow_plain_http. A token that names a list elsewhere is
	// refused: 503 token_status_unavailable. Default: none.
	Addresses []string `yaml:"addresses" items:"1.."`

	// Ignore takes no notice of the claim status, for issuers whose claim of that
	// name is something else. Default false.
	Ignore bool `yaml:"ignore"`

	// WhenUnknown says what becomes of a token whose list is not there, or is past
	// [StatusLists.HardStale]: "refuse" (default: 503 token_status_unavailable) or
	// "allow".
	WhenUnknown string `yaml:"when_unknown" default:"refuse" enum:"when a status is unknown"`

	// Wait bounds how long a request waits for a list that is being fetched.
	// Default 100ms, 0s to 10s; 0s waits for none.
	Wait *time.Duration `yaml:"wait" default:"100ms" range:"0s..10s"`

	// Refresh is the time between fetches of a list that states none by its ttl or
	// exp. Default 1m, 1s to 24h.
	Refresh time.Duration `yaml:"refresh" default:"1m" range:"1s..24h"`

	// RefreshMin is the least time between fetches, whatever a list states. Default 15s, 1s to 24h.
	RefreshMin time.Duration `yaml:"refresh_min" default:"15s" range:"1s..24h"`

	// RefreshMax is the greatest time between fetches, whatever a list states. Default 5m, 1s to 24h.
	RefreshMax time.Duration `yaml:"refresh_max" default:"5m" range:"1s..24h"`

	// SoftStale is the age of a list from which on it is reported while it goes on
	// counting. Default 10m, 1s to 720h.
	SoftStale time.Duration `yaml:"soft_stale" default:"10m" range:"1s..720h"`

	// HardStale is the age from which on it does not count any more. Default 1h, 1s
	// to 720h, and no less than [StatusLists.SoftStale].
	HardStale time.Duration `yaml:"hard_stale" default:"1h" range:"1s..720h"`

	// MaxBytes bounds a list as it is fetched. Default 4 MiB, 1 KiB to 16 MiB.
	MaxBytes Bytes `yaml:"max_bytes" default:"4MiB" range:"1KiB..16MiB"`

	// MaxListBytes bounds a list unpacked, which has 1, 2, 4 or 8 entries a byte.
	// Default 16 MiB, 1 KiB to 1 GiB.
	MaxListBytes Bytes `yaml:"max_list_bytes" default:"16MiB" range:"1KiB..1GiB"`

	// MaxLists bounds the lists that are held at one time. Default 32, 1 to 4096.
	MaxLists int `yaml:"max_lists" default:"32" range:"1..4096"`
}

// Enabled tells whether lists are followed.
func (s *StatusLists) Enabled() bool { return len(s.Addresses) > 0 }
