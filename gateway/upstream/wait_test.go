package upstream

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// scripted is a connection whose reads meet a deadline a number of times before
// something comes. It notes by how much each deadline lies in the future.
type scripted struct {
	net.Conn
	timeouts int
	then     string
	patience []time.Duration
}

func (s *scripted) Read(p []byte) (int, error) {
	if s.timeouts > 0 {
		s.timeouts--
		return 0, os.ErrDeadlineExceeded
	}
	if s.then == "" {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, s.then)
	s.then = s.then[n:]
	return n, nil
}

func (s *scripted) SetReadDeadline(t time.Time) error {
	s.patience = append(s.patience, time.Until(t).Round(100*time.Millisecond))
	return nil
}

// pair is the two ends of a TCP connection.
func pair(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := ln.Accept()
		accepted <- c
	}()
	dialled, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs = (<-accepted).(*net.TCPConn), dialled.(*net.TCPConn)
	t.Cleanup(func() { _ = ours.Close(); _ = theirs.Close() })
	return ours, theirs
}

func scriptedWaiter(t *testing.T, s *scripted, client net.Conn) *waiter {
	t.Helper()
	from := wire.NewClientConn(s, wire.Limits{})
	if err := from.Expect([]byte("GET"), false); err != nil {
		t.Fatal(err)
	}
	return &waiter{from: from, client: client}
}

func TestAWaitIsCutIntoShortOnesAndNobodySees(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	s := &scripted{timeouts: 6, then: "HTTP/1.1 200 OK\r\n"}
	w := scriptedWaiter(t, s, here)
	now := time.Now()
	if err := w.extend(now, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 100)
	if n, err := w.Read(p); string(p[:n]) != "HTTP/1.1 200 OK\r\n" || err != nil {
		t.Errorf("%q %v", p[:n], err)
	}
	const ms = time.Millisecond
	if want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 500 * ms, 500 * ms, 500 * ms, 500 * ms}; !slices.Equal(s.patience, want) {
		t.Errorf("deadlines after %v, want %v", s.patience, want)
	}
}

func TestAWaitEndsAtItsLimit(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	for name, client := range map[string]net.Conn{"looking": here, "not looking": nil} {
		s := &scripted{timeouts: 1000}
		w := scriptedWaiter(t, s, client)
		now := time.Now()
		if err := w.extend(now, now); err != nil { // has passed
			t.Fatal(err)
		}
		if _, err := w.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		if left := 1000 - s.timeouts; left != 1 {
			t.Errorf("%s: read %d times", name, left)
		}
	}
}

// A body that is being sent is read from at the same time, and its deadlines
// interrupt.
func TestNobodyIsLookedAtBeforeAllIsSent(t *testing.T) {
	t.Parallel()
	s := &scripted{timeouts: 1, then: "HTTP"}
	w := scriptedWaiter(t, s, nil)
	now := time.Now()
	if err := w.extend(now, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if !slices.Equal(s.patience, []time.Duration{time.Hour}) {
		t.Errorf("%v", s.patience)
	}
}

// counting counts read deadlines.
type counting struct {
	net.Conn
	deadlines chan struct{}
}

func (c counting) SetReadDeadline(t time.Time) error {
	c.deadlines <- struct{}{}
	return c.Conn.SetReadDeadline(t)
}

// halving writes in two halves, when it is told to, each when a number of
// deadlines was set.
type halving struct {
	net.Conn
	deadlines chan struct{}
	halve     atomic.Bool
}

func (h *halving) Write(p []byte) (int, error) {
	if !h.halve.Load() {
		return h.Conn.Write(p)
	}
	for _, part := range [][]byte{p[:len(p)/2], p[len(p)/2:]} {
		for range 3 {
			<-h.deadlines
		}
		if _, err := h.Conn.Write(part); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// A deadline that passes inside a record of TLS must not end the connection.
func TestAWaitIsCutInsideARecordOfTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	config := server.TLS.Clone()
	server.Close()
	ours, theirs := pair(t)
	client, _ := pair(t)
	deadlines := make(chan struct{}, 100)
	handshake := &halving{Conn: theirs, deadlines: deadlines}
	secure := tls.Server(handshake, config)
	go func() {
		if err := secure.Handshake(); err != nil {
			t.Error(err)
		}
		handshake.halve.Store(true)
		_, _ = io.WriteString(secure, "HTTP/1.1 200 OK\r\n")
	}()
	from := wire.NewClientConn(tls.Client(counting{ours, deadlines}, &tls.Config{InsecureSkipVerify: true}), wire.Limits{})
	if err := from.Expect([]byte("GET"), false); err != nil {
		t.Fatal(err)
	}
	w := &waiter{from: from, client: client}
	now := time.Now()
	if err := w.extend(now, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("HTTP/1.1 200 OK\r\n"))
	if _, err := io.ReadFull(w, got); string(got) != "HTTP/1.1 200 OK\r\n" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}
