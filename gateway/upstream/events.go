package upstream

import (
	"net"
	"sync/atomic"
	"time"
)

// eventStream is what a [Tunnels] knows of a stream of server-sent events, to
// end it. No other response has one: nil is one that nobody stops.
//
// The one who streams sets deadlines all the time, so a deadline in the past
// does not stop it for sure. It looks at stopped behind each deadline that it
// sets, and stop sets its own behind stopped: one of them comes last.
type eventStream struct {
	registry *Tunnels
	client   net.Conn // for its deadlines
	upstream *conn
	done     Observer
	stopped  atomic.Bool
}

// lastWrite is how long the client of a stream that is being ended may take for
// what was sent already.
const lastWrite = time.Second

// events registers a stream of events that comes on c. One that comes after
// CloseAll, or is unwanted, is stopped at once.
func (s *Streaming) events(client net.Conn, c *conn, done Observer) *eventStream {
	if s == nil || s.Tunnels == nil {
		return nil
	}
	e := &eventStream{registry: s.Tunnels, client: client, upstream: c, done: done}
	c.in.events = e
	e.registry.mu.Lock()
	defer e.registry.mu.Unlock()
	if e.registry.refusesLocked(done) {
		e.stopped.Store(true)
	} else {
		e.registry.events[e] = struct{}{}
	}
	return e
}

// stop ends the stream, with registry.mu held.
func (e *eventStream) stop() {
	e.stopped.Store(true)
	_ = e.upstream.SetReadDeadline(past)
	_ = e.client.SetWriteDeadline(time.Now().Add(lastWrite))
}

// stopping reports whether the stream is to end. It may be called at any time.
func (e *eventStream) stopping() bool { return e != nil && e.stopped.Load() }

// leave reports whether the stream was stopped. Behind it nobody stops it any
// more: its connections may go on to others.
func (e *eventStream) leave() (stopped bool) {
	if e == nil {
		return false
	}
	t := e.registry
	t.mu.Lock()
	defer t.mu.Unlock()
	e.upstream.in.events = nil
	if _, registered := t.events[e]; registered {
		delete(t.events, e)
		t.lastLocked()
	}
	return e.stopped.Load()
}
