package listen

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// soon parks a connection as soon as its client is silent.
const soon = 10 * time.Millisecond

func TestSilentClientIsParkedAndServedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{})
	c := r.dial()
	for i := range 5 {
		got := c.get()
		if got[0] != c.LocalAddr().String() || got[1] != []string{"0", "1", "2", "3", "4"}[i] {
			t.Errorf("request %d: %v", i, got)
		}
		r.eventually("parked", func() bool { return r.stats().Parked == 1 && r.server.GetOpenConnectionsCount() == 0 })
	}
	if s := r.stats(); s.Resumed != 4 || s.Open != 1 || s.Accepted != 1 {
		t.Errorf("%+v", s)
	}
	_ = c.Close()
	r.eventually("forgotten", func() bool { return r.stats().Open == 0 && r.stats().Parked == 0 })
	if r.stats().Resumed != 4 {
		t.Error("a client that left was served")
	}
}

func TestConnectionThatNeverSpokeIsParked(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{})
	c := r.dial()
	r.eventually("parked", func() bool { return r.stats().Parked == 1 })
	c.get()
	if r.unread.Load() != 0 {
		t.Error("a silent client was answered")
	}
}

func TestSilentClientIsClosedWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, spoke := range map[string]bool{"after a request": true, "before one": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{}, quick)
			c := r.dial()
			if spoke {
				c.get()
			}
			c.wantEnd()
			r.eventually("forgotten", func() bool { return r.stats().Open == 0 })
			if r.unread.Load() != 0 {
				t.Error("it was answered")
			}
		})
	}
}

// TestRequestMayPauseForLongerThanASilentClient: inside a request the server's
// own deadlines hold.
func TestRequestMayPauseForLongerThanASilentClient(t *testing.T) {
	t.Parallel()
	post := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhellohello"
	for name, cut := range map[string]int{"head": 10, "body": len(post) - 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{})
			c := r.dial()
			for range 2 { // as a new connection, and as a kept one
				c.send(post[:cut])
				r.passes()
				r.passes()
				if r.isParked(c) {
					t.Error("parked inside a request")
				}
				c.send(post[cut:])
				if status, _ := c.answer(); status != 200 {
					t.Error(status)
				}
			}
		})
	}
}

func TestPipelinedRequestsAreServedBeforeParking(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{})
	c := r.dial()
	for range 3 {
		c.send(strings.Repeat(request, 50))
		for range 50 {
			if status, _ := c.answer(); status != 200 {
				t.Fatal(status)
			}
		}
		r.eventually("parked", func() bool { return r.stats().Parked == 1 })
	}
	if got := c.get(); got[1] != "150" {
		t.Errorf("%v requests before, want 150", got[1])
	}
}

// TestRequestsThatComeAsTheClientIsParkedAreServed aims at the moment of
// parking, from all sides.
func TestRequestsThatComeAsTheClientIsParkedAreServed(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{ParkAfter: time.Millisecond}, ListenerConfig{})
	done := make(chan struct{})
	for n := range 8 {
		c := r.dial()
		go func() {
			defer func() { done <- struct{}{} }()
			timer := time.NewTimer(0)
			defer timer.Stop()
			for i := range 200 {
				timer.Reset(time.Duration(800+(i*n)%400) * time.Microsecond)
				<-timer.C
				if _, err := io.WriteString(c, request); err != nil {
					t.Error(err)
					return
				}
				if b, err := c.in.ReadString('\n'); err != nil || !strings.Contains(b, "200") {
					t.Errorf("%q %v", b, err)
					return
				}
				for line := ""; line != "\r\n"; {
					var err error
					if line, err = c.in.ReadString('\n'); err != nil {
						t.Error(err)
						return
					}
				}
				_, _ = c.in.Discard(c.in.Buffered())
			}
		}()
	}
	for range 8 {
		<-done
	}
	s := r.stats()
	t.Logf("1600 requests, %d of them by clients that were parked", s.Resumed)
	if s.Resumed == 0 || r.requests.Load() != 1600 {
		t.Errorf("%+v, %d requests", s, r.requests.Load())
	}
}

func TestCloseIdleClosesSilentClientsAndServesWhatCame(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"parked": soon, "not parked": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Config{ParkAfter: after}, ListenerConfig{})
			spoke, never, busy := r.dial(), r.dial(), r.dial()
			spoke.get()
			busy.get()
			if after == soon {
				r.eventually("parked", func() bool { return r.stats().Parked == 3 })
			} else {
				r.eventually("accepted", func() bool { return r.stats().Open == 3 })
			}
			busy.send(request[:20])
			r.eventually("the busy one reads", func() bool { return r.stats().Resumed == 1 || after != soon })
			r.CloseIdle()
			spoke.wantEnd()
			never.wantEnd()
			busy.send(request[20:])
			if status, _ := busy.answer(); status != 200 {
				t.Error(status)
			}
			busy.wantEnd()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := r.Wait(ctx); err != nil || r.unread.Load() != 0 {
				t.Error(err, r.unread.Load())
			}
		})
	}
}

// TestInputBehindAPassedDeadlineIsServed: the runtime does not look at a socket
// whose deadline has passed.
func TestInputBehindAPassedDeadlineIsServed(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{})
	c := r.dial()
	c.get()
	r.eventually("parked", func() bool { return r.stats().Parked == 1 })
	r.draining.Store(true) // as CloseIdle does before it looks at connections
	c.send(request)
	if status, _ := c.answer(); status != 200 {
		t.Error(status)
	}
	r.each((*Conn).hurry)
	c.wantEnd()
}

func TestWithoutServeNothingIsParked(t *testing.T) {
	t.Parallel()
	r := NewRegistry(Config{MaxConnections: 1})
	if r.pause() != 0 {
		t.Error("a silent client's read ends")
	}
	r.draining.Store(true)
	if r.pause() != drainPause {
		t.Error("a silent client's read does not end in a drain")
	}
}

var (
	_ wire.Idler = (*Conn)(nil)
	_ wire.Idler = (*secured)(nil)
)
