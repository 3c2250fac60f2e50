package revocation

import (
	"fmt"
	"sync/atomic"
)

// Record returns the form in which an entry is kept. It changes nothing. ErrEntry where the entry is malformed.
func (s *Store) Record(e Entry) (Record, error) {
	if err := e.validate(); err != nil {
		return Record{}, err
	}
	id := bytesOf(e.ID)
	if e.Kind == KindThumbprint {
		var err error
		if id, err = thumbprint(e.ID); err != nil {
			return Record{}, err
		}
	}
	r := Record{Kind: e.Kind, Digest: s.scopes.of(e.Issuer).digest(e.Kind, id), Until: seconds(e.Until)}
	if e.Kind.dated() {
		r.Before = noEnd
		if !e.Before.IsZero() {
			r.Before = seconds(e.Before)
		}
	}
	return r, nil
}

// Add puts entries in force. When it returns nil, every look-up that starts afterwards sees all of them. An entry that
// is past already changes nothing. A malformed one is ErrEntry, and then none of them is in force. At the limit it is
// ErrFull: those before the one refused are in force, and offering all of them again does no harm.
func (s *Store) Add(entries ...Entry) error {
	records := make([]Record, len(entries))
	for i := range entries {
		var err error
		if records[i], err = s.Record(entries[i]); err != nil {
			return err
		}
	}
	return s.AddRecords(records)
}

// AddRecords is Add for records made under the same secret. It keeps no reference to them.
func (s *Store) AddRecords(records []Record) error {
	for i := range records {
		if err := records[i].Validate(); err != nil {
			return err
		}
	}
	for i := range records {
		if i%ahead == 0 {
			s.fetch(records[i:min(i+ahead, len(records))])
		}
		if err := s.add(&records[i]); err != nil {
			s.counters.refused.Add(uint64(len(records) - i))
			return fmt.Errorf("%w: %d of %d entries refused", err, len(records)-i, len(records))
		}
	}
	return nil
}

// ahead is how many records' lines are fetched before the first of them is added.
const ahead = 16

// fetch reads, and does not use, the words and lines where records will be looked for, all of them at once: in bulk, waiting for
// memory one line after the other is most of the work.
func (s *Store) fetch(records []Record) {
	if len(records) < 2 {
		return
	}
	f := s.filter.Load()
	for i := range records {
		quick, _ := records[i].halves()
		atomic.LoadUint64(f.word(quick))
		if a := s.shard(records[i].Kind, quick).array.Load(); a != nil {
			atomic.LoadUint64(&a.lines[a.home(quick<<s.shardBits)][0])
		}
	}
}

func (s *Store) add(r *Record) error {
	now := s.clock.Load()
	if !inForce(r.Until, now) {
		s.counters.past.Add(1)
		return nil
	}
	s.widen(s.total.Load() + 1)
	quick, sure := r.halves()
	sh := s.shard(r.Kind, quick)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	a, at := sh.array.Load(), 0
	same := func(other uint64) bool { return other == sure }
	if a != nil {
		var found *slot
		if found, at = a.find(a.home(quick<<s.shardBits), quick, same); found != nil {
			s.renew(found, r, now)
			return nil
		}
		if a.used == maxSlots {
			return ErrFull // It takes a secret that is no secret: digests are spread evenly.
		}
	}
	if s.total.Add(1) > s.limit {
		s.total.Add(-1)
		return ErrFull
	}
	s.used[r.Kind].Add(1)
	if a == nil || a.full() {
		sh.reindex(s.shardBits, 1)
		a = sh.array.Load()
		_, at = a.find(a.home(quick<<s.shardBits), quick, same)
	}
	s.filter.Load().note(quick)
	a.put(at, slot{quick, sure, pack(r.Until, r.Before)})
	s.counters.inserted.Add(1)
	s.changed(r.Kind)
	return nil
}

// renew merges a record into its slot: the later of both times each. What is past has no say in it.
func (s *Store) renew(found *slot, r *Record, now uint32) {
	until, before := found.get()
	if !inForce(until, now) {
		before = 0
	}
	if newUntil, newBefore := max(until, r.Until), max(before, r.Before); newUntil != until || newBefore != before {
		found.set(newUntil, newBefore)
		s.changed(r.Kind)
	}
	s.counters.renewed.Add(1)
}

func (s *Store) dropped(kind Kind, n int) {
	s.used[kind].Add(int64(-n))
	s.total.Add(int64(-n))
	s.counters.expired.Add(uint64(n))
}

func (s *Store) changed(kind Kind) {
	s.version.Add(1)
	if kind == KindKeyID || kind == KindThumbprint {
		s.keys.version.Add(1)
	}
}

// Grow prepares for n more entries of a kind, so that loading them copies nothing. It is optional, and may be wrong.
// It never takes memory for more than the limit.
func (s *Store) Grow(kind Kind, n int) {
	n = min(n, int(s.limit-s.total.Load()), maxSlots/2<<s.shardBits)
	each := n >> s.shardBits // What a new array has to spare makes up for chance, which gives some shards more than others.
	if !kind.valid() || each == 0 {
		return
	}
	s.widen(s.total.Load() + int64(n))
	for i := range s.shards[kind] {
		sh := &s.shards[kind][i]
		sh.mu.Lock()
		sh.reindex(s.shardBits, each)
		sh.mu.Unlock()
	}
}
