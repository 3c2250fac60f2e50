package cache

import (
	"fmt"
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// maxPurged bounds what one issuer's Keys remembers as purged. None gives way to a new one: the issuer may still publish
// it, and whoever purged it was told that it stays out.
const maxPurged = 256

// Purged is a key that an operator took out of use: the key itself, by its thumbprint, whatever it is called.
type Purged struct {
	// KeyID is the name by which it was purged.
	KeyID string
	// Thumbprint is the key's RFC 7638 thumbprint.
	Thumbprint [32]byte
	// At is when.
	At time.Time
}

// Purge takes every key called kid out of the current set, and whatever is the same key under another name, withdrawn at
// once with the verdicts that rest on it, and remembers it: no Replace brings it back until it is allowed. It returns how
// many keys that were.
//
// An error wraps ErrPurgesFull and changes nothing.
func (k *Keys) Purge(kid string, at time.Time) (int, error) {
	k.replacing.Lock()
	defer k.replacing.Unlock()
	before := k.Snapshot()
	named := func(key *token.Key) bool { return key.ID() == kid }
	known := len(k.purged)
	for _, key := range before.keys {
		if named(key) {
			k.remember(Purged{KeyID: kid, Thumbprint: key.Thumbprint(), At: at})
		}
	}
	if len(k.purged) > max(known, maxPurged) {
		k.purged = k.purged[:known]
		return 0, fmt.Errorf("%w: %d are remembered", ErrPurgesFull, known)
	}
	return k.dropPurged(), nil
}

// dropPurged takes what is remembered as purged out of the current set and returns how many keys that were. The caller
// holds k.replacing.
func (k *Keys) dropPurged() int {
	before := k.Snapshot()
	var next, gone []*token.Key
	for _, key := range before.keys {
		if k.isPurged(key) {
			gone = append(gone, key)
		} else {
			next = append(next, key)
		}
	}
	if len(gone) == 0 {
		return 0
	}
	// As in Replace: first the swap, then the withdrawals.
	k.current.Store(newKeySet(next, before.fetchedAt))
	for _, key := range gone {
		key.Withdraw()
	}
	return len(gone)
}

// Allow forgets the purges made under the name kid: the next Replace may bring those keys back. It returns how many
// there were.
func (k *Keys) Allow(kid string) int {
	k.replacing.Lock()
	defer k.replacing.Unlock()
	before := len(k.purged)
	k.purged = slices.DeleteFunc(k.purged, func(p Purged) bool { return p.KeyID == kid })
	return before - len(k.purged)
}

// Purged returns what is remembered as purged, in a new slice.
func (k *Keys) Purged() []Purged {
	k.replacing.Lock()
	defer k.replacing.Unlock()
	return slices.Clone(k.purged)
}

// Remember restores purges of an earlier run, all of them. It takes no key out of the current set: it is called before
// there is one.
func (k *Keys) Remember(purged []Purged) {
	k.replacing.Lock()
	defer k.replacing.Unlock()
	for _, p := range purged {
		k.remember(p)
	}
}

// TakePurges makes purged all that is remembered as purged, and takes those keys out of the current set: those of a
// predecessor, as they are now.
func (k *Keys) TakePurges(purged []Purged) {
	k.replacing.Lock()
	defer k.replacing.Unlock()
	k.purged = slices.Clone(purged)
	k.dropPurged()
}

func (k *Keys) remember(p Purged) {
	if slices.ContainsFunc(k.purged, func(q Purged) bool { return q.Thumbprint == p.Thumbprint && q.KeyID == p.KeyID }) {
		return
	}
	k.purged = append(k.purged, p)
}

func (k *Keys) isPurged(key *token.Key) bool {
	return slices.ContainsFunc(k.purged, func(p Purged) bool { return p.Thumbprint == key.Thumbprint() })
}
