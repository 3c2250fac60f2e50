package upstream

import (
	"context"
	"errors"
	"sync"
)

// Tunnels keeps the tunnels of a gateway, or of a part of it, and its streams of
// server-sent events, which like them end never by themselves: these it neither
// bounds nor counts, but ends. Its methods are safe for concurrent use. Tunnels
// outlive the configuration under which they were opened, so a Tunnels does, too.
type Tunnels struct {
	limit    int64
	unwanted func(Observer) bool

	mu       sync.Mutex
	reserved int64 // open, or about to be
	open     map[*tunnel]struct{}
	events   map[*eventStream]struct{}
	closed   bool
	empty    chan struct{} // closed when closed and nothing is left
	counts   TunnelStats
}

// NewTunnels returns a Tunnels that lets at most limit tunnels be open at one
// time.
func NewTunnels(limit int) *Tunnels {
	return &Tunnels{
		limit: int64(limit), open: make(map[*tunnel]struct{}), events: make(map[*eventStream]struct{}), empty: make(chan struct{}),
	}
}

// Unwanted sets which tunnels and streams of events are to end as soon as they
// begin, and at each Sweep: those for whose Observer is returns true. It must not
// call methods of t, and is called while others wait for t.
func (t *Tunnels) Unwanted(is func(Observer) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unwanted = is
}

// Sweep closes what has become unwanted, as CloseWhere does, and returns how
// many these are. What is added meanwhile is looked at as well, so nothing that
// was unwanted before the call is left open behind it.
func (t *Tunnels) Sweep() int {
	t.mu.Lock()
	is := t.unwanted
	t.mu.Unlock()
	if is == nil {
		return 0
	}
	return t.CloseWhere(is)
}

// refusesLocked reports whether what is about to be added for done must end at
// once.
func (t *Tunnels) refusesLocked(done Observer) bool {
	return t.closed || t.unwanted != nil && t.unwanted(done)
}

// TunnelStats is a snapshot of the counters of a [Tunnels].
type TunnelStats struct {
	// Open tunnels, those that an upstream was just asked for included; there
	// may be Limit.
	Open, Limit int64
	// Opened counts tunnels that were opened, Refused requests for one at the
	// bound or after CloseAll.
	Opened, Refused uint64
	// Idle, Expired and Closed count tunnels ended for [ErrTunnelIdle],
	// [ErrExpired] and [ErrTunnelClosed].
	Idle, Expired, Closed uint64
	// BytesToUpstream and BytesToClient count what ended tunnels have carried.
	BytesToUpstream, BytesToClient uint64
}

// Stats returns the counters.
func (t *Tunnels) Stats() TunnelStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.counts
	s.Open, s.Limit = t.reserved, t.limit
	return s
}

// reserve makes room for one tunnel, before its upstream is asked: a 101 could
// not be taken back.
func (t *Tunnels) reserve() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.reserved >= t.limit {
		t.counts.Refused++
		return false
	}
	t.reserved++
	return true
}

// free gives up what reserve made.
func (t *Tunnels) free() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.freeLocked()
}

func (t *Tunnels) freeLocked() {
	t.reserved--
	t.lastLocked()
}

// lastLocked is called when something was closed or has ended. Nothing is added
// behind the last one.
func (t *Tunnels) lastLocked() {
	if t.closed && t.reserved == 0 && len(t.events) == 0 {
		close(t.empty)
	}
}

// add keeps an open tunnel, which has a reservation. One that comes after
// CloseAll, or is unwanted, is stopped at once.
func (t *Tunnels) add(tunnel *tunnel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[tunnel] = struct{}{}
	t.counts.Opened++
	if t.refusesLocked(tunnel.done) {
		tunnel.stop(ErrTunnelClosed)
	}
}

// remove counts how a tunnel ended.
func (t *Tunnels) remove(tunnel *tunnel, toUpstream, toClient int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, tunnel)
	switch {
	case errors.Is(err, ErrTunnelIdle):
		t.counts.Idle++
	case errors.Is(err, ErrExpired):
		t.counts.Expired++
	case errors.Is(err, ErrTunnelClosed):
		t.counts.Closed++
	}
	t.counts.BytesToUpstream += uint64(toUpstream)
	t.counts.BytesToClient += uint64(toClient)
	t.freeLocked()
}

// CloseWhere closes the tunnels and the streams of events for which match, given
// the Observer that their Do got, returns true, and returns how many these are. A
// stream's client has a second to take what was sent. It does not wait for
// their ends. match must not call methods of t; the observer has not been told
// of the end before match returns.
func (t *Tunnels) CloseWhere(match func(Observer) bool) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for tunnel := range t.open {
		if match(tunnel.done) {
			tunnel.stop(ErrTunnelClosed)
			n++
		}
	}
	for stream := range t.events {
		if match(stream.done) {
			stream.stop()
			n++
		}
	}
	return n
}

// CloseAll closes all tunnels and streams of events for good, both of their
// connections each, and lets no more be opened: a stream that begins later ends
// behind its head. It returns when all have ended, or with ctx's error.
func (t *Tunnels) CloseAll(ctx context.Context) error {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		t.lastLocked()
	}
	for tunnel := range t.open {
		tunnel.stop(ErrTunnelClosed)
	}
	for stream := range t.events {
		stream.stop()
	}
	t.mu.Unlock()
	select {
	case <-t.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
