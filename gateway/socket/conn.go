package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// Conn is a connection whose Read and Write take the short way where the system
// has one, and net's where it has none, or where the connection within is no
// socket. They are safe for concurrent use as a net.Conn's are, except that Reads
// must not overlap.
type Conn struct {
	net.Conn
	raw syscall.RawConn // nil for net's way

	in      transfer
	receive func(fd uintptr) bool // made once, so that a call allocates nothing

	writing sync.Mutex
	out     transfer
	send    func(fd uintptr) bool
	due     deadline
}

// transfer is a Read or a Write under way.
type transfer struct {
	p      []byte
	n      int
	err    error
	waited bool // a Write had to
}

// New returns a Conn around c.
func New(c net.Conn) *Conn {
	s := &Conn{Conn: c}
	socket, ok := c.(syscall.Conn)
	if !ok || !short {
		return s
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return s // A closed one, which says so when it is read.
	}
	s.raw, s.receive, s.send = raw, s.in.receive, s.sendOrWait
	return s
}

// NetConn returns the connection within. Reading there is as good; writing is, but
// for the deadline, which may not be there yet.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Read implements net.Conn. It keeps no reference to p.
func (c *Conn) Read(p []byte) (int, error) {
	if c.raw == nil || len(p) == 0 {
		return c.Conn.Read(p)
	}
	c.in = transfer{p: p}
	err := c.raw.Read(c.receive)
	done := c.in
	c.in = transfer{}
	switch {
	case err != nil:
		return 0, named("read", err)
	case done.err != nil:
		return 0, c.fault("read", done.err)
	case done.n == 0:
		return 0, io.EOF
	}
	return done.n, nil
}

// Write implements net.Conn. It keeps no reference to p.
func (c *Conn) Write(p []byte) (int, error) {
	if c.raw == nil || len(p) == 0 {
		return c.Conn.Write(p)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.due.passed() {
		return 0, c.failed("write", os.ErrDeadlineExceeded)
	}
	c.out = transfer{p: p}
	err := c.raw.Write(c.send)
	done := c.out
	c.out = transfer{}
	if done.waited {
		c.due.waited()
	}
	switch {
	case err != nil:
		err = named("write", err)
	case done.err != nil:
		err = c.fault("write", done.err)
	}
	return done.n, err
}

// sendOrWait sends what the socket takes; false where the rest has to wait.
func (c *Conn) sendOrWait(fd uintptr) bool {
	if c.out.send(fd) {
		return true
	}
	c.out.waited = true
	c.wait()
	return false
}

// named gives an error that RawConn made, and nobody has seen yet, the name that
// package net has for the operation.
func named(call string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		op.Op = call
	}
	return err
}

// fault words an error of the system as package net does.
func (c *Conn) fault(call string, err error) error {
	return c.failed(call, os.NewSyscallError(call, err))
}

func (c *Conn) failed(call string, err error) error {
	return &net.OpError{Op: call, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
