package revocation

import (
	"math/bits"
	"sync/atomic"
)

// An array is an open-addressing table whose slots are only ever filled, never emptied. Slots come in groups of eight.
// A group has a control word with one byte for each of its slots: 0 for an empty one, else a tag, a byte of the digest.
// Most look-ups end at a control word.
//
// A slot is three words: the digest's quick and sure halves, and until<<32 | before. It is written in full before its
// tag is published by an atomic store, and a reader touches it only after it has seen the tag, so the halves need no
// atomics of their own. Slots of a group are filled in order. One writer at a time, under the shard's lock.
type array struct {
	controls []uint64
	slots    []uint64
	used     int // The writer's own.
}

const (
	groupSlots = 8
	slotWords  = 3
	groupBytes = 8 + groupSlots*slotWords*8

	// A group is meant to have at most 7 of its 8 slots in use on average, and is laid out for 6.2.
	fullNumerator    = 7
	roomyNumerator   = 62
	roomyDenominator = 10
)

// newArray returns an array that takes n more entries at least, n > 0, with some to spare.
func newArray(n int) *array {
	groups := max(1, (n*roomyDenominator+roomyNumerator-1)/roomyNumerator)
	return &array{controls: make([]uint64, groups), slots: make([]uint64, groups*groupSlots*slotWords)}
}

// full reports whether the array should be replaced by a roomier one before it takes another entry. As long as it is
// heeded there is an empty slot somewhere, and every search ends.
func (a *array) full() bool { return a.used >= fullNumerator*len(a.controls) }

func (a *array) bytes() int { return len(a.controls) * groupBytes }

// home is the group at which the search for a digest begins. The quick half's top byte has chosen the shard.
func (a *array) home(quick uint64) uint64 {
	g, _ := bits.Mul64(quick<<shardBits, uint64(len(a.controls)))
	return g
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// tag is never 0. The low byte has no part in the choice of shard and group.
func tag(quick uint64) uint64 { return max(quick&0xff, 1) }

// matches marks, by their high bit, the bytes of a control word that equal a tag; a byte above one that does may be
// marked although it differs, which the slot will show.
func matches(control, tag uint64) uint64 {
	x := control ^ tag*everyByte
	return (x - everyByte) &^ x & highBits
}

// probe is a search under way: the group it is at, that group's control word, and the slots in it still to be looked at.
type probe struct {
	group, control, pending uint64
}

func (a *array) begin(quick uint64) probe {
	g := a.home(quick)
	c := atomic.LoadUint64(&a.controls[g])
	return probe{group: g, control: c, pending: matches(c, tag(quick))}
}

// next returns the index of the first word of the next slot with that quick half, or -1 when there is none.
func (a *array) next(p *probe, quick uint64) int {
	for {
		for p.pending != 0 {
			i := (int(p.group)*groupSlots + bits.TrailingZeros64(p.pending)/8) * slotWords
			p.pending &= p.pending - 1
			if a.slots[i] == quick {
				return i
			}
		}
		// The last slot of the group is empty: nothing was ever pushed on to the next.
		if p.control>>56 == 0 {
			return -1
		}
		if p.group++; p.group == uint64(len(a.controls)) {
			p.group = 0
		}
		p.control = atomic.LoadUint64(&a.controls[p.group])
		p.pending = matches(p.control, tag(quick))
	}
}

// find returns the index of the digest's slot, or -1 and the group that has room for it.
func (a *array) find(quick, sure uint64) (slot int, room uint64) {
	p := a.begin(quick)
	for {
		slot = a.next(&p, quick)
		if slot < 0 || a.slots[slot+1] == sure {
			return slot, p.group
		}
	}
}

// filled counts the slots in use of a group, which are its first ones.
func filled(control uint64) int { return (bits.Len64(control) + 7) / 8 }

// put fills the next slot of a group that has room. The digest must not be in the array.
func (a *array) put(group, quick, sure, times uint64) {
	control := a.controls[group]
	n := filled(control)
	i := (int(group)*groupSlots + n) * slotWords
	a.slots[i], a.slots[i+1], a.slots[i+2] = quick, sure, times
	atomic.StoreUint64(&a.controls[group], control|tag(quick)<<(8*n))
	a.used++
}

// each calls f with the first word's index of every slot in use. Concurrent puts may or may not be seen.
func (a *array) each(f func(slot int) bool) bool {
	for g := range a.controls {
		control := atomic.LoadUint64(&a.controls[g])
		for n := range filled(control) {
			if !f((g*groupSlots + n) * slotWords) {
				return false
			}
		}
	}
	return true
}

// times of a slot may change at any moment, both together.
func (a *array) times(slot int) (until, before uint32) {
	return unpack(atomic.LoadUint64(&a.slots[slot+2]))
}

func (a *array) setTimes(slot int, until, before uint32) {
	atomic.StoreUint64(&a.slots[slot+2], pack(until, before))
}

func pack(until, before uint32) uint64 { return uint64(until)<<32 | uint64(before) }

func unpack(times uint64) (until, before uint32) { return uint32(times >> 32), uint32(times) }
