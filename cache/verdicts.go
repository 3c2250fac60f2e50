package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// The bounds of VerdictsConfig.MaxBytes: from 1 MiB to 1 TiB.
const (
	MinVerdictBytes = 1 << 20
	MaxVerdictBytes = 1 << 40
)

// VerdictsConfig bounds the cache of verdicts.
type VerdictsConfig struct {
	// MaxBytes is the memory that the cache may take, its own tables included. Required; from MinVerdictBytes to
	// MaxVerdictBytes. A verdict takes about 500 bytes. The garbage collector's headroom (GOGC) comes on top, and so do
	// verdicts on their way into the cache, of which there are 32,768 at most.
	MaxBytes int64
	// MaxAge is the longest that a verdict is kept, however long its token lives. 0 means as long as the token.
	MaxAge time.Duration
}

// Verdicts is the cache of verdicts about tokens, bounded in bytes, over ristretto: Put is asynchronous and may be
// dropped, and nothing lives beyond the exp of its token. All methods but Close are safe for concurrent use.
type Verdicts struct {
	cache    *ristretto.Cache[uint64, *Verdict]
	maxAge   time.Duration
	closed   atomic.Bool
	clearing atomic.Bool
	emptying sync.Mutex

	lookups                    [stripes]stripe
	entries                    atomic.Int64
	evicted, expired, rejected atomic.Uint64
}

// stripes spread the counters of the hot path over cache lines; a token always counts on the same one. ristretto's own
// Metrics would do the same, and keep a map of admission times besides.
const stripes = 64

type stripe struct {
	hits, misses atomic.Uint64
	_            [112]byte // Two cache lines, for processors that fetch them in pairs.
}

// Stats is what the cache holds, and what it did since it was made.
type Stats struct {
	// Hits and Misses count look-ups.
	Hits, Misses uint64
	// Evicted counts verdicts that gave way to others, Expired those whose time was up, and Rejected those that were
	// not kept, being asked for less often than what is there, or put twice at once.
	Evicted, Expired, Rejected uint64
	// Entries is the number of verdicts, those included that are about to be taken in.
	Entries int64
	// Bytes is what they take in memory.
	Bytes int64
}

