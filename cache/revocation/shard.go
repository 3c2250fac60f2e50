package revocation

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// A kind's entries are spread over shards by the top bits of their digests, so that writers seldom meet, and growing and
// sweeping copy a little at a time.
type shard struct {
	array atomic.Pointer[array] // nil as long as it is empty
	mu    sync.Mutex
	_     [48]byte // A cache line each: what one shard's writer does costs no other's readers anything.
}

const (
	// Shards are as many as make their fair part of the limit no more than this, all entries being of one kind: two
	// thirds of what a slot's number can tell.
	shardEntries  = 160_000
	minShardsBits = 4
)

func shardBitsFor(limit int64) uint {
	return uint(max(bits.Len64(uint64((limit-1)/shardEntries)), minShardsBits))
}

// inForce: an entry ends at its until. The clock has whole seconds, rounded down.
func inForce(until, now uint32) bool { return until > now || until == noEnd }

// reindex gives the shard an array with the same slots and room for more. The caller holds mu.
func (sh *shard) reindex(shardBits uint, more int) {
	old := sh.array.Load()
	if old == nil {
		sh.array.Store(newArray(more))
		return
	}
	a := newArray(old.used + more)
	copy(a.chunks, old.chunks)
	for ; a.used < old.used; a.used++ {
		a.index(shardBits, a.slot(a.used).quick)
	}
	sh.array.Store(a)
}

// compact gives the shard an array of those slots alone that are in force, and returns how many it left behind. The
// caller holds mu.
func (sh *shard) compact(shardBits uint, now uint32) (dropped int) {
	old := sh.array.Load()
	keep := old.used - old.past(now)
	if keep == 0 {
		sh.array.Store(nil)
		return old.used
	}
	a := newArray(keep)
	for n := range old.used {
		s := old.slot(n)
		if until, _ := unpack(s.times); !inForce(until, now) {
			continue
		}
		if a.used%chunkSlots == 0 {
			a.chunks[a.used/chunkSlots] = new(chunk)
		}
		*a.slot(a.used) = *s
		a.index(shardBits, s.quick)
		a.used++
	}
	sh.array.Store(a)
	return old.used - a.used
}

// index marks the slot numbered used, in an array that nobody else has seen yet.
func (a *array) index(shardBits uint, quick uint64) {
	at := a.home(quick << shardBits)
	for a.lines[at][7]&lastMark != 0 {
		if at++; at == len(a.lines) {
			at = 0
		}
	}
	mark := tagOf(quick)&(1<<markBits-1) | uint64(a.used)
	l := &a.lines[at]
	for i := range l {
		if l[i] == 0 {
			l[i] = mark
			return
		}
		if l[i]>>markBits == 0 {
			l[i] |= mark << markBits
			return
		}
	}
}

// past counts the slots that are no longer in force. The caller holds the shard's mu.
func (a *array) past(now uint32) (n int) {
	for i := range a.used {
		if until, _ := unpack(a.slot(i).times); !inForce(until, now) {
			n++
		}
	}
	return n
}

// bytes is the memory that the shard's entries take.
func (sh *shard) bytes() int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	a := sh.array.Load()
	if a == nil {
		return 0
	}
	return len(a.lines)*lineBytes + (a.used+chunkSlots-1)/chunkSlots*chunkBytes
}
