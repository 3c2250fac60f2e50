package upstream_test

import (
	"bufio"
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

// responseBytes is a whole response as a client got it that closes after it.
func responseBytes(t *testing.T, method, version, raw string, end origin.End) (string, error) {
	t.Helper()
	recorder := record(t, origin.Always(origin.Answer{Raw: []byte(raw), End: end}))
	c := newFront(t, setup{addresses: []string{recorder.Address()}}).client(t)
	c.send(method + " / HTTP/" + version + "\r\nHost: a\r\nConnection: close\r\n\r\n")
	return c.raw()
}

func TestResponsesReachTheClientWhole(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789abcdef", 8<<10) // 128 KiB
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		method, raw string
		end         origin.End
		want        string // without the lines that front and fasthttp add
	}{
		"short":              {"GET", ok + "Content-Length: 4\r\n\r\ngood", origin.KeepOpen, ok + "Content-Length: 4\r\n\r\ngood"},
		"empty":              {"GET", ok + "Content-Length: 0\r\n\r\n", origin.KeepOpen, ok + "Content-Length: 0\r\n\r\n"},
		"large":              {"GET", ok + "Content-Length: 131072\r\n\r\n" + large, origin.KeepOpen, ok + "Content-Length: 131072\r\n\r\n" + large},
		"chunked":            {"GET", ok + "Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\nA\r\n0123456789\r\n0\r\n\r\n", origin.KeepOpen, ok + "Content-Length: 14\r\n\r\ngood0123456789"},
		"chunked empty":      {"GET", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", origin.KeepOpen, ok + "Content-Length: 0\r\n\r\n"},
		"chunked trailers":   {"GET", ok + "Trailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\nX-T: 1\r\nSet-Cookie: a=b\r\n\r\n", origin.KeepOpen, ok + "Content-Length: 4\r\n\r\ngood"},
		"until close":        {"GET", ok + "\r\ngood", origin.Close, ok + "Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"},
		"HTTP/1.0":           {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\ngood", origin.Close, ok + "Content-Length: 4\r\n\r\ngood"},
		"HTTP/1.0 no length": {"GET", "HTTP/1.0 200 OK\r\n\r\ngood", origin.Close, ok + "Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"},
		"HEAD":               {"HEAD", ok + "Content-Length: 4\r\nETag: \"x\"\r\n\r\n", origin.KeepOpen, ok + "Content-Length: 4\r\nEtag: \"x\"\r\n\r\n"},
		"HEAD no length":     {"HEAD", ok + "\r\n", origin.KeepOpen, ok + "\r\n"},
		"HEAD chunked":       {"HEAD", ok + "Transfer-Encoding: chunked\r\n\r\n", origin.KeepOpen, ok + "\r\n"},
		"204":                {"GET", "HTTP/1.1 204 No Content\r\n\r\n", origin.KeepOpen, "HTTP/1.1 204 No Content\r\n\r\n"},
		"304":                {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", origin.KeepOpen, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"},
		"own reason phrase":  {"GET", "HTTP/1.1 299 So la la\r\nContent-Length: 0\r\n\r\n", origin.KeepOpen, "HTTP/1.1 299 So la la\r\nContent-Length: 0\r\n\r\n"},
		"interim":            {"GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 4\r\n\r\ngood", origin.KeepOpen, ok + "Content-Length: 4\r\n\r\ngood"},
		"no default fields":  {"GET", ok + "Content-Length: 1\r\n\r\nx", origin.KeepOpen, ok + "Content-Length: 1\r\n\r\nx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := responseBytes(t, c.method, "1.1", c.raw, c.end)
			got = strings.NewReplacer("X-Front: added later\r\n", "", "Connection: close\r\n", "").Replace(got)
			if got != c.want || err != nil {
				t.Errorf("got %.300q, %v", got, err)
			}
		})
	}
}

// RFC 9110 sections 5.3 and 7.6.1.
func TestResponseFieldsOfOneHopAreRemovedAndTheOthersKeepTheirOrder(t *testing.T) {
	t.Parallel()
	got, err := responseBytes(t, "GET", "1.1", "HTTP/1.1 200 OK\r\n"+
		"Connection: keep-alive, X-Hop\r\n"+
		"Keep-Alive: timeout=5\r\n"+
		"Link: <1>\r\n"+
		"x-hop: gone\r\n"+
		"Link: <2>\r\n"+
		"CONNECTION: Content-Length , x-other\r\n"+
		"Link: <3>\r\n"+
		"X-Other: gone\r\n"+
		"Proxy-Authenticate: gone\r\n"+
		"proxy-connection: gone\r\n"+
		"Upgrade: h2c\r\n"+
		"TE: gone\r\n"+
		"Trailer: X-Gone\r\n"+
		"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"+
		"Server: own/1\r\n"+
		"Content-Type: text/x\r\n"+
		"Content-Encoding: x\r\n"+
		"Set-Cookie: b=2; Path=/\r\n"+
		"Set-Cookie: a=1\r\n"+
		"Content-Length: 4\r\n"+
		"Link: <4>\r\n"+
		"\r\ngood", origin.KeepOpen)
	want := "HTTP/1.1 200 OK\r\n" +
		"Server: own/1\r\n" +
		"Content-Type: text/x\r\n" +
		"Content-Encoding: x\r\n" +
		"Content-Length: 4\r\n" +
		"Link: <1>\r\nLink: <2>\r\nLink: <3>\r\n" +
		"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" +
		"Link: <4>\r\n" +
		"X-Front: added later\r\n" +
		"Set-Cookie: b=2; Path=/\r\nSet-Cookie: a=1\r\n" +
		"Connection: close\r\n" +
		"\r\ngood"
	if got != want || err != nil {
		t.Errorf("got  %q, %v\nwant %q", got, err, want)
	}
}

func TestResponsesThatCanBeReadInTwoWaysAreRefused(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, raw := range map[string]string{
		"not HTTP":               "SSH-2.0-x\r\n\r\n",
		"HTTP/2":                 "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"status of two digits":   "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
		"length and coding":      ok + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n",
		"two lengths":            ok + "Content-Length: 4\r\nContent-Length: 5\r\n\r\ngood!",
		"signed length":          ok + "Content-Length: +4\r\n\r\ngood",
		"unknown coding":         ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.0 chunked":       "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"folded line":            ok + "X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
		"bare LF":                "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
		"space before the colon": ok + "Content-Length : 0\r\n\r\n",
		"NUL":                    ok + "X-A: \x00\r\nContent-Length: 0\r\n\r\n",
		"head beyond the bound":  ok + "X-A: " + strings.Repeat("x", 17<<10) + "\r\nContent-Length: 0\r\n\r\n",
		"unasked 101":            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
		"endless interim":        strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 9) + ok + "Content-Length: 0\r\n\r\n",
		"two content encodings":  ok + "Content-Encoding: a\r\nContent-Encoding: b\r\nContent-Length: 0\r\n\r\n",
		"too many nominations":   ok + "Connection: " + strings.Repeat("a,", 17) + "\r\nContent-Length: 0\r\n\r\n",
		"204 with a body":        "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\ngood",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := record(t, origin.InTurn(answer(raw), origin.OK()))
			f := newFront(t, setup{addresses: []string{recorder.Address()}})
			c := f.client(t)
			c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if resp, _, _ := c.read("GET"); !refused(resp, upstream.ErrResponse) {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
			if n := f.group.Open(); n != 0 {
				t.Errorf("%d connections open", n)
			}
			if _, body := c.get("/next"); body != "good" {
				t.Errorf("then %q", body)
			}
			if requests := await(t, recorder, 2); len(requests) != 2 || requests[1].Conn == requests[0].Conn {
				t.Errorf("%d requests", len(requests))
			}
		})
	}
}

