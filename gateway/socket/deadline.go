package socket

import (
	"sync"
	"time"
)

// deadline is a write deadline that reaches package net when a write has to wait.
// Most never do: the socket takes what they bring, and setting a timer for each
// would take longer than anything else that is done about them here.
type deadline struct {
	mu      sync.Mutex
	at      time.Time // as asked for; zero for none
	armed   bool      // package net has one
	waiting bool      // a write waits, or is about to
}

// SetWriteDeadline implements net.Conn. A closed connection says so when it is
// written to.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.raw == nil {
		return c.Conn.SetWriteDeadline(t)
	}
	d := &c.due
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	switch {
	case d.waiting:
		d.armed = !t.IsZero()
		return c.Conn.SetWriteDeadline(t)
	case d.armed:
		// The next write begins without one, as if none had ever waited.
		d.armed = false
		return c.Conn.SetWriteDeadline(time.Time{})
	}
	return nil
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// passed reports whether the deadline has passed: then a write fails, whether or
// not it would have to wait.
func (d *deadline) passed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.at.IsZero() && time.Until(d.at) <= 0
}

// wait gives package net the deadline, before a write waits.
func (c *Conn) wait() {
	d := &c.due
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = true
	if !d.armed && !d.at.IsZero() {
		d.armed = c.Conn.SetWriteDeadline(d.at) == nil // else the connection is closed, and the write fails
	}
}

// waited ends what wait began.
func (d *deadline) waited() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = false
}
