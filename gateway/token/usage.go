package token

import "sync/atomic"

// usageStripes spread a key's counter over cache lines: all requests under one key count on it.
const usageStripes = 8

// usage is what is known of the tokens under one key. It is approximate to a second and exact in number.
type usage struct {
	first, last atomic.Int64 // Unix seconds, 0 for never
	latestExp   atomic.Int64 // Unix seconds
	_           [104]byte    // All read what is above; the first stripe must not take it from them.
	counts      [usageStripes]struct {
		n atomic.Uint64
		_ [120]byte // Two cache lines, for processors that fetch them in pairs.
	}
}

// Usage is what is known of the tokens that were seen under one key since it was loaded.
type Usage struct {
	// Tokens counts uses: requests, not different tokens.
	Tokens uint64
	// FirstSeen and LastSeen are in Unix seconds; 0 means never.
	FirstSeen, LastSeen int64
	// LatestExpiry is the greatest exp among them, in Unix seconds: after it (and the leeway) none of them is good, and
	// the key can go without anybody noticing. 0 means none.
	LatestExpiry int64
}

// Use counts a request under a token of the key, at now in Unix seconds. stripe is any byte that differs from token to
// token. It takes no lock and does not allocate.
func (k *Key) Use(c *Claims, stripe byte, now int64) {
	u := &k.usage
	u.counts[stripe%usageStripes].n.Add(1)
	// Reading is cheap for all; only the first of a second writes.
	if last := u.last.Load(); last < now {
		u.last.CompareAndSwap(last, now)
	}
	if u.first.Load() == 0 {
		u.first.CompareAndSwap(0, now)
	}
	for {
		latest := u.latestExp.Load()
		if c.ExpiresAt <= latest || u.latestExp.CompareAndSwap(latest, c.ExpiresAt) {
			return
		}
	}
}

// Usage returns what was seen so far.
func (k *Key) Usage() Usage {
	s := Usage{
		FirstSeen:    k.usage.first.Load(),
		LastSeen:     k.usage.last.Load(),
		LatestExpiry: k.usage.latestExp.Load(),
	}
	for i := range k.usage.counts {
		s.Tokens += k.usage.counts[i].n.Load()
	}
	return s
}
