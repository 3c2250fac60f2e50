package overload

import (
	"fmt"
	"hash/maphash"
	"math/bits"
	"sync"
)

// Key stands for who is bounded: 16 bytes that no two share, such as a part of
// a digest.
type Key [16]byte

// ways is how many keys may meet in one set of a table.
const ways = 8

// table holds a bucket for each key that was seen lately. A key hashes to one
// set. In it, a bucket that is full again is as good as none, so its place is
// taken without anybody noticing. Where all are in use, newcomers share the
// set's spare bucket: they are let through, all together at the rate of one, and
// those who were there first keep what they have. So no flood of keys makes
// memory grow, drives anybody out, or opens the bound.
type table struct {
	rate gcra
	seed maphash.Seed
	sets []set
}

// set is 256 bytes: some cache lines of its own.
type set struct {
	mu    sync.Mutex
	keys  [ways]Key
	full  [ways]int64
	spare int64
	// latest is the time of the latest event: for one that was delayed on its
	// way here, a place must not be in use again that was given away since.
	latest int64
	// crowded counts events that the spare bucket decided.
	crowded uint64
	_       [32]byte
}

// The bounds of RateLimitsConfig.MaxKeys.
const (
	minKeys     = ways
	maxKeys     = 1 << 24
	defaultKeys = 1 << 16
)

func newTable(rate gcra, keys int) (*table, error) {
	if keys < minKeys || keys > maxKeys {
		return nil, fmt.Errorf("%w: MaxKeys must be from %d to %d", ErrConfig, minKeys, maxKeys)
	}
	sets := 1 << bits.Len(uint(keys/ways-1))
	return &table{rate: rate, seed: maphash.MakeSeed(), sets: make([]set, sets)}, nil
}

// take takes one event at now (ns, above 0) from the key's bucket, as
// [gcra.take] does.
func (t *table) take(key *Key, now int64) (wait int64) {
	s := &t.sets[maphash.Bytes(t.seed, key[:])&uint64(len(t.sets)-1)]
	s.mu.Lock()
	now = max(now, s.latest)
	s.latest = now
	full := s.find(key, now)
	*full, wait = t.rate.take(*full, now)
	s.mu.Unlock()
	return wait
}

// find returns the key's bucket: its own, one that nobody needs, or the spare.
func (s *set) find(key *Key, now int64) *int64 {
	unused := -1
	for i := range s.keys {
		if s.full[i] > now {
			if s.keys[i] == *key {
				return &s.full[i]
			}
		} else {
			unused = i
		}
	}
	if unused < 0 {
		s.crowded++
		return &s.spare
	}
	s.keys[unused] = *key
	return &s.full[unused]
}

// crowded counts the events that spare buckets decided.
func (t *table) crowded() (n uint64) {
	for i := range t.sets {
		s := &t.sets[i]
		s.mu.Lock()
		n += s.crowded
		s.mu.Unlock()
	}
	return n
}
