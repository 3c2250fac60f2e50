package revocation

import (
	"iter"
	"sync/atomic"
)

type counters struct {
	inserted, renewed, past, refused, expired atomic.Uint64
	hits                                      [kinds]atomic.Uint64
}

// Stats is what a store has done since it was made, and what it holds. Arrays are indexed by Kind.
type Stats struct {
	// Entries are those held, by kind. Up to a sixteenth of them may be past and not swept.
	Entries [kinds]int
	// Limit is the number of entries from which on new ones are refused.
	Limit int
	// Bytes is the memory that the entries and the filter take, without what the collector has yet to free.
	Bytes int
	// Inserted counts entries that were new, Renewed those that were there, Past those that came when they were over,
	// Refused those for which there was no room, and Expired those that were freed.
	Inserted, Renewed, Past, Refused, Expired uint64
	// Hits counts the look-ups that found a token revoked, by the kind that was found first.
	Hits [kinds]uint64
}

// Total returns the number of entries of all kinds.
func (st *Stats) Total() (n int) {
	for _, k := range st.Entries {
		n += k
	}
	return n
}

// Stats returns the store's counts. They are read one after the other, while others change them. It takes the writers'
// locks, one after the other, and is meant to be called a few times a minute.
func (s *Store) Stats() Stats {
	st := Stats{
		Limit:    int(s.limit),
		Inserted: s.counters.inserted.Load(),
		Renewed:  s.counters.renewed.Load(),
		Past:     s.counters.past.Load(),
		Refused:  s.counters.refused.Load(),
		Expired:  s.counters.expired.Load(),
	}
	st.Bytes = s.filter.Load().bytes()
	for k := range kinds {
		st.Entries[k] = int(s.used[k].Load())
		st.Hits[k] = s.counters.hits[k].Load()
		for i := range s.shards[k] {
			st.Bytes += s.shards[k][i].bytes()
		}
	}
	return st
}

// Version changes after an entry was put in force or extended, and when the clock was set back. A token that was looked
// up after Version had been read, and was not revoked, is not revoked as long as Version is what it was: who keeps
// verdicts or connections need look again only when it has changed.
func (s *Store) Version() uint64 { return s.version.Load() }

// Len returns the number of entries held, as Stats.Total does.
func (s *Store) Len() int { return int(s.total.Load()) }

// Records yields every entry that is in force, once, in no order. It takes no lock: those that were there when it
// began are all in it; those that are added, extended or run out meanwhile may be in it as they were or as they are.
func (s *Store) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for k := range kinds {
			for i := range s.shards[k] {
				if !s.yieldShard(Kind(k), &s.shards[k][i], yield) {
					return
				}
			}
		}
	}
}

func (s *Store) yieldShard(kind Kind, sh *shard, yield func(Record) bool) bool {
	a := sh.array.Load()
	if a == nil {
		return true
	}
	now := s.clock.Load()
	for i := range a.lines {
		for w := range a.lines[i] {
			for word := atomic.LoadUint64(&a.lines[i][w]); word != 0; word >>= markBits {
				found := a.slot(int(word & slotMask))
				r := Record{Kind: kind}
				if r.Until, r.Before = found.get(); !inForce(r.Until, now) {
					continue
				}
				r.setHalves(found.quick, found.sure)
				if !yield(r) {
					return false
				}
			}
		}
	}
	return true
}
