package admin

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// KeyAdmin is what the key view needs of the gateway. It is called from several
// goroutines at once.
type KeyAdmin interface {
	// Issuers returns what is known of every issuer's keys. The caller owns
	// the answer, with all its slices.
	Issuers() []IssuerKeys
	// Purge takes every key of that id out of use, with the verdicts reached
	// under it, and keeps it out until it is allowed. kid "" means the keys
	// without an id. It returns how many keys that were. An error with n > 0
	// is a purge that is in force but may not outlive the process; ErrPurgesFull
	// is one that was not made.
	Purge(issuer, kid string) (n int, err error)
	// Allow forgets the purges of that id: the next fetch may bring the keys
	// back. It returns how many there were; errors as for Purge.
	Allow(issuer, kid string) (n int, err error)
}

// IssuerKeys is one issuer's key set as /keys shows it.
type IssuerKeys struct {
	// Issuer is its configured name.
	Issuer string `json:"issuer"`
	// FetchedAt is when the set in use was fetched; zero where there is none.
	FetchedAt time.Time `json:"fetched_at,omitzero"`
	// Age is how long ago that is.
	Age time.Duration `json:"age_seconds"`
	// Stale is "", "soft" (served, alerted) or "hard" (refused).
	Stale string `json:"stale"`
	// LastFailure is the reason for which the last fetch failed, "" after a
	// success.
	LastFailure string `json:"last_failure"`
	// Keys are those in use, Purged those kept out of it.
	Keys   []KeyInfo    `json:"keys"`
	Purged []PurgedInfo `json:"purged"`
}

// KeyInfo is one key in use.
type KeyInfo struct {
	// ID is kid, "" where the key has none.
	ID string `json:"kid"`
	// Algorithms are those that the key is bound to; Type is kty.
	Algorithms []string `json:"algorithms"`
	Type       string   `json:"type"`
	// FirstSeen and LastSeen are when a token under the key was used, zero
	// for never. LatestExpiry is the latest end of any of them.
	FirstSeen    time.Time `json:"first_seen,omitzero"`
	LastSeen     time.Time `json:"last_seen,omitzero"`
	LatestExpiry time.Time `json:"latest_expiry,omitzero"`
	// Tokens counts uses since the key was loaded; Share is their part of
	// all uses of the issuer's tokens in that time, 0 to 1.
	Tokens uint64  `json:"tokens"`
	Share  float64 `json:"share"`
	// SafeToRetire means that no token seen under the key can still be valid.
	SafeToRetire bool `json:"safe_to_retire"`
}

// PurgedInfo is one key that was purged.
type PurgedInfo struct {
	// ID is the kid by which it was purged.
	ID string `json:"kid"`
	// At is when.
	At time.Time `json:"at,omitzero"`
}

// presentable puts issuers in order and brings their values into the ranges
// that JSON and people can read. It changes what it is given.
func presentable(issuers []IssuerKeys) []IssuerKeys {
	slices.SortStableFunc(issuers, func(a, b IssuerKeys) int { return cmp.Compare(a.Issuer, b.Issuer) })
	for i := range issuers {
		s := &issuers[i]
		s.FetchedAt = second(s.FetchedAt)
		s.Age = max(s.Age, 0).Truncate(time.Second)
		slices.SortStableFunc(s.Keys, func(a, b KeyInfo) int {
			return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Type, b.Type), slices.Compare(a.Algorithms, b.Algorithms))
		})
		for j := range s.Keys {
			k := &s.Keys[j]
			k.FirstSeen, k.LastSeen, k.LatestExpiry = second(k.FirstSeen), second(k.LastSeen), second(k.LatestExpiry)
			k.Share = share(k.Share)
		}
		slices.SortStableFunc(s.Purged, func(a, b PurgedInfo) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
		})
		for j := range s.Purged {
			s.Purged[j].At = second(s.Purged[j].At)
		}
	}
	return issuers
}

// second returns t in UTC to the second. RFC 3339 ends with the year 9999; a
// token's exp need not.
func second(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	t = t.UTC().Truncate(time.Second)
	if last := time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC); t.After(last) {
		return last
	}
	return t
}

// share returns s within 0 and 1, to four digits: 0 of 0 is no number.
func share(s float64) float64 {
	if math.IsNaN(s) {
		return 0
	}
	return math.Round(min(max(s, 0), 1)*1e4) / 1e4
}
