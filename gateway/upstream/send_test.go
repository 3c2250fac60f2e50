package upstream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

func TestBodiesAreFramedAnewAndArriveWhole(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789abcdef", 64<<10) // 1 MiB
	for name, c := range map[string]struct {
		fields, body string
		lengths      []string
		codings      []string
		content      string
	}{
		"none":          {"", "", nil, nil, ""},
		"length":        {"Content-Length: 5\r\n", "hello", []string{"5"}, nil, "hello"},
		"zero":          {"Content-Length: 0\r\n", "", []string{"0"}, nil, ""},
		"large":         {fmt.Sprintf("Content-Length: %d\r\n", len(large)), large, []string{fmt.Sprint(len(large))}, nil, large},
		"chunked":       {"Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", nil, []string{"chunked"}, "hello world"},
		"chunked empty": {"Transfer-Encoding: chunked\r\n", "0\r\n\r\n", nil, []string{"chunked"}, ""},
		"chunked large": {"Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(large), large), nil, []string{"chunked"}, large},
		"expectation":   {"Expect: 100-continue\r\nContent-Length: 5\r\n", "hello", []string{"5"}, nil, "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := record(t, origin.Always(origin.OK()))
			c1 := newFront(t, setup{addresses: []string{recorder.Address()}}).client(t)
			method := "PUT"
			if c.fields == "" {
				method = "GET"
			}
			c1.send(method + " / HTTP/1.1\r\nHost: a\r\n" + c.fields + "\r\n" + c.body)
			if strings.Contains(c.fields, "Expect") {
				c1.head(method) // 100
			}
			if resp, body, err := c1.read(method); resp.StatusCode != 200 || body != "good" || err != nil {
				t.Fatalf("%d %q %v", resp.StatusCode, body, err)
			}
			got := await(t, recorder, 1)[0]
			if got.Err != nil || string(got.Content) != c.content || !slices.Equal(got.Values("Content-Length"), c.lengths) ||
				!slices.Equal(got.Values("Transfer-Encoding"), c.codings) || got.Values("Expect") != nil {
				t.Errorf("%v: %q and %d bytes", got.Err, got.Lines(), len(got.Content))
			}
			// The connection of the client goes on.
			if _, body := c1.get("/again"); body != "good" {
				t.Errorf("then %q", body)
			}
		})
	}
}

func TestATrailerIsRefusedAndTheRequestNeverCompleted(t *testing.T) {
	t.Parallel()
	brokenBody(t, "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-VNeID-Subject: forged\r\n\r\n", nil, upstream.ErrRequestBody)
}

func TestABodyThatBreaksOffIsNeverCompletedAtTheUpstream(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ fields, body string }{
		"shorter than its length": {"Content-Length: 20000\r\n", strings.Repeat("x", 19999)},
		"in the first bytes":      {"Content-Length: 20000\r\n", strings.Repeat("x", 9000)},
		"chunked without an end":  {"Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"},
		"chunked inside a chunk":  {"Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nff\r\nabc"},
		"chunked before the CRLF": {"Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"},
		"malformed chunk":         {"Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nzz\r\n"},
		"bare LF in chunk line":   {"Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n5\nhello\r\n0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			brokenBody(t, c.fields, c.body, nil, upstream.ErrRequestBody)
		})
	}
}

// fasthttp by itself ends a body that broke off as if it were whole.
func TestABodyShorterThanItsLengthIsFoundWithoutTheFramingChecksToo(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.OK()))
	c := newFront(t, setup{addresses: []string{recorder.Address()}, unchecked: true}).client(t)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 19999))
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if resp, _, _ := c.read("POST"); !refused(resp, upstream.ErrRequestBody) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if got := await(t, recorder, 1)[0]; !errors.Is(got.Err, origin.ErrCut) {
		t.Errorf("upstream: %v", got.Err)
	}
}

func TestAnUploadThatGetsNoAnswerInTimeIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n"} {
		recorder := record(t, origin.Always(origin.Answer{}))
		f := newFront(t, setup{addresses: []string{recorder.Address()}, timeouts: upstream.Timeouts{
			Connect: time.Minute, FirstByte: 50 * time.Millisecond, Idle: time.Minute,
		}})
		c := f.client(t)
		c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
		if resp, _, _ := c.read("POST"); !refused(resp, upstream.ErrTimeout) {
			t.Errorf("%q: %d %v", body, resp.StatusCode, resp.Header)
		}
	}
}

func TestABodyBeyondTheBoundIsCutAtTheUpstream(t *testing.T) {
	t.Parallel()
	bound := func(r *upstream.Request) { r.MaxBody = 10 }
	brokenBody(t, "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", bound, upstream.ErrBodyTooLarge)
}

