package upstream_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

func TestATruncatedStreamNeverLooksWhole(t *testing.T) {
	t.Parallel()
	part := strings.Repeat("x", 20000)
	for name, raw := range map[string]string{
		"length":                  "HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + part,
		"chunked between chunks":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4E20\r\n" + part + "\r\n",
		"chunked inside a chunk":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + part,
		"chunked before the CRLF": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4E20\r\n" + part + "\r\n0\r\n",
		"chunked malformed":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4E20\r\n" + part + "\r\nzz\r\n\r\n",
	} {
		for _, end := range []origin.End{origin.Close, origin.Reset} {
			for _, version := range []string{"1.1", "1.0"} {
				t.Run(fmt.Sprint(name, end, version), func(t *testing.T) {
					t.Parallel()
					recorder := record(t, origin.Always(origin.Answer{Raw: []byte(raw), End: end}))
					f := newFront(t, setup{addresses: []string{recorder.Address()}})
					c := f.client(t)
					c.send("GET / HTTP/" + version + "\r\nHost: a\r\n\r\n")
					resp, err := http.ReadResponse(c.br, &http.Request{Method: "GET"})
					if err == nil {
						if refused(resp, upstream.ErrClosed) { // a reset may overtake the head
							return
						}
						_, err = io.ReadAll(resp.Body)
					}
					if err == nil {
						t.Error("the client got a whole response")
					}
					if ends := f.ended(t, 1); ends[0].err == nil {
						t.Error("the observer was told of a whole response")
					}
					if n := f.rested(t); n != 0 {
						t.Errorf("%d connections kept", n)
					}
				})
			}
		}
	}
}

func TestAStreamThatStallsIsGivenUp(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nab")))
	f := newFront(t, setup{addresses: []string{recorder.Address()}, timeouts: upstream.Timeouts{
		Connect: time.Minute, FirstByte: time.Minute, Idle: 50 * time.Millisecond,
	}})
	c := f.client(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, body, err := c.read("GET"); err == nil || !strings.HasPrefix(body, "hello") {
		t.Errorf("%q, %v", body, err)
	}
	if ends := f.ended(t, 1); ends[0].err == nil {
		t.Error("the observer was told of a whole response")
	}
}

func TestAClientThatStopsReadingIsGivenUp(t *testing.T) {
	t.Parallel()
	address := serve(t, func(conn net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
		part := make([]byte, 1<<20)
		for {
			if _, err := conn.Write(part); err != nil {
				return
			}
		}
	})
	f := newFront(t, setup{addresses: []string{address}, timeouts: upstream.Timeouts{
		Connect: time.Minute, FirstByte: time.Minute, Idle: 100 * time.Millisecond,
	}})
	c := f.client(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	c.head("GET")
	if ends := f.ended(t, 1); ends[0].err == nil || ends[0].sent == 0 {
		t.Errorf("%+v", ends)
	}
}

func TestAClientThatGoesAwayEndsTheStream(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.1", "1.0"} {
		address := serve(t, func(conn net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for {
				if _, err := io.WriteString(conn, "4\r\ntick\r\n"); err != nil {
					return
				}
			}
		})
		f := newFront(t, setup{addresses: []string{address}})
		c := f.client(t)
		c.send("GET / HTTP/" + version + "\r\nHost: a\r\n\r\n")
		c.head("GET")
		_ = c.Close()
		if ends := f.ended(t, 1); ends[0].err == nil {
			t.Errorf("HTTP/%s: %+v", version, ends)
		}
	}
}

// Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html
func TestEventsReachTheClientAsTheyHappen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		head, format, last, version string
	}{
		"chunked":               {"Transfer-Encoding: chunked\r\n", "7\r\n%s\r\n", "0\r\n\r\n", "1.1"},
		"until close":           {"Connection: close\r\n", "%s", "", "1.1"},
		"length":                {"Content-Length: 100000\r\n", "%s", strings.Repeat("x", 100000-21), "1.1"},
		"chunked to HTTP/1.0":   {"Transfer-Encoding: chunked\r\n", "7\r\n%s\r\n", "0\r\n\r\n", "1.0"},
		"until close, to old":   {"Connection: close\r\n", "%s", "", "1.0"},
		"length, to an old one": {"Content-Length: 100000\r\n", "%s", strings.Repeat("x", 100000-21), "1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			buffered := strings.HasPrefix(c.head, "Content-Length") // by fasthttp, up to 4 KiB
			next := make(chan struct{})
			address := serve(t, func(conn net.Conn) {
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"+c.head+"\r\n")
				for i := range 3 {
					<-next
					_, _ = fmt.Fprintf(conn, c.format, fmt.Sprintf("data:%d\n", i))
				}
				<-next
				_, _ = io.WriteString(conn, c.last)
			})
			f := newFront(t, setup{addresses: []string{address}})
			client := f.client(t)
			client.send("GET / HTTP/" + c.version + "\r\nHost: a\r\n\r\n")
			resp := client.head("GET")
			if resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Front") != "added later" {
				t.Errorf("head %v", resp.Header)
			}
			event := make([]byte, 7)
			for i := range 3 {
				next <- struct{}{}
				if buffered {
					continue
				}
				if _, err := io.ReadFull(resp.Body, event); string(event) != fmt.Sprintf("data:%d\n", i) || err != nil {
					t.Errorf("event %d: %q, %v", i, event, err)
				}
			}
			next <- struct{}{}
			rest, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Errorf("end: %v", err)
			}
			want := int64(21 + len(c.last))
			if !buffered {
				want = 21
			} else if len(rest) != 100000 {
				t.Errorf("%d bytes", len(rest))
			}
			if ends := f.ended(t, 1); ends[0] != (ending{want, nil}) {
				t.Errorf("%+v", ends)
			}
		})
	}
}

