package statuslist

import (
	"context"
	"sync/atomic"
)

// pageBytes is what the memory of a list is rounded up to.
const pageBytes = 8 << 10

// Memory is what all lists of all issuers share: how much of it they may take, and the one turn to read a list. Its
// methods are safe for concurrent use.
//
// Beyond its bound, the lists that are being fetched take up to Config.MaxBytes each, and the one that is being read
// three times as much.
type Memory struct {
	maxBytes int64
	used     atomic.Int64
	reading  chan struct{}
}

// NewMemory returns memory for lists of maxBytes together, unpacked.
func NewMemory(maxBytes int64) *Memory {
	return &Memory{maxBytes: maxBytes, reading: make(chan struct{}, 1)}
}

// Used returns the bytes that lists take now.
func (m *Memory) Used() int64 { return m.used.Load() }

// Limit returns the bytes that lists may take.
func (m *Memory) Limit() int64 { return m.maxBytes }

// footprint is the memory that an unpacked list of that size takes.
func footprint(size int64) int64 { return (size + 2*pageBytes - 1) / pageBytes * pageBytes }

// reserve takes room for a list of that size, or reports that there is none.
func (m *Memory) reserve(size int64) bool {
	if m.used.Add(footprint(size)) > m.maxBytes {
		m.used.Add(-footprint(size))
		return false
	}
	return true
}

// release gives back what reserve took.
func (m *Memory) release(size int64) { m.used.Add(-footprint(size)) }

// turn waits for the one turn to read a list, which takes processor time and memory that requests need, too. It reports
// false when ctx has ended.
func (m *Memory) turn(ctx context.Context) (giveBack func(), ok bool) {
	select {
	case m.reading <- struct{}{}:
		return func() { <-m.reading }, true
	case <-ctx.Done():
		return nil, false
	}
}
