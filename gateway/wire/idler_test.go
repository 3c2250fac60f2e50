package wire

import (
	"errors"
	"io"
	"testing"
)

// idleConn is a scripted Idler.
type idleConn struct {
	scriptedConn
	waits  bool
	awaits []bool // how each read was announced
	parked []uint64
}

func (c *idleConn) Await(waits bool) { c.waits = waits }
func (c *idleConn) Park(n uint64)    { c.parked = append(c.parked, n) }

func (c *idleConn) Read(p []byte) (int, error) {
	c.awaits = append(c.awaits, c.waits)
	return c.scriptedConn.Read(p)
}

func TestSilentClientIsParkedOnceAndNotClosed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sent string
		n    uint64
	}{
		"before a request": {"", 0},
		"after one":        {passingRequests[0], 1},
		"after three":      {passingRequests[0] + passingRequests[0] + passingRequests[0], 3},
	} {
		c := &idleConn{scriptedConn: scriptedConn{data: []byte(tc.sent), end: timeoutError{}}}
		s := NewServerConn(c, Limits{})
		out, err := readAll(s)
		if !errors.Is(err, io.EOF) || string(out) != tc.sent {
			t.Errorf("%s: %q %v", name, out, err)
		}
		reads := c.reads
		if n, err := s.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) || c.reads != reads {
			t.Errorf("%s: it is read again: %d %v", name, n, err)
		}
		for range 3 {
			if err := s.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if c.closed || len(c.parked) != 1 || c.parked[0] != tc.n {
			t.Errorf("%s: closed %v, parked %v", name, c.closed, c.parked)
		}
		if c.waits {
			t.Errorf("%s: it still waits", name)
		}
	}
}

func TestTimeoutInsideARequestIsNoSilence(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{post[:3], post, post + "Content-Length: 5\r\n\r\nhel", "\r\n", "\r\n" + get[:2], chnk + "1\r\na\r\n0\r\n"} {
		c := &idleConn{scriptedConn: scriptedConn{data: []byte(raw), cuts: []byte{0}, end: timeoutError{}}}
		s := NewServerConn(c, Limits{})
		if _, err := readAll(s); !errors.Is(err, timeoutError{}) {
			t.Errorf("%q: %v", raw, err)
		}
		for i, waits := range c.awaits {
			if waits != (i == 0) {
				t.Errorf("%q: read %d was announced as %v", raw, i, waits)
			}
		}
		if _ = s.Close(); !c.closed || len(c.parked) > 0 {
			t.Errorf("%q: closed %v, parked %v", raw, c.closed, c.parked)
		}
	}
}

func TestOtherEndsAreNoSilence(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for _, end := range []error{io.EOF, broken} {
		c := &idleConn{scriptedConn: scriptedConn{end: end}}
		s := NewServerConn(c, Limits{})
		if _, err := readAll(s); !errors.Is(err, end) {
			t.Errorf("%v: %v", end, err)
		}
		if _ = s.Close(); !c.closed || len(c.parked) > 0 {
			t.Errorf("%v: closed %v, parked %v", end, c.closed, c.parked)
		}
	}
	c := &idleConn{scriptedConn: scriptedConn{data: []byte(get + host + "Upgrade: x\r\n\r\n"), end: timeoutError{}}}
	s := NewServerConn(c, Limits{})
	if _, err := s.Read(make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	if err := s.PassThrough(1); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(s); !errors.Is(err, timeoutError{}) || s.parked.Load() {
		t.Errorf("another protocol was parked: %v", err)
	}
}

// TestConnectionClosedFirstIsNotParked: whoever closes before the silence is
// over has the last word.
func TestConnectionClosedFirstIsNotParked(t *testing.T) {
	t.Parallel()
	c := &idleConn{scriptedConn: scriptedConn{end: timeoutError{}}}
	s := NewServerConn(c, Limits{})
	_ = s.Close()
	_, _ = readAll(s)
	if _ = s.Close(); !c.closed || len(c.parked) > 0 {
		t.Errorf("closed %v, parked %v", c.closed, c.parked)
	}
}
