package listen

import (
	"net"
	"syscall"
	"time"
)

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// Await implements [wire.Idler].
func (c *Conn) Await(waits bool) { c.awaits.Store(waits) }

// Park implements [wire.Idler].
func (c *Conn) Park(requests uint64) { c.park(c, requests) }

// park leaves the connection to a goroutine that has nothing but a small stack
// of its own. Outer is c, or TLS around it.
func (c *Conn) park(outer net.Conn, requests uint64) {
	c.earlier.Add(requests)
	go c.sleep(outer)
}

// sleep waits for the client to speak, and has the connection served then. One
// that stays silent for as long as was asked for, or while connections drain,
// is closed.
func (c *Conn) sleep(outer net.Conn) {
	r := c.registry
	r.parked.Add(1)
	speaks := c.await()
	r.parked.Add(-1)
	if !speaks || r.cfg.Serve == nil {
		_ = outer.Close()
		return
	}
	r.resumed.Add(1)
	r.cfg.Serve(c.checked(outer))
}

// await waits for input without a buffer for it, and reports whether there is
// some.
func (c *Conn) await() bool {
	socket, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	c.mu.Lock()
	c.resting = true
	c.set = c.want
	if c.registry.draining.Load() {
		c.set = past
	}
	_ = c.Conn.SetReadDeadline(c.set)
	c.mu.Unlock()
	var p peek
	err = raw.Read(p.look)
	c.mu.Lock()
	c.resting = false
	c.mu.Unlock()
	if err != nil {
		// The time was up, perhaps before anybody looked: what came in time is
		// served all the same.
		_ = raw.Control(func(fd uintptr) { p.look(fd) })
	}
	return p.input
}

// hurry ends the wait of a silent client, while connections drain.
func (c *Conn) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.resting:
		c.set = past
		_ = c.Conn.SetReadDeadline(past)
	case c.reading:
		c.apply()
	}
}
