package upstream_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// generous is a budget for every retry of a test.
var generous = upstream.RetryConfig{Attempts: 2, Percent: 100, PerSecond: 1000}

func withRetries(retry upstream.RetryConfig) func(*upstream.GroupConfig) {
	return func(c *upstream.GroupConfig) { c.Retry = retry }
}

// stale is an upstream that answers each connection's first request, to /warm,
// and ends the connection as end says at its second.
type stale struct {
	end func(net.Conn)
	// always ends every connection at its first request for another path, too.
	always bool

	// together makes requests to /warm wait for each other.
	together sync.WaitGroup

	mu   sync.Mutex
	sent []string // paths of other requests than /warm
}

func (s *stale) serve(conn net.Conn) {
	br := bufio.NewReader(conn)
	for n := 0; ; n++ {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if req.URL.Path != "/warm" {
			s.mu.Lock()
			s.sent = append(s.sent, req.URL.Path)
			s.mu.Unlock()
			_, _ = io.Copy(io.Discard, req.Body)
			if n > 0 || s.always {
				s.end(conn)
				return
			}
		} else if req.URL.RawQuery != "" {
			s.together.Done()
		}
		s.together.Wait()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Turn: again\r\n\r\n")
	}
}

func (s *stale) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

func endInOrder(c net.Conn) { _ = c.Close() }
func endByReset(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close() }
func endWith(raw string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, raw); _ = c.Close() }
}

func TestWhatIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw    string
		end    func(net.Conn)
		fresh  bool // on a connection that was not kept
		always bool
		retry  upstream.RetryConfig
		sent   int
		err    error
	}{
		"GET":                  {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, sent: 2},
		"GET reset":            {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endByReset, sent: 2},
		"HEAD":                 {raw: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, sent: 2},
		"OPTIONS":              {raw: "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, sent: 2},
		"DELETE":               {raw: "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, sent: 2},
		"PUT of nothing":       {raw: "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", end: endInOrder, sent: 2},
		"PUT with a body":      {raw: "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", end: endInOrder, sent: 1, err: upstream.ErrClosed},
		"GET with a body":      {raw: "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", end: endInOrder, sent: 1, err: upstream.ErrClosed},
		"PUT in chunks":        {raw: "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", end: endInOrder, sent: 1, err: upstream.ErrClosed},
		"POST":                 {raw: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", end: endInOrder, sent: 1, err: upstream.ErrClosed},
		"POST of nothing":      {raw: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", end: endByReset, sent: 1, err: upstream.ErrClosed},
		"PATCH":                {raw: "PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", end: endInOrder, sent: 1, err: upstream.ErrClosed},
		"an unknown method":    {raw: "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, sent: 1, err: upstream.ErrClosed},
		"a method in lower":    {raw: "get / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, sent: 1, err: upstream.ErrClosed},
		"new connection":       {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, fresh: true, always: true, sent: 1, err: upstream.ErrClosed},
		"the second time too":  {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, always: true, sent: 2, err: upstream.ErrClosed},
		"more attempts":        {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, always: true, retry: upstream.RetryConfig{Attempts: 5, Percent: 100, PerSecond: 9}, sent: 2, err: upstream.ErrClosed},
		"one byte of response": {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endWith("H"), sent: 1, err: upstream.ErrClosed},
		"interim response":     {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endWith("HTTP/1.1 103 Early Hints\r\n\r\n"), sent: 1, err: upstream.ErrClosed},
		"malformed response":   {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endWith("rubbish\r\n\r\n"), sent: 1, err: upstream.ErrResponse},
		"switched off":         {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, retry: upstream.RetryConfig{Attempts: 1, Percent: 100, PerSecond: 9}, sent: 1, err: upstream.ErrClosed},
		"without budget":       {raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", end: endInOrder, retry: upstream.RetryConfig{Attempts: 2}, sent: 1, err: upstream.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stale{end: c.end, always: c.always}
			if c.retry == (upstream.RetryConfig{}) {
				c.retry = generous
			}
			f := newFront(t, setup{addresses: []string{serve(t, s.serve)}, config: withRetries(c.retry)})
			client := f.client(t)
			if !c.fresh {
				client.get("/warm")
			}
			client.send(c.raw)
			method, _, _ := strings.Cut(c.raw, " ")
			resp, _, _ := client.read(method)
			switch {
			case c.err != nil && !refused(resp, c.err), c.err == nil && resp.Header.Get("X-Turn") != "again":
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			case s.times() != c.sent:
				t.Errorf("sent %d times, want %d", s.times(), c.sent)
			}
			stats := f.group.Stats()[0]
			if c.err == nil && stats.Failures != 0 {
				t.Errorf("held against the upstream: %+v", stats)
			}
			if stats.Retries != uint64(c.sent-1) || name == "without budget" && stats.OverBudget != 1 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

func TestASecondTryPrefersAnotherUpstream(t *testing.T) {
	t.Parallel()
	other := record(t, origin.Always(origin.OK()))
	s := &stale{end: endInOrder}
	address := serve(t, s.serve)
	retries := uint64(0)
	for i := range 40 {
		f := newFront(t, setup{addresses: []string{address, other.Address()}, max: 1, config: func(c *upstream.GroupConfig) {
			c.Retry, c.Balance = generous, upstream.LeastInFlight
		}})
		c := f.client(t)
		for range 4 {
			c.get("/warm")
		}
		if resp, _ := c.get(fmt.Sprintf("/%d", i)); resp.StatusCode != http.StatusOK {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
		retries += f.group.Stats()[0].Retries
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.sent)
	if n := len(s.sent); retries == 0 || len(slices.Compact(s.sent)) != n {
		t.Errorf("%d sent again, of %d requests to the first some twice", retries, n)
	}
}

// All connections that were kept may be as stale as the one that was found so.
func TestASecondTryUsesANewConnectionAndMakesRoomForIt(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{2, 100} {
		s := &stale{end: endInOrder}
		f := newFront(t, setup{addresses: []string{serve(t, s.serve)}, config: withRetries(generous), max: limit})
		clients := []*client{f.client(t), f.client(t)}
		s.together.Add(len(clients))
		for _, c := range clients {
			c.send("GET /warm?together HTTP/1.1\r\nHost: a\r\n\r\n")
		}
		for _, c := range clients {
			c.read("GET") //nolint:errcheck // only awaited
		}
		if n := f.rested(t); n != 2 {
			t.Fatalf("%d connections kept", n)
		}
		if resp, _ := clients[0].get("/"); resp.StatusCode != http.StatusOK || f.group.Stats()[0].Retries != 1 {
			t.Errorf("%v, %+v", resp.Header, f.group.Stats()[0])
		}
	}
}

func TestAClientIsNotKeptWaitingByManyUpstreams(t *testing.T) {
	t.Parallel()
	var addresses []string
	for range 6 {
		addresses = append(addresses, unreachable(t))
	}
	f := newFront(t, setup{addresses: addresses})
	if resp, _ := f.client(t).get("/"); !refused(resp, upstream.ErrUnreachable) {
		t.Errorf("%v", resp.Header)
	}
	dials, passed := uint64(0), uint64(0)
	for _, s := range f.group.Stats() {
		dials += s.Dials.Total()
		passed += s.PassedOver
	}
	if dials != 3 || passed != 2 {
		t.Errorf("%d dialled, %d passed over", dials, passed)
	}
}

func TestAnExchangeIsBoundedAsAWhole(t *testing.T) {
	t.Parallel()
	slowly := func(head, part string) func(net.Conn) {
		return func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				return
			}
			_, _ = io.WriteString(conn, head)
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for range tick.C {
				if _, err := io.WriteString(conn, part); err != nil {
					return
				}
			}
		}
	}
	// Nothing here lets another limit pass.
	bounded := upstream.Timeouts{Connect: time.Minute, FirstByte: time.Minute, Idle: time.Minute, Total: 300 * time.Millisecond}
	for name, c := range map[string]struct {
		with func(net.Conn)
		body bool // the head has gone on
	}{
		"silence":       {func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, false},
		"slow head":     {slowly("HTTP/1.1 200 OK\r\nX: ", "a"), false},
		"short body":    {slowly("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "a"), false},
		"streamed body": {slowly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, setup{addresses: []string{serve(t, c.with)}, timeouts: bounded})
			client := f.client(t)
			client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			resp, _, err := client.read("GET")
			if c.body && (resp.StatusCode != http.StatusOK || err == nil) || !c.body && !refused(resp, upstream.ErrTimeout) {
				t.Errorf("%d %v, %v", resp.StatusCode, resp.Header, err)
			}
			eventually(t, "the failure to be counted", func() bool { return f.group.Stats()[0].Failures == 1 })
		})
	}
}

func TestDiallingIsWithinTheBoundOfTheWhole(t *testing.T) {
	t.Parallel()
	f := newFront(t, setup{
		addresses: []string{"192.0.2.1:80", "192.0.2.2:80"},
		timeouts:  upstream.Timeouts{Connect: time.Minute, FirstByte: time.Minute, Idle: time.Minute, Total: 50 * time.Millisecond},
		dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	if resp, _ := f.client(t).get("/"); !refused(resp, upstream.ErrTimeout) {
		t.Errorf("%v", resp.Header)
	}
	// That the site's own bound was too short says nothing about the upstream.
	for _, s := range f.group.Stats() {
		if s.Failures != 0 || s.InFlight != 0 || s.Open != 0 {
			t.Errorf("%+v", s)
		}
	}
}

func TestManyStaleConnectionsSpendTheBudgetAndNoMore(t *testing.T) {
	t.Parallel()
	s := &stale{end: endInOrder}
	f := newFront(t, setup{
		addresses: []string{serve(t, s.serve)},
		config:    withRetries(upstream.RetryConfig{Attempts: 2, Percent: 20}),
	})
	good, failed := 0, 0
	for range 100 {
		c := f.client(t)
		c.get("/warm")
		if resp, _ := c.get("/"); resp.StatusCode == http.StatusOK {
			good++
		} else {
			failed++
		}
		f.group.Age()
	}
	stats := f.group.Stats()[0]
	t.Logf("of 100 requests on stale connections %d were sent again, %d not", good, failed)
	if good+failed != 100 || stats.Retries != uint64(good) || stats.OverBudget != uint64(failed) || good < 25 || good > 60 {
		t.Errorf("%d good, %d failed, %+v", good, failed, stats)
	}
}
