package cache

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// KeySet is one issuer's key set as it was at one time. It is immutable, save that its keys may be withdrawn once it is
// replaced, and safe for concurrent use. The zero KeySet has no keys.
type KeySet struct {
	keys      []*token.Key
	index     map[lookup]*token.Key // nil values where more than one key fits
	fetchedAt time.Time
}

type lookup struct{ kid, alg string }

func newKeySet(keys []*token.Key, at time.Time) *KeySet {
	s := &KeySet{keys: keys, index: make(map[lookup]*token.Key), fetchedAt: at}
	enter := func(kid, alg string, key *token.Key) {
		at := lookup{kid, alg}
		if _, taken := s.index[at]; taken {
			key = nil // Ambiguous: none of them.
		}
		s.index[at] = key
	}
	for _, key := range keys {
		for _, alg := range key.Algorithms() {
			// RFC 7515 section 4.1.4: kid is optional, so a token without one means the only key that fits, whatever its
			// name.
			enter("", alg, key)
			if key.ID() != "" {
				enter(key.ID(), alg, key)
			}
		}
	}
	return s
}

// Key returns the one key that serves alg under kid, where a kid of "" means the only key that serves alg at all. It
// wraps token.ErrKeyUnknown where there is none, or more than one. It does not allocate. See token.KeySource.
func (s *KeySet) Key(kid, alg string) (*token.Key, error) {
	if key := s.index[lookup{kid, alg}]; key != nil {
		return key, nil
	}
	return nil, token.ErrKeyUnknown
}

// All returns the keys in the order of the issuer's document, in a new slice.
func (s *KeySet) All() []*token.Key { return slices.Clone(s.keys) }

// Len returns the number of keys.
func (s *KeySet) Len() int { return len(s.keys) }

// FetchedAt returns when the set was last known to be what the issuer publishes; the zero time for the zero KeySet.
func (s *KeySet) FetchedAt() time.Time { return s.fetchedAt }

// Change counts what a Replace did to the set.
type Change struct {
	// Added is the number of keys that were not there before.
	Added int
	// Removed is the number of keys that were there and are now withdrawn.
	Removed int
	// Kept is the number of keys that stay, with the verdicts that rest on them.
	Kept int
}

// Keys holds one issuer's current key set. Readers never wait: they take a snapshot. The zero Keys is ready for use and
// has no keys. It must not be copied.
type Keys struct {
	replacing sync.Mutex // Held by Replace and Purge, so that no two of them start from the same set.
	current   atomic.Pointer[KeySet]
	purged    []Purged // By replacing.
}

// Replace makes keys the current set, fetched at that time. A key that is there already (same kid, alg, algorithms and
// thumbprint) stays the *token.Key that it is, so that verdicts under it live on. Keys that are no longer there are
// withdrawn: when Replace has returned, no token verifies under them and no verdict reached under them is usable, those
// of verifications in flight included. Keys takes ownership of what it is given, but not of the slice.
//
// A key that was purged is left out, and counts as none of the Change; a set of which nothing else is left is empty.
//
// An error wraps ErrKeys and changes nothing: a set is never replaced by an empty one.
func (k *Keys) Replace(keys []*token.Key, at time.Time) (Change, error) {
	if len(keys) == 0 {
		return Change{}, fmt.Errorf("%w: no keys", ErrKeys)
	}
	k.replacing.Lock()
	defer k.replacing.Unlock()
	before := k.Snapshot()
	var change Change
	next := make([]*token.Key, 0, len(keys))
	for _, key := range keys {
		if k.isPurged(key) {
			continue
		}
		if known := slices.IndexFunc(before.keys, func(old *token.Key) bool { return same(old, key) }); known >= 0 {
			key = before.keys[known]
			change.Kept++
		} else {
			change.Added++
		}
		if key.Withdrawn() {
			return Change{}, fmt.Errorf("%w: a key was withdrawn", ErrKeys)
		}
		next = append(next, key)
	}
	// First the swap, then the withdrawals: a verification that starts after the swap cannot find a removed key, and
	// one that found it before sees, at the latest when its verdict is used, that the key is withdrawn.
	k.current.Store(newKeySet(next, at))
	for _, old := range before.keys {
		if !slices.Contains(next, old) {
			old.Withdraw()
			change.Removed++
		}
	}
	return change, nil
}

// same reports whether two keys are one and the same, bound alike.
func same(a, b *token.Key) bool {
	return a == b || (a.ID() == b.ID() && a.Algorithm() == b.Algorithm() && a.Thumbprint() == b.Thumbprint() &&
		slices.Equal(a.Algorithms(), b.Algorithms()))
}

// Snapshot returns the current set, never nil.
func (k *Keys) Snapshot() *KeySet {
	if s := k.current.Load(); s != nil {
		return s
	}
	return &KeySet{}
}

// Key looks the key up in the current set. See KeySet.Key.
func (k *Keys) Key(kid, alg string) (*token.Key, error) { return k.Snapshot().Key(kid, alg) }

// Age returns how long before now the current set was fetched; ok is false where there is none.
func (k *Keys) Age(now time.Time) (age time.Duration, ok bool) {
	s := k.Snapshot()
	if s.Len() == 0 {
		return 0, false
	}
	return now.Sub(s.fetchedAt), true
}
