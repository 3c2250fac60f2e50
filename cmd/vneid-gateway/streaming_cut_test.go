package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// TestAnUpstreamLearnsThatItsClientHasGone lets clients leave at each point of an
// exchange. The upstream's connection is closed, so that it can stop, and what it
// got of a body never looks whole.
func TestAnUpstreamLearnsThatItsClientHasGone(t *testing.T) {
	t.Parallel()
	const clients = 5
	var begun, gone, whole atomic.Int64
	upstream := handle(t, func(w http.ResponseWriter, r *http.Request) {
		begun.Add(1)
		defer gone.Add(1)
		switch r.URL.Path {
		case "/waits":
			<-r.Context().Done()
		case "/downloads":
			if _, err := io.Copy(w, zeros{}); err == nil {
				whole.Add(1)
			}
		case "/uploads":
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				whole.Add(1)
			}
		}
	})
	g := publicGateway(t, faultSite{"s", upstream.URL(), ""})
	for i, c := range []struct{ name, request string }{
		{"waiting for an answer", string(rawRequest("GET", "s.example", "/waits", ""))},
		{"in the middle of a download", string(rawRequest("GET", "s.example", "/downloads", ""))},
		{"in the middle of an upload by length", "POST /uploads HTTP/1.1\r\nHost: s.example\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 20_000)},
		{"in the middle of an upload by chunks", "POST /uploads HTTP/1.1\r\nHost: s.example\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n" + strings.Repeat("x", 20_000) + "\r\n"},
	} {
		conns := make([]*edgeConn, clients)
		for i := range conns {
			conns[i] = g.dial(t).send(c.request)
		}
		upTo := int64(clients * (i + 1))
		eventually(t, "all under way", func() bool { return begun.Load() == upTo })
		for _, c := range conns {
			_ = c.Close()
		}
		eventually(t, "the upstream saw them go "+c.name, func() bool { return gone.Load() == upTo })
		t.Logf("%d clients left %s", clients, c.name)
	}
	if whole.Load() != 0 {
		t.Errorf("%d bodies looked whole", whole.Load())
	}
	g.awaitTotal(t, clients, "requests_total", "reason", "client_gone")
	g.awaitTotal(t, 0, "upstream_connections")
	if n := g.total(t, "upstream_failures_total"); n != 0 {
		t.Errorf("%v failures are held against an upstream whose clients left", n)
	}
	g.leavesNoTrace(t)
	g.stop(t)
}

