package overload

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// RateLimitsConfig says how much a site takes. A zero Rate bounds nothing.
type RateLimitsConfig struct {
	// Site bounds all requests of the site.
	Site Rate
	// Client bounds those of one client, which the caller tells by a Key.
	Client Rate
	// Source bounds those of one address; of one /64 for IPv6, which one
	// client has to itself.
	Source Rate
	// MaxKeys is how many clients, and how many sources, are told apart at one
	// time, at 32 bytes each; it is rounded up to a power of two. Default:
	// 65,536; from 8 to 16,777,216.
	MaxKeys int
}

// Limit is what a rate was over. It is a closed set.
type Limit uint8

// The limits.
const (
	// LimitNone: the request is within all.
	LimitNone Limit = iota
	// LimitSite, LimitClient, LimitSource: see [RateLimitsConfig].
	LimitSite
	LimitClient
	LimitSource

	limits
)

var limitNames = [limits]string{"none", "site", "client", "source"}

// String returns the label.
func (l Limit) String() string {
	if l < limits {
		return limitNames[l]
	}
	return limitNames[LimitNone]
}

// RateDecision is what the limits say about one request.
type RateDecision struct {
	// Over is LimitNone for a request that is let through.
	Over Limit
	// RetryAfter is when one would be let through, if no other came; 0 where
	// this one is.
	RetryAfter time.Duration
}

// RateLimits are the limits of one site. Safe for concurrent use; a nil
// *RateLimits lets everything through. Nothing is allocated after New, and no
// lock is shared by more than the keys that meet in one set of eight.
type RateLimits struct {
	base   time.Time
	site   *bucket
	client *table
	source *table

	refused [limits]atomic.Uint64
}

// NewRateLimits returns nil where nothing is bounded. An error wraps ErrConfig.
func NewRateLimits(c RateLimitsConfig) (*RateLimits, error) {
	if c.MaxKeys == 0 {
		c.MaxKeys = defaultKeys
	}
	// A bucket that was never used is a full one: for a request that began
	// before a reload made this, too.
	l := &RateLimits{base: time.Now().Add(-time.Hour)}
	rate, bounded, err := newGCRA(c.Site)
	if err != nil {
		return nil, err
	}
	if bounded {
		l.site = &bucket{rate: rate}
	}
	for _, by := range []struct {
		rate Rate
		to   **table
	}{{c.Client, &l.client}, {c.Source, &l.source}} {
		rate, bounded, err := newGCRA(by.rate)
		if err != nil {
			return nil, err
		}
		if !bounded {
			continue
		}
		if *by.to, err = newTable(rate, c.MaxKeys); err != nil {
			return nil, err
		}
	}
	if l.site == nil && l.client == nil && l.source == nil {
		return nil, nil
	}
	return l, nil
}

// Arrive takes a request from its source's bucket, then from its site's: a
// source over its rate uses up nothing of the site's. Call it before anything
// is spent on the request. An address that is not known is a source, too.
func (l *RateLimits) Arrive(source netip.Addr, now time.Time) RateDecision {
	if l == nil {
		return RateDecision{}
	}
	at := int64(now.Sub(l.base))
	if l.source != nil {
		key := SourceKey(source)
		if wait := l.source.take(&key, at); wait > 0 {
			return l.over(LimitSource, wait)
		}
	}
	if l.site != nil {
		if wait := l.site.take(at); wait > 0 {
			return l.over(LimitSite, wait)
		}
	}
	return RateDecision{}
}

// Client takes a request from its client's bucket. Call it when it is proved
// who the client is: else anybody could use up what is another's.
func (l *RateLimits) Client(key *Key, now time.Time) RateDecision {
	if l == nil || l.client == nil {
		return RateDecision{}
	}
	if wait := l.client.take(key, int64(now.Sub(l.base))); wait > 0 {
		return l.over(LimitClient, wait)
	}
	return RateDecision{}
}

// Clients reports whether clients are bounded, so that a key is needed.
func (l *RateLimits) Clients() bool { return l != nil && l.client != nil }

func (l *RateLimits) over(limit Limit, wait int64) RateDecision {
	l.refused[limit].Add(1)
	return RateDecision{limit, time.Duration(wait)}
}

// RateStats counts what was refused since the start.
type RateStats struct {
	// Site, Client and Source count requests over each limit.
	Site, Client, Source uint64
	// Crowded counts requests decided by a bucket that newcomers shared,
	// because MaxKeys others were in use.
	Crowded uint64
}

// Stats reads the counters; it walks the tables, so call it for a scrape only.
func (l *RateLimits) Stats() RateStats {
	if l == nil {
		return RateStats{}
	}
	s := RateStats{
		Site:   l.refused[LimitSite].Load(),
		Client: l.refused[LimitClient].Load(),
		Source: l.refused[LimitSource].Load(),
	}
	for _, t := range []*table{l.client, l.source} {
		if t != nil {
			s.Crowded += t.crowded()
		}
	}
	return s
}

// SourceKey returns the key of an address: the whole of an IPv4 address, in
// whichever form it comes, and the first 64 bits of an IPv6 address.
func SourceKey(a netip.Addr) Key {
	if !a.IsValid() {
		return Key{}
	}
	key := Key(a.As16())
	if a.Is4() || a.Is4In6() {
		return key
	}
	clear(key[8:])
	return key
}
