package upstream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

const eventsHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"

// eventsUpstream sends one event and then waits for the gateway to leave, which
// it tells in left.
func eventsUpstream(t *testing.T, framed string) (address string, left chan struct{}) {
	t.Helper()
	left = make(chan struct{}, 100)
	return serve(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		_, _ = io.WriteString(conn, eventsHead+framed)
		_, _ = io.Copy(io.Discard, br)
		left <- struct{}{}
	}), left
}

// watched is a front before one upstream of which every failure is seen.
func watched(t *testing.T, address string, s *upstream.Streaming) *front {
	t.Helper()
	return newFront(t, setup{addresses: []string{address}, request: with(s), config: func(g *upstream.GroupConfig) {
		g.Breaker = upstream.BreakerConfig{After: 1, For: time.Hour}
	}})
}

const (
	chunkedEvent = "Transfer-Encoding: chunked\r\n\r\n8\r\ndata:1\n\n\r\n"
	plainEvent   = "Connection: close\r\n\r\ndata:1\n\n"
)

func TestAStreamOfEventsEndsWhenItIsClosed(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*upstream.Tunnels, *front) error{
		"unwanted": func(s *upstream.Tunnels, f *front) error {
			s.Unwanted(func(o upstream.Observer) bool { return o == f })
			if n := s.Sweep(); n != 1 {
				return fmt.Errorf("swept %d away", n)
			}
			return nil
		},
		"all": func(s *upstream.Tunnels, _ *front) error { return s.CloseAll(context.Background()) },
		"one": func(s *upstream.Tunnels, f *front) error {
			none := s.CloseWhere(func(upstream.Observer) bool { return false })
			one := s.CloseWhere(func(o upstream.Observer) bool { return o == f })
			if none != 0 || one != 1 {
				return fmt.Errorf("closed %d and %d", none, one)
			}
			return nil
		},
	}
	for name, closes := range ways {
		for framing, framed := range map[string]string{"chunked": chunkedEvent, "until close": plainEvent} {
			for _, version := range []string{"1.1", "1.0"} {
				t.Run(name+" "+framing+" "+version, func(t *testing.T) {
					t.Parallel()
					address, left := eventsUpstream(t, framed)
					s := tunnels(1)
					f := watched(t, address, s)
					c := f.client(t)
					c.send("GET / HTTP/" + version + "\r\nHost: a\r\n\r\n")
					resp := c.head("GET")
					event := make([]byte, len("data:1\n\n"))
					if _, err := io.ReadFull(resp.Body, event); err != nil {
						t.Fatal(err)
					}
					if err := closes(s.Tunnels, f); err != nil {
						t.Error(err)
					}
					if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err == nil || isTimeout(err) {
						t.Errorf("the client got %q, %v: no end, or one that looks whole", rest, err)
					}
					<-left
					if ends := f.ended(t, 1); ends[0].sent != int64(len(event)) || !errors.Is(ends[0].err, upstream.ErrTunnelClosed) {
						t.Errorf("%+v", ends)
					}
					if n := f.rested(t); n != 0 {
						t.Errorf("%d connections kept", n)
					}
					if u := f.group.Stats()[0]; u.Failures != 0 || u.Up != 1 {
						t.Errorf("held against the upstream: %+v", u)
					}
					if stats := s.Tunnels.Stats(); stats != (upstream.TunnelStats{Limit: 1}) {
						t.Errorf("counted as a tunnel: %+v", stats)
					}
				})
			}
		}
	}
}