// TestABodyThatBreaksOffIsNeverTakenForWhole lets an upstream fail in the middle
// of a response.
func TestABodyThatBreaksOffIsNeverTakenForWhole(t *testing.T) {
	t.Parallel()
	const sized = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n"
	part := strings.Repeat("x", 20_000)
	cases := []struct {
		name, timeouts, raw string
		end                 origin.End
		status              int // of an answer that is whole; 0 is a cut one
	}{
		{"by length, closed", "{}", sized + part, origin.Close, 0},
		{"by length, reset", "{}", sized + part, origin.Reset, 0},
		{"by chunks, closed in a chunk", "{}", chunked + part[1:], origin.Close, 0},
		{"by chunks, closed between two", "{}", chunked + part + "\r\n", origin.Close, 0},
		{"by chunks, closed before the end of the last", "{}", chunked + part + "\r\n0\r\n", origin.Close, 0},
		{"by chunks, reset", "{}", chunked + part + "\r\n", origin.Reset, 0},
		{"by length, silent", "{ idle: 100ms }", sized + part, origin.KeepOpen, 0},
		{"by chunks, silent", "{ idle: 100ms }", chunked + part + "\r\n", origin.KeepOpen, 0},
		{"by chunks, out of time", "{ total: 200ms }", chunked + part + "\r\n", origin.KeepOpen, 0},
		{"short, closed", "{}", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", origin.Close, http.StatusBadGateway},
		{"in the head, closed", "{}", "HTTP/1.1 200 OK\r\nContent-Le", origin.Close, http.StatusBadGateway},
	}
	var sites []faultSite
	for i, c := range cases {
		upstream := record(t, origin.Always(origin.Answer{Raw: []byte(c.raw), End: c.end}))
		sites = append(sites, faultSite{fmt.Sprintf("s%d", i), upstream.URL(), "timeouts: " + c.timeouts})
	}
	g := publicGateway(t, sites...)
	for i, c := range cases {
		site := fmt.Sprintf("s%d", i)
		conn := g.dial(t).send(string(rawRequest("GET", site+".example", "/", "")))
		if c.status != 0 {
			a := conn.answer()
			t.Logf("%s: %d %s", c.name, a.status, a.body)
			if a.status != c.status {
				t.Errorf("%s: %d, want %d", c.name, a.status, c.status)
			}
			_ = conn.Close()
			continue
		}
		response, err := http.ReadResponse(conn.in, nil)
		if err != nil {
			// A reset may overtake what came before it.
			t.Logf("%s: no answer: %v", c.name, err)
			if c.end != origin.Reset {
				t.Errorf("%s: %v", c.name, err)
			}
			_ = conn.Close()
			continue
		}
		n, err := io.Copy(io.Discard, response.Body)
		t.Logf("%s: %d, %d bytes, then %v", c.name, response.StatusCode, n, err)
		if err == nil && response.StatusCode == http.StatusOK {
			t.Errorf("%s: a 200 that looks whole", c.name)
		}
		_ = conn.Close()
		if n := g.total(t, "upstream_connections", "site", site); n != 0 {
			t.Errorf("%s: %v connections are kept", c.name, n)
		}
	}
	g.leavesNoTrace(t)
	g.stop(t)
}

// TestABodyThatDripsIsCutAndAQuickOneIsNot drips bodies to a gateway that wants
// them faster.
func TestABodyThatDripsIsCutAndAQuickOneIsNot(t *testing.T) {
	t.Parallel()
	const drips, quick = 5, 1 << 20
	var cut atomic.Int64
	upstream := handle(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			cut.Add(1)
			panic(http.ErrAbortHandler)
		}
		_, _ = fmt.Fprint(w, n)
	})
	g := faultGateway(t, publicRules, "limits: { min_body_rate: 10KiB, rate_grace: 300ms }", []faultSite{{"s", upstream.URL(), ""}})
	post := func(framing string) string { return "POST / HTTP/1.1\r\nHost: s.example\r\n" + framing + "\r\n\r\n" }
	for i := range drips {
		// Both are more than what is read before anything is decided.
		c, piece := g.dial(t), "x"
		if i%2 == 0 {
			c.send(post(fmt.Sprintf("Content-Length: %d", quick)) + strings.Repeat("x", 9000))
		} else {
			c.send(post("Transfer-Encoding: chunked") + "2328\r\n" + strings.Repeat("x", 9000) + "\r\n")
			piece = "1\r\nx\r\n"
		}
		var dripping sync.WaitGroup
		dripping.Go(func() {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for {
				if _, err := io.WriteString(c.Conn, piece); err != nil {
					return // the gateway's end of it, or the test's
				}
				<-tick.C
			}
		})
		a, last := c.answerLast()
		a.refusedWith(t, http.StatusRequestTimeout, "request_timeout")
		if !last {
			t.Error("the connection is kept in the middle of a body")
		}
		_ = c.Close()
		dripping.Wait()
	}
	eventually(t, "the upstream saw them cut", func() bool { return cut.Load() == drips })
	c := g.dial(t)
	if a := c.send(post(fmt.Sprintf("Content-Length: %d", quick)) + strings.Repeat("x", quick)).answer(); a.status != http.StatusOK || a.body != fmt.Sprint(quick) {
		t.Errorf("a quick body: %d %s", a.status, a.body)
	}
	_ = c.Close()
	t.Logf("%d bodies that drip cut, a quick one carried", drips)
	if n := g.total(t, "upstream_failures_total"); n != 0 {
		t.Errorf("%v failures are held against an upstream whose clients are slow", n)
	}
	g.leavesNoTrace(t)
	g.stop(t)
}
