package socket_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/socket"
)

// pair returns the two ends of a connection: one by this package, and the other
// as package net has it.
func pair(t testing.TB, network string) (short *socket.Conn, plain net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if plain, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	return socket.New(c), plain
}

func TestBytesArriveWholeAndInOrderBothWays(t *testing.T) {
	t.Parallel()
	// More than any socket buffer holds, so that both sides have to wait.
	sent := make([]byte, 64<<20)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(sent)
	want := sha256.Sum256(sent)
	for _, network := range []string{"tcp", "unix"} {
		short, plain := pair(t, network)
		for _, way := range []struct {
			name     string
			from, to net.Conn
		}{{"written", short, plain}, {"read", plain, short}} {
			t.Run(network+" "+way.name, func(t *testing.T) {
				failed := make(chan error, 1)
				go func() {
					n, err := way.from.Write(sent)
					if err == nil && n != len(sent) {
						err = io.ErrShortWrite
					}
					failed <- err
				}()
				got := sha256.New()
				if n, err := io.CopyN(got, way.to, int64(len(sent))); err != nil {
					t.Fatal(n, err)
				}
				if err := <-failed; err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Sum(nil), want[:]) {
					t.Error("what arrived is not what was sent")
				}
			})
		}
	}
}

// Whoever looks at an error finds what package net would have said.
func TestErrorsAreThoseOfPackageNet(t *testing.T) {
	t.Parallel()
	buf := make([]byte, 1)
	reset := func(t *testing.T, plain net.Conn) {
		t.Helper()
		if err := plain.(*net.TCPConn).SetLinger(0); err != nil { //nolint:forcetypeassert // pair made it
			t.Fatal(err)
		}
		if err := plain.Close(); err != nil {
			t.Fatal(err)
		}
	}
	fill := func(c net.Conn) (err error) {
		for block := make([]byte, 1<<20); err == nil; {
			_, err = c.Write(block)
		}
		return err
	}
	for _, c := range []struct {
		name string
		err  func(t *testing.T, short, plain net.Conn) error
		want error
		op   string
	}{
		{"the end of input", func(t *testing.T, short, plain net.Conn) error {
			if err := plain.Close(); err != nil {
				t.Fatal(err)
			}
			_, err := short.Read(buf)
			return err
		}, io.EOF, ""},
		{"a reset, by a read", func(t *testing.T, short, plain net.Conn) error {
			reset(t, plain)
			_, err := short.Read(buf)
			return err
		}, syscall.ECONNRESET, "read"},
		{"a reset, by writes", func(t *testing.T, short, plain net.Conn) error {
			reset(t, plain)
			_ = fill(short) // the first may be told of the reset
			return fill(short)
		}, syscall.EPIPE, "write"},
		{"a deadline of a read", func(t *testing.T, short, _ net.Conn) error {
			if err := short.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			_, err := short.Read(buf)
			return err
		}, os.ErrDeadlineExceeded, "read"},
		{"a deadline of a write", func(t *testing.T, short, _ net.Conn) error {
			if err := short.SetWriteDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			return fill(short)
		}, os.ErrDeadlineExceeded, "write"},
		{"a read of a closed connection", func(t *testing.T, short, _ net.Conn) error {
			if err := short.Close(); err != nil {
				t.Fatal(err)
			}
			_, err := short.Read(buf)
			return err
		}, net.ErrClosed, "read"},
		{"a write to a closed connection", func(t *testing.T, short, _ net.Conn) error {
			if err := short.Close(); err != nil {
				t.Fatal(err)
			}
			_, err := short.Write(buf)
			return err
		}, net.ErrClosed, "write"},
		{"a connection that is closed under a read", func(t *testing.T, short, _ net.Conn) error {
			failed := make(chan error, 1)
			go func() {
				_, err := short.Read(buf)
				failed <- err
			}()
			if err := short.Close(); err != nil {
				t.Fatal(err)
			}
			return <-failed
		}, net.ErrClosed, "read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			short, plain := pair(t, "tcp")
			err := c.err(t, short, plain)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v; want %v", err, c.want)
			}
			op, is := errors.AsType[*net.OpError](err)
			if c.op != "" && (!is || op.Op != c.op) {
				t.Errorf("%#v; want a *net.OpError of %q", err, c.op)
			}
			var timeout net.Error
			if late := errors.As(err, &timeout) && timeout.Timeout(); late != errors.Is(c.want, os.ErrDeadlineExceeded) {
				t.Errorf("%v: Timeout() is %t", err, late)
			}
		})
	}
}

func TestWhatWasReadBeforeADeadlineStays(t *testing.T) {
	t.Parallel()
	short, plain := pair(t, "tcp")
	buf := make([]byte, 16)
	if err := short.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := short.Read(buf); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(n, err)
	}
	if err := short.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Write([]byte("later")); err != nil {
		t.Fatal(err)
	}
	if n, err := short.Read(buf); string(buf[:n]) != "later" || err != nil {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

// A write in parts must not let another one in between.
func TestWritesOfSeveralGoroutinesStayWhole(t *testing.T) {
	t.Parallel()
	const writers, size = 8, 1 << 20
	short, plain := pair(t, "tcp")
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			if _, err := short.Write(bytes.Repeat([]byte{byte('a' + i)}, size)); err != nil {
				t.Error(err)
			}
		})
	}
	block := make([]byte, size)
	for range writers {
		if _, err := io.ReadFull(plain, block); err != nil {
			t.Fatal(err)
		}
		if len(bytes.Trim(block, string(block[:1]))) > 0 {
			t.Error("one write stands within another")
		}
	}
	all.Wait()
}

func TestWhatIsNoSocketIsReadAndWrittenAllTheSame(t *testing.T) {
	t.Parallel()
	a, z := net.Pipe()
	defer z.Close()
	short := socket.New(a)
	defer short.Close()
	go func() { _, _ = io.Copy(z, z) }()
	if _, err := short.Write([]byte("xin chào")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	if n, err := short.Read(buf); string(buf[:n]) != "xin chào" || err != nil {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if short.NetConn() != a {
		t.Error("NetConn is another connection")
	}
}

func TestNoBytesAreNoEnd(t *testing.T) {
	t.Parallel()
	short, _ := pair(t, "tcp")
	if n, err := short.Read(nil); n != 0 || err != nil {
		t.Errorf("Read(nil): %d, %v", n, err)
	}
	if n, err := short.Write(nil); n != 0 || err != nil {
		t.Errorf("Write(nil): %d, %v", n, err)
	}
}
