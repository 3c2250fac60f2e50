package listen

import (
	"hash/maphash"
	"net/netip"
	"sync"
)

// sources counts open connections by where they come from. It holds an entry
// for each source that has one open, so the bound of connections bounds it.
type sources struct {
	max    int // zero: nothing is counted
	seed   maphash.Seed
	shards [shards]sourceShard
}

type sourceShard struct {
	mu   sync.Mutex
	open map[netip.Prefix]int
	_    [48]byte
}

func (s *sources) init(seed maphash.Seed, perSource int) {
	s.seed, s.max = seed, perSource
	for i := range s.shards {
		s.shards[i].open = make(map[netip.Prefix]int)
	}
}

// sourceOf returns whom an address counts for: itself (IPv4), or its network
// of 64 bits, since whoever has one IPv6 address has that many (RFC 6177).
func sourceOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

func (s *sources) shard(p netip.Prefix) *sourceShard {
	return &s.shards[maphash.Comparable(s.seed, p)%shards]
}

// take counts one more connection of p, unless p has all that it may have.
func (s *sources) take(p netip.Prefix) bool {
	shard := s.shard(p)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.open[p] >= s.max {
		return false
	}
	shard.open[p]++
	return true
}

// leave counts one connection of p less.
func (s *sources) leave(p netip.Prefix) {
	shard := s.shard(p)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.open[p]--; shard.open[p] <= 0 {
		delete(shard.open, p)
	}
}

// held returns how many sources have a connection open.
func (s *sources) held() int {
	n := 0
	for i := range s.shards {
		s.shards[i].mu.Lock()
		n += len(s.shards[i].open)
		s.shards[i].mu.Unlock()
	}
	return n
}
