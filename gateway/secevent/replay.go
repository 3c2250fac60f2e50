package secevent

import (
	"crypto/sha256"
	"sync"
)

// memory remembers what was accepted, in two generations: when the younger is full, it becomes the older, which is
// forgotten. So it knows at least the last half of its size, and never more than its size.
type memory struct {
	mu             sync.Mutex
	half           int
	younger, older map[[sha256.Size]byte]struct{}
}

func newMemory(size int) *memory {
	return &memory{half: max(1, size/2), younger: map[[sha256.Size]byte]struct{}{}}
}

func (m *memory) has(d [sha256.Size]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, young := m.younger[d]
	_, old := m.older[d]
	return young || old
}

func (m *memory) add(d [sha256.Size]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.younger) >= m.half {
		m.older, m.younger = m.younger, make(map[[sha256.Size]byte]struct{})
	}
	m.younger[d] = struct{}{}
}
