package logout

import (
	"crypto/sha256"
	"sync"
)

// memory holds the digests of the logouts that were accepted last. It is safe
// for concurrent use.
type memory struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]struct{}
	ring [][sha256.Size]byte // in the order of their acceptance, from next on
	next int
}

func (m *memory) has(d [sha256.Size]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.seen[d]
	return ok
}

// add forgets the oldest for the newest where there are as many as limit.
func (m *memory) add(d [sha256.Size]byte, limit int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.seen[d]; ok {
		return
	}
	if m.seen == nil {
		m.seen = make(map[[sha256.Size]byte]struct{})
	}
	m.seen[d] = struct{}{}
	if len(m.ring) < limit {
		m.ring = append(m.ring, d)
		return
	}
	delete(m.seen, m.ring[m.next])
	m.ring[m.next] = d
	m.next = (m.next + 1) % len(m.ring)
}
