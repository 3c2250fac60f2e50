package revocation

import (
	"context"
	"time"
)

// Advance tells the store what time it is. Entries whose Until is not after now are out of force from here on, and back
// in force if the clock is set back before they were swept.
func (s *Store) Advance(now time.Time) { s.clock.Store(uint32(min(max(now.Unix(), 0), noEnd-1))) }

// Sweep advances the clock and frees what is past, in all shards that have enough of it to be worth a copy. It locks
// out writers of one shard at a time, for as long as copying that shard takes; readers notice nothing.
func (s *Store) Sweep(now time.Time) {
	s.Advance(now)
	for i := range kinds * shards {
		s.sweep(i)
	}
}

// worthwhile is the part of a shard's entries, one in so many, that has to be past before it is copied.
const worthwhile = 16

func (s *Store) sweep(i int) {
	kind, sh := Kind(i/shards), &s.tables[i/shards][i%shards]
	if sh.array.Load() == nil {
		return
	}
	now := s.clock.Load()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	a := sh.array.Load()
	past := a.used - sh.remaining(now)
	if past > 0 && (past*worthwhile >= a.used || s.total.Load() >= s.limit) {
		s.dropped(kind, sh.replace(now, 0))
	}
}

// Timing of Run.
const (
	tick = time.Second
	// A round of all shards takes this many ticks.
	roundTicks = 60
)

// Run keeps the time and sweeps, a sixtieth of the shards each second, until ctx is done. It returns ctx's error. One
// Run a store. An entry goes out of force within a second of its Until, and its room is free a minute later.
func (s *Store) Run(ctx context.Context) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		s.Advance(time.Now())
		for range (kinds*shards + roundTicks - 1) / roundTicks {
			s.sweep(int(s.cursor.Add(1) % uint32(kinds*shards)))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}
