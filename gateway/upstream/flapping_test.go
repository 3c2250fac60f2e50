package upstream_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// flapper is an upstream that can be killed and started again at one address.
type flapper struct {
	t       testing.TB
	address string
	seen    func(method, id string)

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]struct{}
	running  sync.WaitGroup
}

// newFlapper starts an upstream on an address of its own, so that nobody takes
// its port while it is down.
func newFlapper(t testing.TB, host string, seen func(method, id string)) *flapper {
	t.Helper()
	listener := listenApart(t, host)
	f := &flapper{t: t, address: listener.Addr().String(), seen: seen}
	f.startOn(listener)
	t.Cleanup(f.kill)
	return f
}

func (f *flapper) start() {
	f.t.Helper()
	listener, err := net.Listen("tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.startOn(listener)
}

func (f *flapper) startOn(listener net.Listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listener, f.conns = listener, map[net.Conn]struct{}{}
	f.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns[conn] = struct{}{}
			if f.listener != listener {
				_ = conn.Close()
			}
			f.mu.Unlock()
			f.running.Go(func() { f.serve(conn) })
		}
	})
}

func (f *flapper) serve(conn net.Conn) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		f.seen(req.Method, req.URL.Path)
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"); err != nil {
			return
		}
	}
}

// kill stops listening and resets every connection.
func (f *flapper) kill() {
	f.mu.Lock()
	if f.listener != nil {
		_ = f.listener.Close()
		f.listener = nil
	}
	for conn := range f.conns {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
	f.mu.Unlock()
	f.running.Wait()
}

// load is what clients do and get.
type load struct {
	front *front
	// phase is even while both upstreams may be in use, and odd from when the
	// one that was killed is ejected until it starts again.
	phase  atomic.Int64
	done   atomic.Int64
	failed [2]atomic.Int64 // of requests within even phases or across two, and within an odd one
	stop   atomic.Bool
}

func (l *load) run(t *testing.T, worker int) {
	c := l.front.client(t)
	for n := 0; !l.stop.Load(); n++ {
		before := l.phase.Load()
		method, body := "GET", "\r\n"
		if n%4 == 0 {
			method, body = "POST", "Content-Length: 3\r\n\r\nabc"
		}
		c.send(fmt.Sprintf("%s /%d-%d HTTP/1.1\r\nHost: a\r\n%s", method, worker, n, body))
		resp, got, err := c.read(method)
		if err != nil || resp.StatusCode != http.StatusOK || got != "good" {
			within := before % 2
			if l.phase.Load() != before {
				within = 0
			}
			l.failed[within].Add(1)
			if within == 1 {
				t.Errorf("%s failed although its upstream is ejected: %v", method, resp.Header)
			}
		}
		l.done.Add(1)
	}
}

// more waits until n more requests are done.
func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	until := l.done.Load() + n
	eventually(t, "requests", func() bool { return l.done.Load() >= until })
}

func TestAFlappingUpstreamFailsNoRequestOnceEjectedAndDoublesNoPost(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	posts := map[string]int{}
	seen := func(method, id string) {
		if method == http.MethodPost {
			mu.Lock()
			posts[id]++
			mu.Unlock()
		}
	}
	steady, flapping := newFlapper(t, "127.0.0.71", seen), newFlapper(t, "127.0.0.72", seen)
	l := &load{front: newFront(t, setup{
		addresses: []string{steady.address, flapping.address},
		config: func(c *upstream.GroupConfig) {
			c.Balance = upstream.LeastInFlight
			c.Eject = upstream.EjectConfig{After: 3, Base: 50 * time.Millisecond, Max: 200 * time.Millisecond, Percent: 50, Return: 50 * time.Millisecond}
			c.Breaker = upstream.BreakerConfig{After: 20, For: 50 * time.Millisecond}
			c.Retry = upstream.RetryConfig{Attempts: 2, Percent: 20, PerSecond: 50}
		},
	})}
	var workers sync.WaitGroup
	for i := range 8 {
		workers.Go(func() { l.run(t, i) })
	}
	const kills = 5
	for range kills {
		l.more(t, 50)
		before := l.front.group.Stats()[1]
		flapping.kill()
		eventually(t, "the ejection", func() bool { return l.front.group.Stats()[1].Ejections > before.Ejections })
		l.phase.Add(1)
		l.more(t, 400)
		l.phase.Add(1)
		flapping.start()
		requests := l.front.group.Stats()[1].Requests
		eventually(t, "requests to come back", func() bool { return l.front.group.Stats()[1].Requests > requests+20 })
	}
	l.stop.Store(true)
	workers.Wait()
	mu.Lock()
	defer mu.Unlock()
	twice := 0
	for _, n := range posts {
		if n > 1 {
			twice++
		}
	}
	s := l.front.group.Stats()
	t.Logf("%d kills: %d requests, %d failed at a kill, %d once ejected; %d POSTs arrived, %d twice; %d passed over, %d sent again, %d not for want of budget, %d ejections",
		kills, l.done.Load(), l.failed[0].Load(), l.failed[1].Load(), len(posts), twice,
		s[1].PassedOver, s[1].Retries, s[1].OverBudget, s[1].Ejections)
	if twice > 0 || l.failed[1].Load() > 0 || len(posts) == 0 || s[1].PassedOver == 0 {
		t.Errorf("%+v", s)
	}
}