// RFC 9112 section 6.3: such a client cannot read chunks.
func TestAClientOfHTTP10GetsABodyThatEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 30000)
	raw := fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	for version, connection := range map[string]string{"1.0": "close", "1.0 ": "keep-alive"} {
		recorder := record(t, origin.Always(answer(raw)))
		f := newFront(t, setup{addresses: []string{recorder.Address()}})
		c := f.client(t)
		c.send("GET / HTTP/" + strings.TrimSpace(version) + "\r\nHost: a\r\nConnection: " + connection + "\r\n\r\n")
		got, err := c.raw()
		want := "HTTP/1.1 200 OK\r\nX-Front: added later\r\nConnection: close\r\n\r\n" + body
		if got != want || err != nil {
			t.Errorf("%.200q, %v", got, err)
		}
		if ends := f.ended(t, 1); ends[0] != (ending{int64(len(body)), nil}) {
			t.Errorf("%+v", ends)
		}
		if n := f.rested(t); n != 1 {
			t.Errorf("%d connections kept", n)
		}
	}
}

func TestATruncatedBodyToAClientOfHTTP10EndsInAReset(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(closing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n"+strings.Repeat("x", 30000))))
	c := newFront(t, setup{addresses: []string{recorder.Address()}}).client(t)
	c.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
	if _, err := c.raw(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("want a reset, got %v", err)
	}
}

func TestAStreamThatIsNeverWrittenGivesItsConnectionBack(t *testing.T) {
	t.Parallel()
	// The answer to the first of two pipelined requests cannot be written, so
	// that fasthttp never gets to hijack for the second.
	broken := errors.New("broken")
	recorder := record(t, origin.InTurn(origin.OK(), answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")))
	f := newFront(t, setup{
		addresses: []string{recorder.Address()},
		timeouts:  upstream.Timeouts{Connect: time.Minute, FirstByte: time.Minute, Idle: 100 * time.Millisecond},
		wrap:      func(ln net.Listener) net.Listener { return unwritable{ln, broken} },
	})
	f.client(t).send("GET /1 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\nHost: a\r\n\r\n")
	if ends := f.ended(t, 1); ends[0].err == nil {
		t.Errorf("%+v", ends)
	}
}

// unwritable accepts connections that can only be read from.
type unwritable struct {
	net.Listener
	err error
}

func (l unwritable) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return unwritableConn{c, l.err}, err
}

type unwritableConn struct {
	net.Conn
	err error
}

func (c unwritableConn) Write([]byte) (int, error) { return 0, c.err }

// ceiling is how much the heap may grow meanwhile.
const ceiling = 32 << 20

// Not parallel: it looks at the memory of the whole process.
func TestAGibibytePassesEitherWayInBoundedMemory(t *testing.T) {
	address := serve(t, func(conn net.Conn) {
		br := bufio.NewReaderSize(conn, 64<<10)
		for {
			req, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{req.Body}, make([]byte, 256<<10))
			if err != nil {
				return
			}
			switch {
			case req.Method == "POST":
				text := fmt.Sprint(n)
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
			case req.URL.Path == "/chunked":
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				chunk := []byte("100000\r\n" + strings.Repeat("x", 1<<20) + "\r\n")
				for range passing >> 20 {
					_, _ = conn.Write(chunk)
				}
				_, _ = io.WriteString(conn, "0\r\n\r\n")
			default:
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", passing)
				writeAll(conn)
			}
		}
	})
	f := newFront(t, setup{addresses: []string{address}})
	for name, c := range map[string]struct {
		send func(*client)
		want int64
	}{
		"download": {func(c *client) { c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }, passing},
		"chunked":  {func(c *client) { c.send("GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n") }, passing},
		"upload": {func(c *client) {
			c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", passing))
			writeAll(c)
		}, int64(len(fmt.Sprint(passing)))},
	} {
		t.Run(name, func(t *testing.T) {
			client := f.client(t)
			most := watchHeap(t)
			c.send(client)
			resp := client.head("GET")
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{resp.Body}, make([]byte, 256<<10))
			if n != c.want || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
			if grown := most(); grown > ceiling {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}

func writeAll(w io.Writer) {
	part := make([]byte, 1<<20)
	for range passing / len(part) {
		if _, err := w.Write(part); err != nil {
			return
		}
	}
}

// watchHeap returns a function that ends the watch and tells by how much the
// live heap grew at most, above what it was.
func watchHeap(t *testing.T) func() uint64 {
	t.Helper()
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var now runtime.MemStats
		highest := before.HeapAlloc
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				runtime.ReadMemStats(&now)
				highest = max(highest, now.HeapAlloc)
			case <-stop:
				most <- highest - before.HeapAlloc
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}
