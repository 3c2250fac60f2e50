package upstream_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

func TestAConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.OK()))
	f := newFront(t, setup{addresses: []string{recorder.Address()}})
	c := f.client(t)
	for range 5 {
		c.get("/")
	}
	f.client(t).get("/")
	if n := recorder.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if s := f.group.Stats()[0]; s != (upstream.Stats{
		Address: recorder.Address(), Addresses: 1, Up: 1, Open: 1, Limit: 100, Requests: 6,
	}) {
		t.Errorf("%+v", s)
	}
}

func TestAnIdleConnectionThatTheUpstreamClosedIsNotUsed(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*net.TCPConn){
		"in order": func(c *net.TCPConn) { _ = c.Close() },
		"reset":    func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conns := make(chan net.Conn, 2)
			address := serve(t, func(conn net.Conn) {
				conns <- conn
				br := bufio.NewReader(conn)
				for {
					if _, err := http.ReadRequest(br); err != nil {
						return
					}
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
				}
			})
			f := newFront(t, setup{addresses: []string{address}})
			c := f.client(t)
			c.get("/")
			end((<-conns).(*net.TCPConn))
			for range 3 {
				if resp, body := c.get("/"); resp.StatusCode != 200 || body != "good" {
					t.Errorf("%d %v", resp.StatusCode, resp.Header)
				}
			}
			if n := f.group.Open(); n != 1 {
				t.Errorf("%d connections open", n)
			}
		})
	}
}

func TestAConnectionThatLayTooLongIsNotUsed(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.OK()))
	f := newFront(t, setup{addresses: []string{recorder.Address()}})
	c := f.client(t)
	c.get("/")
	f.group.Age()
	c.get("/")
	if n := recorder.Connections(); n != 2 || f.group.Open() != 1 {
		t.Errorf("%d connections, %d open", n, f.group.Open())
	}
}

func TestNothingIsEverSentTwice(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "POST"} {
		for _, end := range []origin.End{origin.Close, origin.Reset} {
			for _, kept := range []bool{false, true} {
				t.Run(fmt.Sprint(method, end, kept), func(t *testing.T) {
					t.Parallel()
					broken := origin.Always(origin.Answer{End: end})
					other := record(t, broken)
					recorder := record(t, func(r origin.Request) origin.Answer {
						if strings.HasPrefix(r.Lines()[0], "GET /warm ") {
							return origin.OK()
						}
						return broken(r)
					})
					f := newFront(t, setup{addresses: []string{recorder.Address()}})
					c := f.client(t)
					if kept {
						c.get("/warm")
					}
					body := ""
					if method == "POST" || method == "PUT" {
						body = "Content-Length: 3\r\n\r\nabc"
					} else {
						body = "\r\n"
					}
					c.send(method + " /once HTTP/1.1\r\nHost: a\r\n" + body)
					if resp, _, _ := c.read(method); !refused(resp, upstream.ErrClosed) {
						t.Errorf("%d %v", resp.StatusCode, resp.Header)
					}
					c.send("GET /warm HTTP/1.1\r\nHost: a\r\n\r\n")
					_, _, _ = c.read("GET")
					n := 0
					for _, r := range recorder.Requests() {
						if strings.Contains(r.Lines()[0], "/once") {
							n++
						}
					}
					if n != 1 || len(other.Requests()) != 0 {
						t.Errorf("sent %d times", n)
					}
				})
			}
		}
	}
}

func TestAnUpstreamThatTookTheRequestIsNotReplacedByAnother(t *testing.T) {
	t.Parallel()
	first := record(t, origin.Always(origin.Answer{End: origin.Close}))
	second := record(t, origin.Always(origin.Answer{End: origin.Close}))
	c := newFront(t, setup{addresses: []string{first.Address(), second.Address()}}).client(t)
	for range 4 {
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if resp, _, _ := c.read("GET"); !refused(resp, upstream.ErrClosed) {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
	}
	if a, b := len(first.Requests()), len(second.Requests()); a != 2 || b != 2 {
		t.Errorf("%d and %d requests of 4", a, b)
	}
}

func TestAnUpstreamThatTakesNoConnectionIsPassedOver(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.OK()))
	f := newFront(t, setup{addresses: []string{unreachable(t), recorder.Address(), unreachable(t)}})
	c := f.client(t)
	for range 6 {
		if _, body := c.get("/"); body != "good" {
			t.Errorf("%q", body)
		}
	}
	if n := f.group.Stats()[0].Dials[upstream.DialRefused] + f.group.Stats()[2].Dials[upstream.DialRefused]; n == 0 {
		t.Error("no failure was counted")
	}
}

func TestNoUpstreamAtAll(t *testing.T) {
	t.Parallel()
	f := newFront(t, setup{addresses: []string{unreachable(t), unreachable(t)}})
	resp, _ := f.client(t).get("/")
	if !refused(resp, upstream.ErrUnreachable) || f.group.Open() != 0 {
		t.Errorf("%v, %d open", resp.Header, f.group.Open())
	}
}

