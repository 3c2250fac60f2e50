package statuslist

import (
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// edition is a list as it was at one time. It is immutable.
type edition struct {
	bits uint8
	data []byte
	// key proves it, and must not be withdrawn.
	key *token.Key
	// fetched is when it was last known to be what the issuer publishes.
	fetched time.Time
	// issued and expires are iat and exp, in seconds since the Unix epoch; 0 means that exp is not told.
	issued, expires int64
	// due is when it is to be fetched again.
	due time.Time
}

// counts reports whether the edition, which may be nil, still says anything. It does not allocate.
func (e *edition) counts(now time.Time, hardStale, leeway time.Duration) bool {
	switch {
	case e == nil || e.key.Withdrawn():
		return false
	// A clock that was set back does not make it any fresher.
	case now.Sub(e.fetched).Abs() >= hardStale:
		return false
	}
	// Token Status List section 13.7: not to be relied upon after exp. RFC 7519 section 4.1.4: nor at it.
	return e.expires == 0 || now.Before(time.Unix(e.expires, 0).Add(leeway))
}

// wait returns how long after it was fetched, at now, a list is to be fetched again.
func (c *Config) wait(ttl time.Duration, expires int64, now time.Time) time.Duration {
	wait := c.Refresh
	left := time.Duration(-1)
	if expires != 0 {
		left = time.Unix(expires, 0).Sub(now)
		// Some time before exp: a list that expired would leave tokens without a status.
		left -= left / 10
	}
	switch {
	case ttl != 0:
		wait = ttl
		if expires != 0 {
			wait = min(wait, left)
		}
	case expires != 0:
		wait = left
	}
	// Section 11.5: within bounds of our own, or an issuer could have anybody flooded, or nothing ever fetched again.
	return min(max(wait, c.LeastRefresh), c.MostRefresh)
}
