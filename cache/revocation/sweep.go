package revocation

import (
	"context"
	"time"
)

// Advance tells the store what time it is. Entries whose Until is not after now are out of force from here on, and back
// in force if the clock is set back before they were swept.
func (s *Store) Advance(now time.Time) {
	to := uint32(min(max(now.Unix(), 0), noEnd-1))
	if from := s.clock.Swap(to); to < from {
		s.changed(KindKeyID) // An entry that was over may be in force again.
	}
}

// Sweep advances the clock and frees what is past, in all shards that have enough of it to be worth a copy. It locks
// out writers of one shard at a time, for as long as copying that shard takes; readers notice nothing.
func (s *Store) Sweep(now time.Time) {
	s.Advance(now)
	for i := range 1 << s.shardBits {
		s.sweep(i)
	}
}

// worthwhile is the part of a shard's entries, one in so many, that has to be past before it is copied.
const worthwhile = 16

// sweep does the i-th shard of every kind, and then their part of the filter.
func (s *Store) sweep(i int) {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	dropped := 0
	for _, kind := range Kinds() {
		dropped += s.sweepShard(kind, &s.shards[kind][i])
	}
	switch f, total := s.filter.Load(), s.total.Load(); {
	case dropped == 0:
	case f.part > filterPart && total < f.capacity/shrink:
		s.refit(2 * total)
	default:
		s.refilter(i)
	}
}

func (s *Store) sweepShard(kind Kind, sh *shard) (dropped int) {
	if s.used[kind].Load() == 0 {
		return 0
	}
	now := s.clock.Load()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	a := sh.array.Load()
	if a == nil {
		return 0
	}
	past := a.past(now)
	if past > 0 && (past*worthwhile >= a.used || s.total.Load() >= s.limit) {
		dropped = sh.compact(s.shardBits, now)
		s.dropped(kind, dropped)
	}
	return dropped
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
	all, next := 1<<s.shardBits, 0
	for {
		s.Advance(time.Now())
		for range (all + roundTicks - 1) / roundTicks {
			s.sweep(next)
			next = (next + 1) % all
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}