func TestDiallingIsBounded(t *testing.T) {
	t.Parallel()
	f := newFront(t, setup{
		addresses: []string{"192.0.2.1:80"},
		timeouts:  upstream.Timeouts{Connect: 50 * time.Millisecond, FirstByte: time.Minute, Idle: time.Minute},
		dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	resp, _ := f.client(t).get("/")
	if !refused(resp, upstream.ErrUnreachable) || f.group.Open() != 0 {
		t.Errorf("%v, %d open", resp.Header, f.group.Open())
	}
}

func TestConnectionsAreBoundedAndNothingWaitsForOne(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	recorder := record(t, func(r origin.Request) origin.Answer {
		if strings.HasPrefix(r.Lines()[0], "GET /slow ") {
			<-release
		}
		return origin.OK()
	})
	f := newFront(t, setup{addresses: []string{recorder.Address()}, max: 2})
	var slow [2]*client
	for i := range slow {
		slow[i] = f.client(t)
		slow[i].send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	await(t, recorder, 2)
	c := f.client(t)
	if resp, _ := c.get("/"); !refused(resp, upstream.ErrSaturated) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if n := f.group.Open(); n != 2 {
		t.Errorf("%d open", n)
	}
	close(release)
	for _, s := range slow {
		if _, body, _ := s.read("GET"); body != "good" {
			t.Errorf("%q", body)
		}
	}
	if _, body := c.get("/"); body != "good" {
		t.Errorf("afterwards %q", body)
	}
}

func TestASaturatedUpstreamIsPassedOver(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	busy := record(t, func(origin.Request) origin.Answer { <-release; return origin.OK() })
	other := record(t, origin.Always(origin.OK()))
	f := newFront(t, setup{addresses: []string{other.Address(), busy.Address(), unreachable(t)}, max: 1})
	first := f.client(t)
	first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") // the first turn is the second address's
	await(t, busy, 1)
	c := f.client(t)
	for range 6 {
		if _, body := c.get("/"); body != "good" {
			t.Errorf("%q", body)
		}
	}
	close(release)
	first.read("GET") //nolint:errcheck // only awaited
}

func TestCloseClosesIdleConnectionsAndThoseThatComeBack(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	recorder := record(t, func(r origin.Request) origin.Answer {
		if strings.HasPrefix(r.Lines()[0], "GET /slow ") {
			<-release
		}
		return origin.OK()
	})
	f := newFront(t, setup{addresses: []string{recorder.Address()}})
	f.client(t).get("/")
	slow := []*client{f.client(t), f.client(t)}
	for _, c := range slow {
		c.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	await(t, recorder, 3)
	f.group.Close()
	if open, idle := f.group.Open(), f.group.Idle(); open != 2 || idle != 0 {
		t.Errorf("%d open, %d idle after Close", open, idle)
	}
	close(release)
	for _, c := range slow {
		if _, body, _ := c.read("GET"); body != "good" {
			t.Errorf("%q", body)
		}
	}
	eventually(t, "the last connections to close", func() bool { return f.group.Open() == 0 })
}

func TestManyRequestsAtOnceGetTheirOwnAnswers(t *testing.T) {
	t.Parallel()
	var turn atomic.Int64
	address := serve(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(req.Body)
			id := req.URL.Path + string(body)
			switch turn.Add(1) % 7 {
			case 0:
				return // no answer
			case 1:
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(id), id)
				_, _ = io.WriteString(conn, "0\r\n\r\n")
			case 2:
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n\r\n%s", id)
				return
			case 3:
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s%s", 40000+len(id), id, strings.Repeat(" ", 40000))
			case 4:
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%sHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", len(id), id)
			default:
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(id), id)
			}
		}
	})
	f := newFront(t, setup{addresses: []string{address, address}, max: 8})
	var running sync.WaitGroup
	var good, failed atomic.Int64
	for i := range 16 {
		running.Go(func() {
			c := f.client(t)
			for j := range 50 {
				body := fmt.Sprintf("-%d", j)
				c.send(fmt.Sprintf("POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", i, len(body), body))
				resp, got, err := c.read("POST")
				switch {
				case resp.StatusCode == http.StatusBadGateway:
					failed.Add(1)
				case err != nil || strings.TrimSpace(got) != fmt.Sprintf("/%d-%d", i, j):
					t.Errorf("%d-%d got %.40q, %v", i, j, got, err)
				default:
					good.Add(1)
				}
			}
		})
	}
	running.Wait()
	if good.Load() == 0 || failed.Load() == 0 {
		t.Errorf("%d good, %d failed", good.Load(), failed.Load())
	}
	if n := f.rested(t); n > 16 {
		t.Errorf("%d connections kept", n)
	}
}
