package upstream_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// thinking is an upstream that reads a request, whole, and then says nothing; it
// tells when it begins to think and when its connection has ended.
func thinking(t *testing.T, first string) (address string, begun, ended chan struct{}) {
	t.Helper()
	begun, ended = make(chan struct{}, 1), make(chan struct{}, 1)
	return serve(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(conn, first)
		begun <- struct{}{}
		_, _ = br.ReadByte()
		ended <- struct{}{}
	}), begun, ended
}

// fasthttp tells its handler nothing of a client that goes. All time limits here
// are a minute.
func TestAnUpstreamIsLeftWhenItsClientIsGone(t *testing.T) {
	t.Parallel()
	const head, length = "HTTP/1.1 200 OK\r\n", "Content-Length: 100000\r\n"
	get := "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	closes := func(c *client) { _ = c.Close() }
	for name, c := range map[string]struct {
		request, first string
		leave          func(*client)
		streams        bool
	}{
		"before the head":         {get, "", closes, false},
		"in the head":             {get, head + "X: ", closes, false},
		"after an interim one":    {get, "HTTP/1.1 103 Early Hints\r\n\r\n", closes, false},
		"in a short body":         {get, head + "Content-Length: 10\r\n\r\nhello", closes, false},
		"in a stream":             {get, head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", closes, true},
		"inside a chunk":          {get, head + "Transfer-Encoding: chunked\r\n\r\n50\r\nhello", closes, true},
		"in a long body":          {get, head + length + "\r\nhello", closes, true},
		"in events":               {get, head + "Content-Type: text/event-stream\r\n\r\ndata: x\n\n", closes, true},
		"after an upload":         {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "", closes, false},
		"after a large upload":    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000), "", closes, false},
		"after chunks":            {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "", closes, false},
		"HTTP/1.0":                {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", head + "\r\nhello", closes, true},
		"with requests behind it": {get + get + get, "", closes, false},
		"by a reset":              {get, "", func(c *client) { _ = c.Conn.(*net.TCPConn).SetLinger(0); _ = c.Close() }, false},
		"by half":                 {get, "", func(c *client) { _ = c.Conn.(*net.TCPConn).CloseWrite() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, begun, ended := thinking(t, c.first)
			f := newFront(t, setup{addresses: []string{address}})
			conn := f.client(t)
			conn.send(c.request)
			<-begun
			c.leave(conn)
			<-ended
			if c.streams {
				if ends := f.ended(t, 1); ends[0].err == nil {
					t.Errorf("%+v", ends)
				}
			}
			if n := f.rested(t); n != 0 {
				t.Errorf("%d connections kept", n)
			}
			// The error is for the one who half closed alone to see.
			if name == "by half" {
				if resp, _, _ := conn.read("GET"); !refused(resp, upstream.ErrClientGone) {
					t.Errorf("%d %v", resp.StatusCode, resp.Header)
				}
			}
		})
	}
}

// As a browser would: https://html.spec.whatwg.org/multipage/server-sent-events.html.
func TestAnEventArrivesBeforeTheNextIsMade(t *testing.T) {
	t.Parallel()
	const events = 20
	seen := make(chan string)
	events20 := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range events {
			_, _ = fmt.Fprintf(w, "id: %d\ndata: %s\n\n", i, strings.Repeat("x", i*500))
			w.(http.Flusher).Flush()
			if got := <-seen; got != fmt.Sprint("id: ", i) {
				t.Errorf("event %d: %q", i, got)
			}
		}
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: events20}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	f := newFront(t, setup{addresses: []string{ln.Addr().String()}})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	resp, err := (&http.Client{Transport: transport}).Get("http://" + f.address + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines, n := bufio.NewScanner(resp.Body), 0
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "id: ") {
			seen <- lines.Text()
			n++
		}
	}
	if n != events || lines.Err() != nil {
		t.Errorf("%d events, %v", n, lines.Err())
	}
}

func TestOnlyWhatNeverEndsIsEndedAtItsTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fields string
		cut    bool
	}{
		"events":          {"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n", true},
		"events, spelt":   {"Content-Type: Text/Event-Stream ; charset=utf-8\r\nTransfer-Encoding: chunked\r\n", true},
		"a long download": {"Content-Type: application/pdf\r\nTransfer-Encoding: chunked\r\n", false},
		"without a type":  {"Transfer-Encoding: chunked\r\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			more := make(chan struct{})
			address := serve(t, func(conn net.Conn) {
				br := bufio.NewReader(conn)
				_, _ = http.ReadRequest(br)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+c.fields+"\r\n4\r\none\n\r\n")
				if c.cut {
					_, _ = br.ReadByte()
					return
				}
				<-more
				_, _ = io.WriteString(conn, "4\r\ntwo\n\r\n0\r\n\r\n")
			})
			until := time.Now().Add(200 * time.Millisecond)
			f := newFront(t, setup{addresses: []string{address}, request: func(r *upstream.Request) { r.Until = until }})
			conn := f.client(t)
			conn.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if !c.cut {
				<-time.After(time.Until(until))
				close(more)
			}
			_, body, err := conn.read("GET")
			end := f.ended(t, 1)[0]
			if c.cut && (body != "one\n" || err == nil || !errors.Is(end.err, upstream.ErrExpired)) || !c.cut && (body != "one\ntwo\n" || err != nil || end.err != nil) {
				t.Errorf("%q %v, %+v", body, err, end)
			}
		})
	}
}

func TestABodySlowerThanTheRateIsCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fields, body string
		reached      bool
	}{
		"length":  {"Content-Length: 100000\r\n", strings.Repeat("x", 9000), true},
		"chunked": {"Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n", true},
		// A head goes out with the first of its body.
		"nothing": {"Transfer-Encoding: chunked\r\n", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := record(t, origin.Always(origin.OK()))
			s := &upstream.Streaming{RequestRate: upstream.Rate{BytesPerSecond: 1 << 20, Grace: 50 * time.Millisecond}}
			f := newFront(t, setup{addresses: []string{recorder.Address()}, request: with(s)})
			conn := f.client(t)
			conn.send("POST / HTTP/1.1\r\nHost: a\r\n" + c.fields + "\r\n" + c.body)
			if resp, _, _ := conn.read("POST"); !refused(resp, upstream.ErrBodySlow) || !resp.Close {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
			if !c.reached {
				f.rested(t)
				if n := len(recorder.Requests()); n != 0 {
					t.Errorf("%d requests", n)
				}
			} else if got := await(t, recorder, 1)[0]; !errors.Is(got.Err, origin.ErrCut) {
				t.Errorf("upstream: %v", got.Err)
			}
		})
	}
	if !errors.Is(upstream.ErrBodySlow, upstream.ErrRequestBody) {
		t.Error("a slow body is not the client's fault")
	}
}

func TestADripIsCutThoughItNeverStops(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.OK()))
	s := &upstream.Streaming{RequestRate: upstream.Rate{BytesPerSecond: 1 << 20, Grace: 100 * time.Millisecond}}
	conn := newFront(t, setup{addresses: []string{recorder.Address()}, request: with(s)}).client(t)
	conn.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	stop := make(chan struct{})
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if _, err := io.WriteString(conn, "1\r\nx\r\n"); err != nil {
					return
				}
			case <-stop:
				return
			}
		}
	}()
	resp := conn.head("POST")
	close(stop)
	if !refused(resp, upstream.ErrBodySlow) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestTheSlownessOfAnUpstreamIsNotTheClients(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	begin := make(chan struct{})
	address := serve(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		<-begin // until then the client can send no more
		n, _ := io.Copy(io.Discard, req.Body)
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX-Got: %d\r\nContent-Length: 0\r\n\r\n", n)
	})
	s := &upstream.Streaming{RequestRate: upstream.Rate{BytesPerSecond: 1 << 30, Grace: 5 * time.Second}}
	conn := newFront(t, setup{addresses: []string{address}, request: with(s)}).client(t)
	conn.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size))
	var sent atomic.Int64
	go func() {
		part := make([]byte, 64<<10)
		for range size / len(part) {
			n, err := conn.Write(part)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}()
	awaitStandstill(t, &sent)
	close(begin)
	if resp := conn.head("POST"); resp.Header.Get("X-Got") != fmt.Sprint(size) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestAResponseTakenMoreSlowlyThanTheRateIsCut(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.1", "1.0"} {
		for _, framing := range []string{"Content-Length: 1000000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3b9aca00\r\n"} {
			address := serve(t, func(conn net.Conn) {
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+framing)
				_, _ = io.CopyN(conn, zeros{}, 1000000000)
			})
			s := &upstream.Streaming{ResponseRate: upstream.Rate{BytesPerSecond: 1 << 30, Grace: 20 * time.Millisecond}}
			f := newFront(t, setup{addresses: []string{address}, request: with(s)})
			conn := f.client(t)
			conn.send("GET / HTTP/" + version + "\r\nHost: a\r\n\r\n")
			if end := f.ended(t, 1)[0]; !errors.Is(end.err, upstream.ErrReaderSlow) || end.sent == 0 {
				t.Errorf("%s: %+v", version, end)
			}
		}
	}
}

func TestABodyThatEndsWithItsConnectionIsNotWholeAfterAReset(t *testing.T) {
	t.Parallel()
	part := strings.Repeat("x", 30000)
	for _, version := range []string{"1.1", "1.0"} {
		for _, head := range []string{"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"} {
			reset := make(chan struct{})
			address := serve(t, func(conn net.Conn) {
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, head+part)
				<-reset
				_ = conn.(*net.TCPConn).SetLinger(0)
			})
			f := newFront(t, setup{addresses: []string{address}})
			conn := f.client(t)
			conn.send("GET / HTTP/" + version + "\r\nHost: a\r\n\r\n")
			resp := conn.head("GET")
			if _, err := io.ReadFull(resp.Body, make([]byte, len(part))); err != nil {
				t.Fatal(err)
			}
			close(reset)
			rest, err := io.ReadAll(resp.Body)
			if err == nil || len(rest) > 0 || version == "1.0" && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("HTTP/%s got a whole response (%d bytes more, %v)", version, len(rest), err)
			}
			if end := f.ended(t, 1)[0]; end.err == nil || end.sent != int64(len(part)) {
				t.Errorf("%+v", end)
			}
		}
	}
}