func TestATruncatedShortResponseIsAnError(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(closing("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ngood")))
	c := newFront(t, setup{addresses: []string{recorder.Address()}}).client(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if resp, _, _ := c.read("GET"); !refused(resp, upstream.ErrResponse) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestAResponseThatBreaksOffBeforeItsHeadIsComplete(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 100 Continue\r\n\r\n"} {
		for _, end := range []origin.End{origin.Close, origin.Reset} {
			recorder := record(t, origin.Always(origin.Answer{Raw: []byte(raw), End: end}))
			c := newFront(t, setup{addresses: []string{recorder.Address()}}).client(t)
			c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if resp, _, _ := c.read("GET"); !refused(resp, upstream.ErrClosed) {
				t.Errorf("%q: %d %v", raw, resp.StatusCode, resp.Header)
			}
		}
	}
}

// A second response behind the first one must not answer the next request.
func TestSurplusBytesNeverBecomeTheNextResponse(t *testing.T) {
	t.Parallel()
	const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
	for name, raw := range map[string]string{
		"behind a length":  "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood" + poison,
		"behind chunks":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n" + poison,
		"behind a stream":  "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000) + poison,
		"behind a 204":     "HTTP/1.1 204 No Content\r\n\r\n" + poison,
		"behind a 304":     "HTTP/1.1 304 Not Modified\r\nContent-Length: 44\r\n\r\n" + poison,
		"one line feed":    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood\r\n",
		"behind until-end": "HTTP/1.1 200 OK\r\n\r\n" + poison,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end := origin.KeepOpen
			if strings.HasSuffix(name, "until-end") {
				end = origin.Close
			}
			recorder := record(t, origin.InTurn(origin.Answer{Raw: []byte(raw), End: end}, origin.OK()))
			f := newFront(t, setup{addresses: []string{recorder.Address()}})
			c := f.client(t)
			c.get("/first")
			// What did not come with the end of a stream is found before the
			// connection is used again.
			if n := f.rested(t); n != 0 && name != "behind a stream" {
				t.Errorf("%d connections kept", n)
			}
			if _, body := c.get("/second"); body != "good" {
				t.Errorf("second answer %q", body)
			}
			if requests := await(t, recorder, 2); requests[1].Conn == requests[0].Conn {
				t.Error("the connection was used again")
			}
		})
	}
}

