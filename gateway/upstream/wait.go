package upstream

import (
	"net"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// Bounds of how often a client is looked at that waits for its upstream. Nothing
// is done for an upstream that sends within firstLook, which is nearly every one;
// after that the time between two looks doubles up to mostBetweenLooks. So a
// client that left is noticed within half a second, at a cost, for ten thousand
// that wait, of twenty thousand small system calls a second.
const (
	firstLook        = 100 * time.Millisecond
	mostBetweenLooks = 500 * time.Millisecond
)

// waiter reads from an upstream. While a client waits for what comes, it looks
// from time to time whether the client is still there: fasthttp does not tell
// its handler, and an upstream that works for nobody is work lost, and a
// connection that others could use.
//
// It does so between reads of its own, by short read deadlines: no goroutine
// watches, and those who read through it see none of these deadlines.
type waiter struct {
	from *wire.ClientConn
	// client is looked at; nil for nobody. It may be set only by the one who
	// reads.
	client net.Conn
	// limit ends the wait.
	limit time.Time
	pause time.Duration
	look  *look // at client; nil until it is needed
	// events is what may end the wait from outside, nil for nothing. It may be
	// set only by the one who reads.
	events *eventStream
}

// extend lets the upstream have until limit, from now on, for its next byte.
func (w *waiter) extend(now, limit time.Time) error {
	w.limit = limit
	if w.client == nil || limit.Sub(now) <= firstLook {
		return w.from.SetReadDeadline(limit)
	}
	w.pause = firstLook
	return w.from.SetReadDeadline(now.Add(firstLook))
}

// attend says that client waits for what is read, nil that nobody does. The next
// extend counts.
func (w *waiter) attend(client net.Conn) { w.client, w.look = client, nil }

// Read implements io.Reader. It fails with ErrClientGone when nobody waits any
// more, and with ErrTunnelClosed when what reads is being ended.
func (w *waiter) Read(p []byte) (int, error) {
	for {
		// Behind every deadline: a stop that is not seen here comes later, and
		// sets its own.
		if w.events.stopping() {
			return 0, ErrTunnelClosed
		}
		n, err := w.from.Read(p)
		if n == 0 && err != nil && w.events.stopping() {
			return 0, ErrTunnelClosed
		}
		if n > 0 || err == nil || w.client == nil || !isTimeout(err) {
			return n, err
		}
		now := time.Now()
		if !now.Before(w.limit) {
			return 0, err
		}
		if w.look == nil {
			w.look = newLook(w.client)
		}
		if w.look.gone() {
			return 0, ErrClientGone
		}
		w.pause = min(2*w.pause, mostBetweenLooks)
		if err := w.from.SetReadDeadline(now.Add(min(w.pause, w.limit.Sub(now)))); err != nil {
			return 0, err
		}
	}
}

// connBelow returns c, or the first connection below it, that is a T.
func connBelow[T any](c net.Conn) (found T, ok bool) {
	for c != nil {
		if found, ok = c.(T); ok {
			return found, true
		}
		switch outer := c.(type) {
		case interface{ NetConn() net.Conn }:
			c = outer.NetConn()
		case interface{ Raw() net.Conn }: // go-proxyproto's
			c = outer.Raw()
		default:
			return found, false
		}
	}
	return found, false
}
