package upstream_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

func TestOneTunnelMoreThanTheBoundIsRefusedBeforeTheUpstreamIsAsked(t *testing.T) {
	t.Parallel()
	s := tunnels(2)
	f := newFront(t, setup{addresses: []string{switchingUpstream(t, echo)}, request: with(s)})
	first, second := f.upgraded(t), f.upgraded(t)
	third := f.client(t)
	third.send(upgradeHead)
	if resp, _, _ := third.read("GET"); !refused(resp, upstream.ErrTunnels) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	first.wantEcho("a")
	second.wantEcho("b")
	_ = first.Close()
	f.ended(t, 1)
	f.upgraded(t).wantEcho("c")
	if stats := s.Tunnels.Stats(); stats != (upstream.TunnelStats{Open: 2, Limit: 2, Opened: 3, Refused: 1, BytesToUpstream: 1, BytesToClient: 1}) {
		t.Errorf("%+v", stats)
	}
	if err := s.Tunnels.CloseAll(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestASideOfATunnelThatEndsLeavesTheOtherOpen(t *testing.T) {
	t.Parallel()
	t.Run("client", func(t *testing.T) {
		t.Parallel()
		f := newFront(t, setup{request: with(tunnels(1)), addresses: []string{switchingUpstream(t, func(br *bufio.Reader, conn *net.TCPConn) {
			all, err := io.ReadAll(br)
			if err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(conn, "got "+string(all))
		})}})
		c := f.upgraded(t)
		c.send("question")
		if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := c.raw(); got != "got question" || err != nil {
			t.Errorf("%q %v", got, err)
		}
		if ends := f.ended(t, 1); ends[0] != (ending{12, nil}) {
			t.Errorf("%+v", ends)
		}
	})
	t.Run("upstream", func(t *testing.T) {
		t.Parallel()
		got := make(chan string, 1)
		f := newFront(t, setup{request: with(tunnels(1)), addresses: []string{switchingUpstream(t, func(br *bufio.Reader, conn *net.TCPConn) {
			_, _ = io.WriteString(conn, "bye")
			_ = conn.CloseWrite()
			all, _ := io.ReadAll(br)
			got <- string(all)
		})}})
		c := f.upgraded(t)
		if got, err := c.raw(); got != "bye" || err != nil {
			t.Errorf("%q %v", got, err)
		}
		c.send("answer")
		_ = c.Close()
		if got := <-got; got != "answer" {
			t.Errorf("%q", got)
		}
		if ends := f.ended(t, 1); ends[0] != (ending{3, nil}) {
			t.Errorf("%+v", ends)
		}
	})
}

func TestATunnelEndsWithEitherConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		upstream func(*bufio.Reader, *net.TCPConn)
		client   func(*client)
	}{
		"client resets":   {echo, func(c *client) { _ = c.Conn.(*net.TCPConn).SetLinger(0); _ = c.Close() }},
		"upstream resets": {func(_ *bufio.Reader, conn *net.TCPConn) { _ = conn.SetLinger(0) }, func(*client) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, setup{request: with(tunnels(1)), addresses: []string{switchingUpstream(t, c.upstream)}})
			conn := f.upgraded(t)
			c.client(conn)
			if ends := f.ended(t, 1); ends[0].err == nil {
				t.Errorf("%+v", ends)
			}
			if n := f.rested(t); n != 0 {
				t.Errorf("%d connections kept", n)
			}
		})
	}
}

func TestATunnelEndsForItsReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		idle  time.Duration
		until time.Duration
		// unwanted says that it is so when it begins.
		unwanted bool

		end   func(*upstream.Tunnels, *front) error
		want  error
		count func(upstream.TunnelStats) uint64
	}{
		"silence": {idle: 30 * time.Millisecond, want: upstream.ErrTunnelIdle, count: func(s upstream.TunnelStats) uint64 { return s.Idle }},
		"expiry":  {idle: time.Minute, until: 30 * time.Millisecond, want: upstream.ErrExpired, count: func(s upstream.TunnelStats) uint64 { return s.Expired }},
		"all closed": {
			idle: time.Minute, want: upstream.ErrTunnelClosed, count: func(s upstream.TunnelStats) uint64 { return s.Closed },
			end: func(t *upstream.Tunnels, _ *front) error { return t.CloseAll(context.Background()) },
		},
		"unwanted later": {
			idle: time.Minute, want: upstream.ErrTunnelClosed, count: func(s upstream.TunnelStats) uint64 { return s.Closed },
			end: func(t *upstream.Tunnels, f *front) error {
				if n := t.Sweep(); n != 0 {
					return errors.New("swept away before anything was unwanted")
				}
				t.Unwanted(func(o upstream.Observer) bool { return o == f })
				if n := t.Sweep(); n != 1 {
					return errors.New("not swept away")
				}
				return nil
			},
		},
		"unwanted from the start": {
			idle: time.Minute, want: upstream.ErrTunnelClosed, count: func(s upstream.TunnelStats) uint64 { return s.Closed },
			unwanted: true,
		},
		"one closed": {
			idle: time.Minute, want: upstream.ErrTunnelClosed, count: func(s upstream.TunnelStats) uint64 { return s.Closed },
			end: func(t *upstream.Tunnels, f *front) error {
				if n := t.CloseWhere(func(upstream.Observer) bool { return false }); n != 0 {
					return errors.New("closed one that was not meant")
				}
				if n := t.CloseWhere(func(o upstream.Observer) bool { return o == f }); n != 1 {
					return errors.New("not closed")
				}
				return nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tunnels(1)
			s.TunnelIdle = c.idle
			ended := make(chan struct{})
			address := switchingUpstream(t, func(br *bufio.Reader, _ *net.TCPConn) {
				_, _ = io.Copy(io.Discard, br)
				close(ended)
			})
			f := newFront(t, setup{addresses: []string{address}, request: func(r *upstream.Request) {
				r.Streaming = s
				if c.until > 0 {
					r.Until = time.Now().Add(c.until)
				}
			}})
			if c.unwanted {
				s.Tunnels.Unwanted(func(o upstream.Observer) bool { return o == f })
			}
			conn := f.upgraded(t)
			if c.end != nil {
				eventually(t, "the tunnel to be open", func() bool { return s.Tunnels.Stats().Opened == 1 })
				if err := c.end(s.Tunnels, f); err != nil {
					t.Error(err)
				}
			}
			conn.wantEnd()
			<-ended
			if ends := f.ended(t, 1); !errors.Is(ends[0].err, c.want) {
				t.Errorf("%+v", ends)
			}
			if stats := s.Tunnels.Stats(); c.count(stats) != 1 || stats.Open != 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

func TestAfterCloseAllNoTunnelIsOpened(t *testing.T) {
	t.Parallel()
	s := tunnels(5)
	f := newFront(t, setup{addresses: []string{switchingUpstream(t, echo)}, request: with(s)})
	for range 3 {
		f.upgraded(t).wantEcho("x")
	}
	for range 2 { // twice is once
		if err := s.Tunnels.CloseAll(t.Context()); err != nil {
			t.Error(err)
		}
	}
	c := f.client(t)
	c.send(upgradeHead)
	if resp, _, _ := c.read("GET"); !refused(resp, upstream.ErrTunnels) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestCloseAllDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	s := tunnels(1)
	entered, release := make(chan struct{}), make(chan struct{})
	f := newFront(t, setup{request: with(s), addresses: []string{serve(t, func(conn net.Conn) {
		_, _ = bufio.NewReader(conn).ReadString('\n')
		close(entered)
		<-release
		_, _ = io.WriteString(conn, accepted)
	})}})
	c := f.client(t)
	c.send(upgradeHead)
	<-entered // an upstream is being asked for a tunnel
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Tunnels.CloseAll(over); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	if err := s.Tunnels.CloseAll(t.Context()); err != nil {
		t.Error(err)
	}
	if resp := c.head("GET"); resp.StatusCode != 101 {
		t.Errorf("%d", resp.StatusCode)
	}
	c.wantEnd() // it came too late
}

func TestATunnelNobodyTakesOverIsGivenUp(t *testing.T) {
	t.Parallel()
	s := tunnels(1)
	f := newFront(t, setup{
		addresses: []string{record(t, origin.InTurn(origin.OK(), answer(accepted))).Address()},
		timeouts:  upstream.Timeouts{Connect: time.Minute, FirstByte: time.Minute, Idle: 100 * time.Millisecond},
		wrap:      func(ln net.Listener) net.Listener { return unwritable{ln, errors.New("broken")} },
		request:   with(s),
	})
	f.client(t).send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + upgradeHead)
	if ends := f.ended(t, 1); ends[0].err == nil {
		t.Errorf("%+v", ends)
	}
	if stats := s.Tunnels.Stats(); stats.Open != 0 {
		t.Errorf("%+v", stats)
	}
}
