package socket_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// Both ways are held to the same: what package net does is what is expected.
func TestWriteDeadlinesAreKeptAsPackageNetDoes(t *testing.T) {
	t.Parallel()
	const soon, never = 10 * time.Millisecond, time.Hour
	late := func(t *testing.T, err error) {
		t.Helper()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the write ended with", err)
		}
	}
	fill := func(c net.Conn) (err error) {
		for block := make([]byte, 1<<20); err == nil; {
			_, err = c.Write(block)
		}
		return err
	}
	set := func(t *testing.T, c net.Conn, d time.Duration) {
		t.Helper()
		var at time.Time
		if d != 0 {
			at = time.Now().Add(d)
		}
		if err := c.SetWriteDeadline(at); err != nil {
			t.Fatal(err)
		}
	}
	for name, play := range map[string]func(t *testing.T, c, other net.Conn){
		"one that passed fails what the socket would take": func(t *testing.T, c, _ net.Conn) {
			set(t, c, -time.Second)
			_, err := c.Write([]byte("late"))
			late(t, err)
			set(t, c, time.Nanosecond)
			time.Sleep(time.Millisecond)
			_, err = c.Write([]byte("late"))
			late(t, err)
		},
		"one that is lifted is forgotten, however it stood": func(t *testing.T, c, other net.Conn) {
			set(t, c, soon)
			late(t, fill(c))
			set(t, c, 0)
			go func() { _, _ = io.Copy(io.Discard, other) }()
			if n, err := c.Write(make([]byte, 8<<20)); err != nil {
				t.Fatal(n, err)
			}
		},
		"another one follows one that passed": func(t *testing.T, c, _ net.Conn) {
			for range 3 {
				set(t, c, soon)
				late(t, fill(c))
			}
		},
		"one that is set while a write waits ends it": func(t *testing.T, c, _ net.Conn) {
			set(t, c, never)
			failed := make(chan error, 1)
			go func() { failed <- fill(c) }()
			time.Sleep(5 * soon)
			set(t, c, -time.Second)
			late(t, <-failed)
		},
		"one is set while a write waits without any": func(t *testing.T, c, _ net.Conn) {
			failed := make(chan error, 1)
			go func() { failed <- fill(c) }()
			time.Sleep(5 * soon)
			if err := c.SetDeadline(time.Now().Add(soon)); err != nil {
				t.Fatal(err)
			}
			late(t, <-failed)
		},
		"a write that waits is given more time": func(t *testing.T, c, other net.Conn) {
			set(t, c, 50*soon)
			failed := make(chan error, 1)
			go func() {
				_, err := c.Write(make([]byte, 64<<20))
				failed <- err
			}()
			time.Sleep(5 * soon)
			set(t, c, never)
			time.Sleep(50 * soon)
			go func() { _, _ = io.Copy(io.Discard, other) }()
			if err := <-failed; err != nil {
				t.Fatal(err)
			}
		},
		"what was to be written is not sent behind it": func(t *testing.T, c, other net.Conn) {
			set(t, c, -time.Second)
			_, err := c.Write([]byte("late"))
			late(t, err)
			set(t, c, 0)
			if _, err := c.Write([]byte("in time")); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 64)
			if n, err := other.Read(got); string(got[:n]) != "in time" || err != nil {
				t.Fatalf("%q, %v", got[:n], err)
			}
		},
	} {
		for _, network := range []string{"tcp", "unix"} {
			t.Run(network+": "+name, func(t *testing.T) {
				t.Parallel()
				short, plain := pair(t, network)
				play(t, short, plain)
			})
			t.Run("net, "+network+": "+name, func(t *testing.T) {
				t.Parallel()
				short, plain := pair(t, network)
				play(t, plain, short)
			})
		}
	}
}

// Whoever sets deadlines and whoever writes need not know of each other.
func TestAWriteDeadlineIsNeverMissedHoweverItRacesWithTheWrite(t *testing.T) {
	t.Parallel()
	short, _ := pair(t, "tcp")
	for range 200 {
		if err := short.SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			_, err := short.Write(make([]byte, 16<<20)) // more than the socket takes
			failed <- err
		}()
		if err := short.SetWriteDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
}