func TestSurplusOnAnIdleConnectionNeverBecomesTheNextResponse(t *testing.T) {
	t.Parallel()
	poison, poisoned := make(chan struct{}), make(chan struct{})
	var served atomic.Int64
	address := serve(t, func(conn net.Conn) {
		first := served.Add(1) == 1
		br := bufio.NewReader(conn)
		for {
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
			if first {
				<-poison
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
				close(poisoned)
			}
		}
	})
	f := newFront(t, setup{addresses: []string{address}})
	c := f.client(t)
	c.get("/first")
	if n := f.group.Idle(); n != 1 {
		t.Fatalf("%d connections kept", n)
	}
	close(poison)
	<-poisoned
	if _, body := c.get("/second"); body != "good" {
		t.Errorf("second answer %q", body)
	}
	if n := served.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestAnUpstreamThatSaysCloseIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw  string
		kept int64
	}{
		"close":               {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 0},
		"close among others":  {"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n", 0},
		"HTTP/1.0":            {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 0},
		"HTTP/1.0 keep-alive": {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", 1},
		"HTTP/1.1":            {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := record(t, origin.Always(answer(c.raw)))
			f := newFront(t, setup{addresses: []string{recorder.Address()}})
			f.client(t).get("/")
			if n := f.group.Idle(); n != c.kept {
				t.Errorf("%d connections kept", n)
			}
		})
	}
}

func TestAnUpstreamThatDoesNotAnswerInTimeIsGivenUp(t *testing.T) {
	t.Parallel()
	const soon = 50 * time.Millisecond
	for name, c := range map[string]struct {
		raw      string
		timeouts upstream.Timeouts
	}{
		"nothing":    {"", upstream.Timeouts{Connect: time.Minute, FirstByte: soon, Idle: time.Minute}},
		"half head":  {"HTTP/1.1 200 OK\r\nCont", upstream.Timeouts{Connect: time.Minute, FirstByte: soon, Idle: time.Minute}},
		"interim":    {"HTTP/1.1 100 Continue\r\n\r\n", upstream.Timeouts{Connect: time.Minute, FirstByte: soon, Idle: time.Minute}},
		"short body": {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ngood", upstream.Timeouts{Connect: time.Minute, FirstByte: time.Minute, Idle: soon}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := record(t, origin.Always(answer(c.raw)))
			client := newFront(t, setup{addresses: []string{recorder.Address()}, timeouts: c.timeouts}).client(t)
			client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if resp, _, _ := client.read("GET"); !refused(resp, upstream.ErrTimeout) {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
		})
	}
}