func TestAStreamOfEventsThatIsUnwantedEndsAtItsBeginning(t *testing.T) {
	t.Parallel()
	address, left := eventsUpstream(t, chunkedEvent)
	s := tunnels(1)
	f := watched(t, address, s)
	s.Tunnels.Unwanted(func(o upstream.Observer) bool { return o == f })
	c := f.client(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	<-left
	if ends := f.ended(t, 1); !errors.Is(ends[0].err, upstream.ErrTunnelClosed) {
		t.Errorf("%+v", ends)
	}
}

// More of them than tunnels may be open.
func TestCloseAllWaitsForEveryStreamOfEvents(t *testing.T) {
	t.Parallel()
	address, _ := eventsUpstream(t, chunkedEvent)
	s := tunnels(1)
	f := watched(t, address, s)
	clients := make([]*client, 20)
	for i := range clients {
		clients[i] = f.client(t)
		clients[i].send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		clients[i].head("GET")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.Tunnels.CloseAll(over) // must not end the wait of the next one
	if err := s.Tunnels.CloseAll(t.Context()); err != nil {
		t.Error(err)
	}
	for _, c := range clients {
		c.wantEndOfEvents()
	}
	for _, end := range f.ended(t, len(clients)) {
		if !errors.Is(end.err, upstream.ErrTunnelClosed) {
			t.Errorf("%+v", end)
		}
	}
}

// wantEndOfEvents fails unless the connection ends.
func (c *client) wantEndOfEvents() {
	c.t.Helper()
	if _, err := io.Copy(io.Discard, c.br); isTimeout(err) {
		c.t.Error("not ended")
	}
}

func TestAStreamOfEventsThatBeginsAfterCloseAllEndsBehindItsHead(t *testing.T) {
	t.Parallel()
	address, left := eventsUpstream(t, chunkedEvent)
	s := tunnels(1)
	if err := s.Tunnels.CloseAll(t.Context()); err != nil {
		t.Error(err)
	}
	f := watched(t, address, s)
	c := f.client(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	c.wantEndOfEvents()
	<-left
	if ends := f.ended(t, 1); !errors.Is(ends[0].err, upstream.ErrTunnelClosed) {
		t.Errorf("%+v", ends)
	}
	if err := s.Tunnels.CloseAll(t.Context()); err != nil {
		t.Error(err)
	}
}

// The write waits, and not the read.
func TestAStreamOfEventsEndsWhoseClientTakesNothing(t *testing.T) {
	t.Parallel()
	var written atomic.Int64
	address := serve(t, func(conn net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, eventsHead+"Connection: close\r\n\r\n")
		for events := strings.Repeat("data:1\n\n", 8<<10); ; {
			n, err := io.WriteString(conn, events)
			if written.Add(int64(n)); err != nil {
				return
			}
		}
	})
	s := tunnels(1)
	f := watched(t, address, s)
	c := f.client(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	c.head("GET")
	awaitStandstill(t, &written) // every buffer on the way is full
	if err := s.Tunnels.CloseAll(t.Context()); err != nil {
		t.Error(err)
	}
	if ends := f.ended(t, 1); !errors.Is(ends[0].err, upstream.ErrTunnelClosed) {
		t.Errorf("%+v", ends)
	}
}

// A stream that ended by itself leaves nothing behind that a later stop could
// hit: neither its connections nor the body, which others use by then.
func TestStreamsOfEventsComeAndGoWhileOthersAreClosed(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("data:1\n\n", 4<<10)
	raw := "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	recorder := record(t, func(r origin.Request) origin.Answer {
		if strings.HasPrefix(r.Lines()[0], "GET /events ") {
			return answer(eventsHead + raw)
		}
		return answer("HTTP/1.1 200 OK\r\n" + raw)
	})
	s := tunnels(1)
	f := watched(t, recorder.Address(), s)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				s.Tunnels.CloseWhere(func(upstream.Observer) bool { return true })
			}
		}
	}()
	plain := f.client(t)
	for range 50 {
		events := f.client(t)
		events.send("GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		events.wantEndOfEvents()
		if _, got := plain.get("/"); got != body {
			t.Fatalf("an ordinary body of %d bytes", len(got))
		}
	}
	close(stop)
	<-stopped
	f.ended(t, 100)
	if u := f.group.Stats()[0]; u.Failures != 0 || u.Up != 1 {
		t.Errorf("%+v", u)
	}
}

// What ends by itself is waited for, and not cut.
func TestOnlyStreamsOfEventsAreClosed(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	address := serve(t, func(conn net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
		<-release
		_, _ = io.WriteString(conn, "2\r\ncd\r\n0\r\n\r\n")
	})
	s := tunnels(1)
	f := watched(t, address, s)
	c := f.client(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	resp := c.head("GET")
	if n := s.Tunnels.CloseWhere(func(upstream.Observer) bool { return true }); n != 0 {
		t.Errorf("%d closed", n)
	}
	if err := s.Tunnels.CloseAll(t.Context()); err != nil {
		t.Error(err)
	}
	close(release)
	if got, err := io.ReadAll(resp.Body); string(got) != "abcd" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
