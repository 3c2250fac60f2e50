package listen

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/bpf"
)

// successor listens on one port after the other's example, and answers.
type successor struct {
	*Listener
	served sync.WaitGroup
}

func succeed(t *testing.T, r *Registry, address string) *successor {
	t.Helper()
	l, err := r.Listen(t.Context(), ListenerConfig{Address: address, ReusePort: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &successor{Listener: l}
	s.served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.served.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(patience))
				if _, err := c.Read(make([]byte, 512)); err != nil {
					t.Error(err)
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			})
		}
	})
	return s
}

// TestRollingReplacementLosesNoConnection replaces one of two listeners on a
// port 50 times, under clients that open a connection for each request.
func TestRollingReplacementLosesNoConnection(t *testing.T) {
	t.Parallel()
	r := NewRegistry(Config{MaxConnections: 1 << 20})
	a := succeed(t, r, "127.0.0.1:0")
	address := a.Addr().String()
	b := succeed(t, r, address)
	done := make(chan struct{})
	var clients sync.WaitGroup
	var requests, failed atomic.Int64
	for range 256 { // most of them wait to send a SYN again
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := once(address); err != nil {
					failed.Add(1)
					t.Error(err)
				}
				requests.Add(1)
			}
		})
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 50 {
		for before := requests.Load(); requests.Load() < before+40; {
			<-tick.C
		}
		next := succeed(t, r, address)
		if err := a.quiesce(t.Context(), 20*time.Millisecond, time.Second); err != nil {
			t.Error(err)
		}
		a.served.Wait()
		a, b = b, next
	}
	close(done)
	clients.Wait()
	_ = a.Close()
	_ = b.Close()
	a.served.Wait()
	b.served.Wait()
	t.Logf("50 replacements, %d requests on new connections, %d failed", requests.Load(), failed.Load())
}

// once asks for one thing on a connection of its own.
func once(address string) error {
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, request); err != nil {
		return err
	}
	answer, err := io.ReadAll(c)
	if err == nil && len(answer) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// TestQuiesceServesWhatWaitsAndHoldsOffTheRest fills the queue of a socket that
// nobody accepts from.
func TestQuiesceServesWhatWaitsAndHoldsOffTheRest(t *testing.T) {
	t.Parallel()
	r := NewRegistry(Config{MaxConnections: 64})
	l, err := r.Listen(t.Context(), ListenerConfig{Address: "127.0.0.1:0", ReusePort: true})
	if err != nil {
		t.Fatal(err)
	}
	const queued = 20
	for range queued {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if n := waiting(l.rawSocket()); n != queued {
		t.Fatalf("%d connections wait", n)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.quiesce(t.Context(), 20*time.Millisecond, patience) }()
	// While somebody waits in the queue the socket stays; new ones get no
	// answer, not even a refusal.
	late := make(chan error, 1)
	for held := false; !held; {
		c, err := net.DialTimeout("tcp", l.Addr().String(), 30*time.Millisecond)
		if err == nil {
			_ = c.Close()
			continue
		}
		var network net.Error
		if held = errors.As(err, &network) && network.Timeout(); !held {
			t.Fatal(err)
		}
	}
	go func() {
		c, err := net.DialTimeout("tcp", l.Addr().String(), patience)
		if err == nil {
			_ = c.Close()
		}
		late <- err
	}()
	accepted := 0
	for {
		c, err := l.Accept()
		if err != nil {
			break
		}
		accepted++
		_ = c.Close()
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if accepted < queued {
		t.Errorf("%d of %d were accepted", accepted, queued)
	}
	// Its SYN is sent again, and by then nobody listens.
	if err := <-late; !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end: %v", err)
	}
}

// TestQuiesceOfAnUnsharedPortRefusesAtOnce: nobody else would answer a SYN
// that is sent again.
func TestQuiesceOfAnUnsharedPortRefusesAtOnce(t *testing.T) {
	t.Parallel()
	r := NewRegistry(Config{MaxConnections: 64})
	l, err := r.Listen(t.Context(), ListenerConfig{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	queued, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer queued.Close()
	ended := make(chan error, 1)
	go func() { ended <- l.quiesce(t.Context(), patience, patience) }()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
}

func TestQuiesceIsBounded(t *testing.T) {
	t.Parallel()
	r := NewRegistry(Config{MaxConnections: 64})
	l, err := r.Listen(t.Context(), ListenerConfig{Address: "127.0.0.1:0", ReusePort: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", l.Addr().String()) // nobody ever accepts it
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := l.quiesce(t.Context(), 10*time.Millisecond, 50*time.Millisecond); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it still accepts: %v", err)
	}
}

// TestFilterDropsNothingButSYN runs the filter on every combination of flags.
func TestFilterDropsNothingButSYN(t *testing.T) {
	t.Parallel()
	vm, err := bpf.NewVM(noSYN)
	if err != nil {
		t.Fatal(err)
	}
	for flags := range 256 {
		segment := make([]byte, 20)
		segment[flagsOffset] = byte(flags)
		n, err := vm.Run(segment)
		if err != nil {
			t.Fatal(err)
		}
		opens := flags&flagSYN != 0 && flags&flagACK == 0
		if (n == 0) != opens {
			t.Errorf("flags %08b: %d bytes pass", flags, n)
		}
	}
}

func TestTwoListenersOfOnePortNeedReusePort(t *testing.T) {
	t.Parallel()
	r := NewRegistry(Config{MaxConnections: 64})
	l, err := r.Listen(t.Context(), ListenerConfig{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if second, err := r.Listen(t.Context(), ListenerConfig{Address: l.Addr().String(), ReusePort: true}); !errors.Is(err, syscall.EADDRINUSE) {
		_ = second.Close()
		t.Errorf("%v", err)
	}
}