// NewVerdicts starts a cache, which runs two goroutines until Close. An error wraps ErrConfig.
func NewVerdicts(c VerdictsConfig) (*Verdicts, error) {
	if c.MaxBytes < MinVerdictBytes || c.MaxBytes > MaxVerdictBytes {
		return nil, fmt.Errorf("%w: bytes must be from %d to %d", ErrConfig, MinVerdictBytes, int64(MaxVerdictBytes))
	}
	if c.MaxAge < 0 {
		return nil, fmt.Errorf("%w: negative age", ErrConfig)
	}
	// ristretto's counters of use: a power of two between 4 and 8 times the entries, at 4 bytes each (four rows of 4
	// bits, and a Bloom filter of 16 bits).
	const typicalBytes = entryBytes + 100
	counters := int64(1) << (bits.Len64(uint64(8*c.MaxBytes/typicalBytes)) - 1)
	v := &Verdicts{maxAge: c.MaxAge}
	cache, err := ristretto.NewCache(&ristretto.Config[uint64, *Verdict]{
		NumCounters:        counters,
		MaxCost:            c.MaxBytes - 4*counters,
		BufferItems:        64,
		IgnoreInternalCost: true, // It is in Verdict.cost.
		KeyToHash:          func(key uint64) (uint64, uint64) { return key, 0 },
		OnEvict:            v.onEvict,
		OnReject:           func(*ristretto.Item[*Verdict]) { v.rejected.Add(1) },
		OnExit:             v.onExit,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	v.cache = cache
	return v, nil
}

// onEvict is called by ristretto for each entry that leaves the cache, with its expiry only where that is why.
func (c *Verdicts) onEvict(item *ristretto.Item[*Verdict]) {
	switch {
	case c.clearing.Load():
	case item.Expiration.IsZero():
		c.evicted.Add(1)
	default:
		c.expired.Add(1)
	}
}

// onExit is called by ristretto for each verdict that it lets go of, whatever the reason.
func (c *Verdicts) onExit(v *Verdict) {
	if v != nil {
		c.entries.Add(-1)
	}
}

// Digest returns the SHA-256 of a whole token, by which verdicts are kept and found.
func Digest(tok []byte) [32]byte { return sha256.Sum256(tok) }

// Get returns the verdict about a token, if there is one. The caller must ask whether it is Usable. tok is not kept.
func (c *Verdicts) Get(tok []byte) (*Verdict, bool) {
	digest := Digest(tok)
	return c.GetDigest(&digest)
}

// GetDigest is Get for a caller that has the token's Digest. digest is not kept.
func (c *Verdicts) GetDigest(digest *[32]byte) (*Verdict, bool) {
	if c.closed.Load() {
		return nil, false
	}
	hash := binary.LittleEndian.Uint64(digest[:])
	count := &c.lookups[digest[8]%stripes]
	v, found := c.cache.Get(hash)
	// The hash is a quarter of the digest; only the whole of it says that the verdict is about this token.
	if !found || v.digest != *digest {
		count.misses.Add(1)
		return nil, false
	}
	count.hits.Add(1)
	return v, true
}

// Has reports whether there is a verdict by that digest, or by one that begins like it. To ask is no use of the token,
// as Get is whether or not it finds one: whoever would do nothing about a token that is not there asks Has first, for less
// time, and so that what is refused unseen makes nobody else's verdict look little used. digest is not kept.
func (c *Verdicts) Has(digest *[32]byte) bool {
	if c.closed.Load() {
		return false
	}
	_, found := c.cache.GetTTL(binary.LittleEndian.Uint64(digest[:]))
	if !found {
		c.lookups[digest[8]%stripes].misses.Add(1)
	}
	return found
}

// Put keeps the verdict about a token that was verified under a configuration of its issuer, until exp, MaxAge or
// pressure from others. It may not be kept at all, and is not found at once. Of tok and the claims nothing is kept.
func (c *Verdicts) Put(tok []byte, verified token.Verified, under *token.Verifier, now time.Time) {
	digest := Digest(tok)
	c.PutDigest(&digest, verified, under, now)
}

// PutDigest is Put for a caller that has the token's Digest. digest is not kept.
func (c *Verdicts) PutDigest(digest *[32]byte, verified token.Verified, under *token.Verifier, now time.Time) {
	v := &Verdict{Claims: verified.Claims.Compact(), Key: verified.Key, Verifier: under, digest: *digest}
	c.put(v, untilExpiry(verified.Claims, now))
}

// PutChecked is PutDigest for a token that its issuer was asked about at that time. It returns the verdict, whether it
// is kept or not.
func (c *Verdicts) PutChecked(digest *[32]byte, verified token.Verified, under *token.Verifier, asked, now time.Time) *Verdict {
	v := &Verdict{
		Claims: verified.Claims.Compact(), Key: verified.Key, Verifier: under, Checked: asked.UnixNano(), digest: *digest,
	}
	c.put(v, untilExpiry(verified.Claims, now))
	return v
}

// PutRefused keeps for ttl (at most MaxAge) that a token is none: its issuer, asked at that time, did not vouch for it
// or vouched for something that the configuration refuses. why must be one of token's sentinels itself, for it is kept.
// Whoever lets refusals and good verdicts share a cache lets random tokens drive out good ones.
func (c *Verdicts) PutRefused(digest *[32]byte, why error, under *token.Verifier, asked time.Time, ttl time.Duration) {
	c.put(&Verdict{Refused: why, Verifier: under, Checked: asked.UnixNano(), digest: *digest}, ttl)
}

// untilExpiry is how long a verdict on the claims may be kept.
func untilExpiry(claims *token.Claims, now time.Time) time.Duration {
	// RFC 7519 section 4.1.4: no verdict outlives exp. Whoever is let in by leeway is verified each time.
	return time.Unix(claims.ExpiresAt, 0).Sub(now)
}

func (c *Verdicts) put(v *Verdict, ttl time.Duration) {
	if c.maxAge > 0 {
		ttl = min(ttl, c.maxAge)
	}
	if ttl <= 0 || c.closed.Load() {
		return
	}
	c.entries.Add(1)
	if !c.cache.SetWithTTL(binary.LittleEndian.Uint64(v.digest[:]), v, v.cost(), ttl) {
		c.rejected.Add(1)
		c.entries.Add(-1)
	}
}

// Forget drops the verdict about a token, if there is one: when it has returned, no Get finds one that was put before.
// It waits for what is on its way into the cache, some microseconds. digest is not kept.
func (c *Verdicts) Forget(digest *[32]byte) {
	if c.closed.Load() {
		return
	}
	c.cache.Del(binary.LittleEndian.Uint64(digest[:]))
	c.cache.Wait() // A put that is on its way comes after the deletion from the table, and before its repetition.
}

// Stats returns the counters. It takes a lock that Put's other end takes too: ask a few times a minute, not each request.
func (c *Verdicts) Stats() Stats {
	s := Stats{
		Evicted:  c.evicted.Load(),
		Expired:  c.expired.Load(),
		Rejected: c.rejected.Load(),
		Entries:  c.entries.Load(),
		Bytes:    c.cache.MaxCost() - c.cache.RemainingCost(),
	}
	for i := range c.lookups {
		s.Hits += c.lookups[i].hits.Load()
		s.Misses += c.lookups[i].misses.Load()
	}
	return s
}

// Clear drops all verdicts to free their memory. It is not what makes verdicts void, for one that is being put
// meanwhile may stay: Usable is.
func (c *Verdicts) Clear() {
	c.emptying.Lock()
	defer c.emptying.Unlock()
	if c.closed.Load() {
		return
	}
	c.clearing.Store(true)
	c.cache.Clear()
	c.clearing.Store(false)
}

// Close drops all verdicts and ends the cache's goroutines. It must come after the last Get and Put have returned;
// later ones find and keep nothing. A second Close does nothing.
func (c *Verdicts) Close() {
	c.emptying.Lock()
	defer c.emptying.Unlock()
	if c.closed.Swap(true) {
		return
	}
	c.clearing.Store(true)
	c.cache.Close()
}
