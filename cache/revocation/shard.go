package revocation

import (
	"sync"
	"sync/atomic"
)

// A kind's entries are spread over shards by the top byte of their digests, so that writers seldom meet and growing
// copies a little at a time.
const (
	shardBits = 8
	shards    = 1 << shardBits
)

// shard is one part of a kind's entries. Its array is nil as long as it is empty.
type shard struct {
	array atomic.Pointer[array]
	mu    sync.Mutex
	_     [48]byte // A cache line each: what one shard's writer does costs no other's readers anything.
}

type table [shards]shard

func (t *table) shard(quick uint64) *shard { return &t[quick>>(64-shardBits)] }

// inForce: an entry ends at its until. The clock has whole seconds, rounded down.
func inForce(until, now uint32) bool { return until > now || until == noEnd }

// replace gives the shard an array without the entries that are past, and with room for more. It returns how many it
// left behind. The caller holds mu.
func (sh *shard) replace(now uint32, more int) (dropped int) {
	old := sh.array.Load()
	if old == nil {
		if more > 0 {
			sh.array.Store(newArray(more))
		}
		return 0
	}
	keep := sh.remaining(now)
	if keep+more == 0 {
		sh.array.Store(nil)
		return old.used
	}
	a := newArray(keep + more)
	for g, control := range old.controls {
		for n := range filled(control) {
			i := (g*groupSlots + n) * slotWords
			if until, _ := unpack(old.slots[i+2]); inForce(until, now) {
				a.place(old.slots[i], old.slots[i+1], old.slots[i+2])
			}
		}
	}
	sh.array.Store(a)
	return old.used - a.used
}

// place is put for an array that nobody else has seen yet, and a digest that is not in it.
func (a *array) place(quick, sure, times uint64) {
	g := a.home(quick)
	for a.controls[g]>>56 != 0 {
		if g++; g == uint64(len(a.controls)) {
			g = 0
		}
	}
	n := filled(a.controls[g])
	i := (int(g)*groupSlots + n) * slotWords
	a.slots[i], a.slots[i+1], a.slots[i+2] = quick, sure, times
	a.controls[g] |= tag(quick) << (8 * n)
	a.used++
}

// remaining counts the entries that are not past. The caller holds mu.
func (sh *shard) remaining(now uint32) (n int) {
	a := sh.array.Load()
	if a == nil {
		return 0
	}
	a.each(func(slot int) bool {
		if until, _ := a.times(slot); inForce(until, now) {
			n++
		}
		return true
	})
	return n
}
