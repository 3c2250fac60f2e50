package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// events is an upstream that sends one event for each tick, and none ahead.
func events(t *testing.T, tick <-chan int) (url string, gone *atomic.Int64) {
	t.Helper()
	gone = new(atomic.Int64)
	s := handle(t, func(w http.ResponseWriter, r *http.Request) {
		defer gone.Add(1)
		w.Header().Set("Content-Type", "text/event-stream")
		flusher := http.NewResponseController(w)
		_ = flusher.Flush()
		for {
			select {
			case n := <-tick:
				_, _ = fmt.Fprintf(w, "data: %d\n\n", n)
				_ = flusher.Flush()
			case <-r.Context().Done():
				return
			}
		}
	})
	return s.URL(), gone
}

// begin sends a GET and reads the response's head.
func (c *edgeConn) begin(path, token string) *http.Response {
	c.t.Helper()
	response, err := http.ReadResponse(c.send(string(rawRequest("GET", "s.example", path, token))).in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// next reads one event.
func next(t *testing.T, stream io.Reader, n int) {
	t.Helper()
	want := fmt.Sprintf("data: %d\n\n", n)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(stream, got); err != nil || string(got) != want {
		t.Fatalf("%q, %v; want %q", got, err, want)
	}
}

// The next event is not made before the last has come.
func TestServerSentEventsComeOneByOne(t *testing.T) {
	t.Parallel()
	const n = 20
	tick := make(chan int)
	url, gone := events(t, tick)
	g := guardedGateway(t, "", faultSite{"s", url, ""})
	c := g.dial(t)
	response := c.begin("/events", g.token(t)) // before the first event is there
	for i := range n {
		tick <- i
		next(t, response.Body, i)
	}
	_ = c.Close()
	eventually(t, "the upstream was told that nobody listens", func() bool { return gone.Load() == 1 })
	t.Logf("%d events, each before the next was made", n)
	g.leavesNoTrace(t)
	g.stop(t)
}

func TestServerSentEventsEndWithTheirToken(t *testing.T) {
	t.Parallel()
	tick := make(chan int)
	url, gone := events(t, tick)
	g := guardedGateway(t, "", faultSite{"s", url, ""})
	response := g.dial(t).begin("/events", g.tokenUntil(t, time.Now().Add(4*time.Second)))
	tick <- 0
	next(t, response.Body, 0)
	if rest, err := io.ReadAll(response.Body); err == nil || len(rest) > 0 {
		t.Errorf("the stream ended as if it were whole: %q", rest)
	}
	eventually(t, "the upstream was told that nobody may listen", func() bool { return gone.Load() == 1 })
	g.leavesNoTrace(t)
	g.stop(t)
}

const goOn = "HTTP/1.1 100 Continue\r\n\r\n"

// RFC 9110 section 10.1.1: the body is asked for when it is wanted, and only
// then.
func TestABodyIsAskedForOnlyWhenItsRequestIsAdmitted(t *testing.T) {
	t.Parallel()
	const length = 1 << 20
	var asked atomic.Int64
	site := origin.Site("s")
	upstream := handle(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		site.ServeHTTP(w, r)
	})
	g := guardedGateway(t, "", faultSite{"s", upstream.URL(), "max_body_bytes: 1MiB"})
	head := func(token, framing string) string {
		credential := ""
		if token != "" {
			credential = "Authorization: Bearer " + token + "\r\n"
		}
		return "POST / HTTP/1.1\r\nHost: s.example\r\nExpect: 100-continue\r\n" + credential + framing + "\r\n\r\n"
	}
	const fits = "Content-Length: 1048576"
	for _, c := range []struct {
		token, framing string
		status         int
		code           string
	}{
		{"", fits, http.StatusUnauthorized, "credential_missing"},
		{g.tokenUntil(t, time.Now().Add(-time.Minute)), fits, http.StatusUnauthorized, "token_expired"},
		{"", "Transfer-Encoding: chunked", http.StatusUnauthorized, "credential_missing"},
		{g.token(t), "Content-Length: 1048577", http.StatusRequestEntityTooLarge, "body_too_large"},
	} {
		conn := g.dial(t).send(head(c.token, c.framing))
		a, last := conn.answerLast() // a 100 would come before it
		a.refusedWith(t, c.status, c.code)
		if !last {
			t.Errorf("%s: the connection is kept for a body that may come all the same", c.code)
		}
		conn.ended()
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
	conn, token := g.dial(t), g.token(t)
	for range 3 {
		conn.send(head(token, fits))
		got := make([]byte, len(goOn))
		if _, err := io.ReadFull(conn.in, got); err != nil || string(got) != goOn {
			t.Fatalf("%q, %v", got, err)
		}
		a := conn.send(strings.Repeat("x", length)).answer()
		if e := a.echo(t); e.BodyBytes != length || e.Values("Expect") != nil {
			t.Errorf("the upstream got %d bytes, Expect %q", e.BodyBytes, e.Values("Expect"))
		}
	}
	_ = conn.Close()
	t.Logf("4 refused before their body, %d admitted", asked.Load())
	if asked.Load() != 3 {
		t.Error("not 3")
	}
	g.leavesNoTrace(t)
	g.stop(t)
}