// brokenBody sends a request whose body cannot be completed, ends the client's
// side, and wants the error, and an upstream that never saw a whole request.
func brokenBody(t *testing.T, fields, body string, edit func(*upstream.Request), want error) {
	t.Helper()
	recorder := record(t, origin.Always(origin.OK()))
	f := newFront(t, setup{addresses: []string{recorder.Address()}, request: edit})
	c := f.client(t)
	c.send("POST /broken HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body)
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if resp, _, _ := c.read("POST"); !refused(resp, want) || !resp.Close {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if _, err := c.br.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the client's connection goes on: %v", err)
	}
	// A sound request after it, so that there is something to wait for.
	f.client(t).get("/sound")
	for _, got := range await(t, recorder, 2) {
		if whole := got.Err == nil; whole != strings.HasPrefix(got.Lines()[0], "GET /sound") || !whole && !errors.Is(got.Err, origin.ErrCut) {
			t.Errorf("%q: %v", got.Lines()[0], got.Err)
		}
	}
}

func TestWhatTheClientSentGoesOnBeforeItSendsMore(t *testing.T) {
	t.Parallel()
	seen := make(chan string)
	address := serve(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		part := make([]byte, 5)
		for range 2 {
			_, _ = io.ReadFull(req.Body, part)
			seen <- string(part)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	c := newFront(t, setup{addresses: []string{address}}).client(t)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
	if got := <-seen; got != "first" {
		t.Errorf("got %q", got)
	}
	c.send("5\r\nagain\r\n0\r\n\r\n")
	if got := <-seen; got != "again" {
		t.Errorf("got %q", got)
	}
	if resp, _, err := c.read("POST"); resp.StatusCode != 200 || err != nil {
		t.Errorf("%d %v", resp.StatusCode, err)
	}
}

// RFC 9112 section 9.5.
func TestAnEarlyRefusalReachesTheClientAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, body string }{
		"short":  {"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig", "big"},
		"stream": {"HTTP/1.1 413 Too Large\r\nContent-Length: 60000\r\n\r\n" + strings.Repeat("x", 60000), strings.Repeat("x", 60000)},
	} {
		for stalled, stops := range map[string]bool{"client waits": false, "upstream stops reading": true} {
			t.Run(name+", "+stalled, func(t *testing.T) {
				t.Parallel()
				finished := make(chan struct{})
				defer close(finished)
				address := serve(t, func(conn net.Conn) {
					if _, err := http.ReadRequest(bufio.NewReaderSize(conn, 16)); err != nil {
						return
					}
					_, _ = io.WriteString(conn, c.answer)
					<-finished // reads no more, and stays
				})
				f := newFront(t, setup{addresses: []string{address}})
				client := f.client(t)
				client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n" + strings.Repeat("x", 10000))
				if stops {
					go func() {
						part := make([]byte, 1<<20)
						for {
							if _, err := client.Write(part); err != nil {
								return
							}
						}
					}()
				}
				resp := client.head("POST")
				if resp.StatusCode != 413 {
					t.Fatalf("%d %v", resp.StatusCode, resp.Header)
				}
				if !stops { // otherwise the reset of the unread upload may overtake it
					if body, err := io.ReadAll(resp.Body); string(body) != c.body || err != nil {
						t.Errorf("%d bytes, %v", len(body), err)
					}
				}
				if n := f.rested(t); n != 0 {
					t.Errorf("%d connections kept in the middle of a request", n)
				}
				if name == "stream" {
					f.ended(t, 1)
				}
			})
		}
	}
}

func TestAnEarlyRefusalEndsAWriteThatTheUpstreamDoesNotTake(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	long := upstream.Timeouts{Connect: time.Hour, FirstByte: time.Hour, Idle: time.Hour}
	f := newFront(t, setup{addresses: []string{"pipe"}, timeouts: long, dial: func(context.Context, string, string) (net.Conn, error) {
		// Nothing is buffered between the two ends.
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			br := bufio.NewReader(theirs)
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, br, size/2)
			_, _ = io.WriteString(theirs, "HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\n\r\n")
			<-t.Context().Done()
		}()
		return ours, nil
	}})
	c := f.client(t)
	go func() {
		_, _ = io.WriteString(c, fmt.Sprintf("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size)+strings.Repeat("x", size))
	}()
	if resp := c.head("PUT"); resp.StatusCode != 507 {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestAnAnswerThatIsNoErrorDoesNotEndTheUpload(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	address := serve(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		n, err := io.Copy(io.Discard, req.Body)
		count := fmt.Sprint(n, err)
		_, _ = fmt.Fprintf(conn, "%x\r\n%s\r\n0\r\n\r\n", len(count), count)
	})
	c := newFront(t, setup{addresses: []string{address}}).client(t)
	c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size) + strings.Repeat("x", size))
	if resp, body, err := c.read("POST"); resp.StatusCode != 200 || body != fmt.Sprint(size, " <nil>") || err != nil {
		t.Errorf("%d %q %v", resp.StatusCode, body, err)
	}
}

func TestAnUploadThatStallsIsGivenUp(t *testing.T) {
	t.Parallel()
	soon := upstream.Timeouts{Connect: time.Minute, FirstByte: 50 * time.Millisecond, Idle: 2 * time.Second}
	t.Run("client", func(t *testing.T) {
		t.Parallel()
		recorder := record(t, origin.Always(origin.OK()))
		c := newFront(t, setup{addresses: []string{recorder.Address()}, timeouts: soon}).client(t)
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 10000))
		if resp, _, _ := c.read("POST"); !refused(resp, upstream.ErrRequestBody) {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
		if got := await(t, recorder, 1)[0]; !errors.Is(got.Err, origin.ErrCut) {
			t.Errorf("upstream: %v", got.Err)
		}
	})
	t.Run("upstream", func(t *testing.T) {
		t.Parallel()
		finished := make(chan struct{})
		defer close(finished)
		address := serve(t, func(net.Conn) { <-finished })
		c := newFront(t, setup{addresses: []string{address}, timeouts: soon}).client(t)
		go func() {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
			part := make([]byte, 1<<20)
			for {
				if _, err := c.Write(part); err != nil {
					return
				}
			}
		}()
		if resp := c.head("POST"); !refused(resp, upstream.ErrTimeout) {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
	})
}
