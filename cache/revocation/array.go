package revocation

import (
	"iter"
	"math/bits"
	"sync/atomic"
)

// An array is a table that only ever fills. Its slots are dense, in chunks, in the order of their arrival; an index of
// open addressing says where they are. The index consists of lines of the size of a cache line, with sixteen marks
// each: 14 bits of the digest (the tag, never 0) and 18 bits that number the slot; 0 is no mark. A line is filled in
// order, and what finds it full goes on to the next. Lines have nine marks on average when an array is new and twelve
// when it is replaced. Look-ups come here only for what the filter suspects.
//
// A slot is three words: the digest's quick and sure halves, and until<<32 | before. It is written in full before its
// mark is published by an atomic store, and a reader touches it only after it has seen the mark, so the halves need no
// atomics of their own. One writer at a time, under the shard's lock.
type array struct {
	lines  []line
	chunks []*chunk // Shared with the arrays before and after; each place is filled once, by the writer.
	used   int      // The writer's own.
}

type (
	line  [8]uint64
	chunk [chunkSlots]slot
	slot  struct{ quick, sure, times uint64 }
)

const (
	chunkSlots = 128
	chunkBytes = chunkSlots * 24
	lineBytes  = 64
	// maxSlots is what a mark can number.
	maxSlots = 1 << slotBits
	slotBits = 18

	roomyMarks = 9
	fullMarks  = 12
)

// newArray returns an array with empty lines for n slots and some to spare, and no chunks. n is at least 1.
func newArray(n int) *array {
	lines := (n + roomyMarks - 1) / roomyMarks
	return &array{
		lines:  make([]line, lines),
		chunks: make([]*chunk, (min(lines*fullMarks, maxSlots)+chunkSlots-1)/chunkSlots),
	}
}

// full reports whether the array has to be replaced by a roomier one before it takes another slot. As long as it is
// heeded some line is not full, and every search ends.
func (a *array) full() bool { return a.used >= fullMarks*len(a.lines) }

// slots yields those in use, none where the array is nil. The caller holds the shard's mu.
func (a *array) slots() iter.Seq[*slot] {
	return func(yield func(*slot) bool) {
		if a == nil {
			return
		}
		for n := range a.used {
			if !yield(a.slot(n)) {
				return
			}
		}
	}
}

func (a *array) slot(i int) *slot { return &a.chunks[i/chunkSlots][i%chunkSlots] }

// home is the line at which the search for a digest begins. spread is the quick half without the bits that chose the
// shard.
func (a *array) home(spread uint64) int {
	l, _ := bits.Mul64(spread, uint64(len(a.lines)))
	return int(l)
}

// Marks are two to a word.
const (
	markBits = 32
	tagWidth = markBits - slotBits
	everyOne = 1<<markBits | 1
	slotMask = maxSlots - 1
	tagOnes  = maxSlots * everyOne
	tagHighs = 1 << (markBits - 1) * everyOne
	lastMark = (1<<markBits - 1) << markBits
)

// tagOf takes bits that have hardly any part in the choice of shard and line. It is in both halves of the word.
func tagOf(quick uint64) uint64 {
	return max(quick&(1<<tagWidth-1), 1) << slotBits * everyOne
}

// compare has the high bit set of each mark in a word that has the tag, and other bits at random. The upper mark's may
// be set in vain when the lower one matches; the slot will show. A mark's tag is zero in x where the tags are equal, and
// only then does taking one from it reach its high bit; the slot's number below it does no harm.
func compare(word, tags uint64) uint64 {
	x := word ^ tags
	return (x - tagOnes) &^ x
}

// find calls same on every slot with that quick half until it says yes, beginning at a line. It returns that slot, or
// nil and the line that has room for a new mark.
func (a *array) find(at int, quick uint64, same func(sure uint64) bool) (s *slot, room int) {
	tags := tagOf(quick)
	for {
		l := &a.lines[at]
		var last uint64
		for i := range l {
			last = atomic.LoadUint64(&l[i])
			for m := compare(last, tags) & tagHighs; m != 0; m &= m - 1 {
				mark := last >> (bits.TrailingZeros64(m) / markBits * markBits)
				if s := a.slot(int(mark & slotMask)); s.quick == quick && same(s.sure) {
					return s, at
				}
			}
		}
		// The line's last mark is missing: nothing was ever pushed on to the next.
		if last&lastMark == 0 {
			return nil, at
		}
		if at++; at == len(a.lines) {
			at = 0
		}
	}
}

// put adds a slot whose digest is not in the array, which is not full, and publishes its mark.
func (a *array) put(room int, s slot) {
	n := a.used
	c := a.chunks[n/chunkSlots]
	if c == nil {
		c = new(chunk)
		a.chunks[n/chunkSlots] = c
	}
	c[n%chunkSlots] = s
	a.mark(room, s.quick, n)
	a.used++
}

// mark sets the next mark of a line that has room.
func (a *array) mark(room int, quick uint64, n int) {
	mark := tagOf(quick)&(1<<markBits-1) | uint64(n)
	l := &a.lines[room]
	for i := range l {
		switch {
		case l[i] == 0:
			atomic.StoreUint64(&l[i], mark)
			return
		case l[i]>>markBits == 0:
			atomic.StoreUint64(&l[i], l[i]|mark<<markBits)
			return
		}
	}
	panic("BUG: no room in the line")
}

// times of a slot change together, at any moment.
func (s *slot) get() (until, before uint32) { return unpack(atomic.LoadUint64(&s.times)) }

func (s *slot) set(until, before uint32) { atomic.StoreUint64(&s.times, pack(until, before)) }

func pack(until, before uint32) uint64 { return uint64(until)<<32 | uint64(before) }

func unpack(times uint64) (until, before uint32) { return uint32(times >> 32), uint32(times) }
