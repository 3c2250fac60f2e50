package revocation

import (
	"math/bits"
	"sync/atomic"
)

// filter makes "not revoked" fast to prove, and proves nothing else: it may suspect an identifier in vain, and never
// clears one that has a slot. It is a Bloom filter in blocks of one word, for all kinds together. A digest chooses its
// word and three bits in it, so that a look-up reads one word for each identifier, and the words of ten million entries
// are 15 to 23 MB, where the index has 53 to 71. Words are in the order of the digests' top bits, so every shard number has a
// part of its own, shared by the kinds.
//
// Bits are set by whoever holds the lock of the digest's shard, and cleared by refilter alone, with the locks of that
// number's shards of all kinds.
type filter struct {
	words []uint64
	part  int // Words for each shard number.
	// capacity is the number of entries from which on the next filter, a roomier one, is due.
	capacity int64
	// next is the filter that is being filled to replace this one. Writers set their bits in both.
	next atomic.Pointer[filter]
}

const (
	// filterBits is the number of bits an entry has at capacity: of the identifiers that are not in the store, one or two
	// in a hundred are suspected then.
	filterBits = 12
	wordBits   = 64
	// filterPart is the least number of words of a part: a cache line.
	filterPart = 8
)

func newFilter(shardBits uint, entries int64) *filter {
	part := max(int((entries*filterBits/wordBits+1)>>shardBits)+1, filterPart)
	words := make([]uint64, part<<shardBits)
	adviseHugePages(words)
	return &filter{words: words, part: part, capacity: int64(len(words)) * wordBits / filterBits}
}

func (f *filter) bytes() int { return len(f.words) * (wordBits / 8) }

// word is the one that a digest chooses. The top bits choose the part, for the parts are of one length.
func (f *filter) word(quick uint64) *uint64 {
	w, _ := bits.Mul64(quick, uint64(len(f.words)))
	return &f.words[w]
}

// maskOf takes bits that have no part in the choice of the word.
func maskOf(quick uint64) uint64 {
	return 1<<(quick%wordBits) | 1<<(quick>>6%wordBits) | 1<<(quick>>12%wordBits)
}

// place is where a digest's bits are.
type place struct {
	word  *uint64
	mask  uint64
	quick uint64
	kind  Kind
}

func (f *filter) place(quick uint64, kind Kind) place {
	return place{word: f.word(quick), mask: maskOf(quick), quick: quick, kind: kind}
}

// absent reports whether the filter proves that the digest is not in the store.
func (p *place) absent() bool { return p.mask&^atomic.LoadUint64(p.word) != 0 }

// note sets a digest's bits. The caller holds the lock of the digest's shard.
func (f *filter) note(quick uint64) {
	atomic.OrUint64(f.word(quick), maskOf(quick))
	if next := f.next.Load(); next != nil {
		atomic.OrUint64(next.word(quick), maskOf(quick))
	}
}

// widen replaces the filter if it is too small for so many entries. Who finds somebody else at work on it goes on: a
// filter that is too full is slow and nothing worse.
func (s *Store) widen(entries int64) {
	entries = min(entries, s.limit) // What writers beyond the limit bring will be refused.
	if entries <= s.filter.Load().capacity || !s.upkeep.TryLock() {
		return
	}
	defer s.upkeep.Unlock()
	if entries > s.filter.Load().capacity {
		s.refit(min(entries+entries/2, s.limit))
	}
}

// shrink is the part of its capacity, one in so many, at which a filter is replaced by a smaller one.
const shrink = 8

// refit replaces the filter by one for so many entries. Entries that arrive meanwhile are in both filters: each shard is
// gone through under its lock, and who takes the lock later sees next. The caller holds upkeep.
func (s *Store) refit(entries int64) {
	old, next := s.filter.Load(), newFilter(s.shardBits, entries)
	old.next.Store(next)
	for i := range 1 << s.shardBits {
		for _, kind := range Kinds() {
			sh := &s.shards[kind][i]
			sh.mu.Lock()
			for slot := range sh.array.Load().slots() {
				next.note(slot.quick)
			}
			sh.mu.Unlock()
		}
	}
	s.filter.Store(next)
}

// refilter clears the bits of entries that are gone from one part. Look-ups go on meanwhile: a word is replaced at once,
// and both the old and the new one have the bits of every slot. The caller holds upkeep.
func (s *Store) refilter(i int) {
	f := s.filter.Load()
	fresh := filter{words: make([]uint64, f.part)}
	for _, kind := range Kinds() { // In this order always; nobody else holds two.
		sh := &s.shards[kind][i]
		sh.mu.Lock()
		defer sh.mu.Unlock()
		for slot := range sh.array.Load().slots() {
			*fresh.word(slot.quick << s.shardBits) |= maskOf(slot.quick)
		}
	}
	for w := range fresh.words {
		atomic.StoreUint64(&f.words[i*f.part+w], fresh.words[w])
	}
}