func TestTrailersOfAStreamStayAtTheGateway(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 40000)
	raw := fmt.Sprintf("HTTP/1.1 200 OK\r\nTrailer: X-VNeID-Subject\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nX-VNeID-Subject: forged\r\nSet-Cookie: a=b\r\n\r\n", len(body), body)
	for _, version := range []string{"1.1", "1.0"} {
		f := newFront(t, setup{addresses: []string{record(t, origin.Always(answer(raw))).Address()}})
		conn := f.client(t)
		conn.send("GET / HTTP/" + version + "\r\nHost: a\r\nConnection: close\r\n\r\n")
		got, err := conn.raw()
		if err != nil || strings.Contains(got, "forged") || strings.Contains(got, "Trailer") || strings.Contains(got, "Set-Cookie") ||
			version == "1.1" && !strings.HasSuffix(got, "\r\n0\r\n\r\n") {
			t.Errorf("HTTP/%s: %.200q ... %.50q, %v", version, got, got[max(0, len(got)-50):], err)
		}
		if n := f.rested(t); n != 1 {
			t.Errorf("%d connections kept", n)
		}
	}
}

// awaitStandstill waits until a counter has begun to move and moves no more.
func awaitStandstill(t *testing.T, counter *atomic.Int64) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for before := int64(0); before == 0 || before != counter.Load(); {
		before = counter.Load()
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("never stands still")
		}
	}
}

// Not parallel: they look at the memory of the whole process. What is allowed is
// for each of them a few buffers, and far from a body.
const (
	crowd        = 50
	crowdBody    = 8 << 20
	crowdCeiling = crowd * 256 << 10
)

func TestFiftyUploadsToASlowUpstreamTakeLittleMemory(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{}, crowd)
	address := serve(t, func(conn net.Conn) {
		br := bufio.NewReaderSize(conn, 4<<10)
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		entered <- struct{}{}
		<-release // takes nothing before all are there
		n, _ := io.Copy(io.Discard, req.Body)
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX-Got: %d\r\nContent-Length: 0\r\n\r\n", n)
	})
	f := newFront(t, setup{addresses: []string{address}})
	most := watchHeap(t)
	var uploads sync.WaitGroup
	var sent atomic.Int64
	for range crowd {
		conn := f.client(t)
		conn.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", crowdBody))
		uploads.Go(func() {
			part := make([]byte, 64<<10)
			for range crowdBody / len(part) {
				n, err := conn.Write(part)
				if sent.Add(int64(n)); err != nil {
					t.Error(err)
					return
				}
			}
			if resp := conn.head("POST"); resp.Header.Get("X-Got") != fmt.Sprint(crowdBody) {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
		})
	}
	for range crowd {
		<-entered
	}
	awaitStandstill(t, &sent) // every buffer on the way is full
	if sent.Load() == crowd*crowdBody {
		t.Error("nobody had to wait: the bodies are too small for this test")
	}
	close(release)
	uploads.Wait()
	if grown := most(); grown > crowdCeiling {
		t.Errorf("the heap grew by %d KiB, %d KiB an upload", grown>>10, grown>>10/crowd)
	}
}

// A gateway that buffers responses needed 3.7 GiB for thirty such readers.
func TestFiftySlowReadersOfLargeDownloadsTakeLittleMemory(t *testing.T) {
	for _, framing := range []string{"length", "chunked"} {
		t.Run(framing, func(t *testing.T) {
			var written atomic.Int64
			address := serve(t, func(conn net.Conn) {
				_, _ = http.ReadRequest(bufio.NewReaderSize(conn, 4<<10))
				head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", crowdBody)
				if framing == "chunked" {
					head = fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", crowdBody)
				}
				_, _ = io.WriteString(conn, head)
				part := make([]byte, 64<<10)
				for range crowdBody / len(part) {
					n, err := conn.Write(part)
					if written.Add(int64(n)); err != nil {
						return
					}
				}
				if framing == "chunked" {
					_, _ = io.WriteString(conn, "\r\n0\r\n\r\n")
				}
			})
			f := newFront(t, setup{addresses: []string{address}})
			most := watchHeap(t)
			readers := make([]*client, crowd)
			for i := range readers {
				readers[i] = f.client(t)
				readers[i].send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			}
			awaitStandstill(t, &written) // every buffer on the way is full
			if written.Load() == crowd*crowdBody {
				t.Error("nobody had to wait: the bodies are too small for this test")
			}
			for i, r := range readers {
				resp := r.head("GET")
				if n, err := io.Copy(io.Discard, resp.Body); n != crowdBody || err != nil {
					t.Errorf("reader %d: %d bytes, %v", i, n, err)
				}
			}
			if grown := most(); grown > crowdCeiling {
				t.Errorf("the heap grew by %d KiB, %d KiB a reader", grown>>10, grown>>10/crowd)
			}
		})
	}
}
