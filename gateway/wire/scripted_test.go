package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// scriptedConn is a connection whose input is fixed: data, handed out in pieces
// that end at the cuts, then end. It counts reads after the end.
type scriptedConn struct {
	data   []byte
	cuts   []byte // sizes of the pieces, repeated; empty: all at once
	end    error  // nil means io.EOF
	offset int
	piece  int
	reads  int
	closed bool
}

func (c *scriptedConn) Read(p []byte) (int, error) {
	c.reads++
	if c.offset == len(c.data) {
		if c.end != nil {
			return 0, c.end
		}
		return 0, io.EOF
	}
	n := len(c.data) - c.offset
	if len(c.cuts) > 0 {
		n = min(n, 1+int(c.cuts[c.piece%len(c.cuts)]))
		c.piece++
	}
	n = copy(p, c.data[c.offset:c.offset+n])
	c.offset += n
	return n, nil
}

func (c *scriptedConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *scriptedConn) Close() error                     { c.closed = true; return nil }
func (c *scriptedConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *scriptedConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *scriptedConn) SetDeadline(time.Time) error      { return nil }
func (c *scriptedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *scriptedConn) SetWriteDeadline(time.Time) error { return nil }

// readAll reads c to its error.
func readAll(c io.Reader) ([]byte, error) {
	var out []byte
	p := make([]byte, 4096)
	for {
		n, err := c.Read(p)
		out = append(out, p[:n]...)
		if err != nil {
			return out, err
		}
	}
}

// refusedAt checks that out is a prefix of in that ends before the byte at
// index bad at the latest, but for a poison byte in that place.
func refusedAt(t *testing.T, in, out []byte, err error, want Reason) {
	t.Helper()
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("error is %v, want a refusal for %v", err, want)
	}
	if refusal.Reason != want {
		t.Fatalf("refused for %v, want %v (released %q)", refusal.Reason, want, out)
	}
	if !errors.Is(err, want) {
		t.Fatalf("errors.Is(%v, %v) is false", err, want)
	}
	if bytes.HasPrefix(in, out) {
		if len(out) == len(in) {
			t.Fatalf("all of %q was released", in)
		}
		return
	}
	last := len(out) - 1
	if last < 0 || !bytes.HasPrefix(in, out[:last]) || out[last] != poison {
		t.Fatalf("released %q, which is no prefix of %q", out, in)
	}
}
