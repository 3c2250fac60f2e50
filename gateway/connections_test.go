package gateway

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// wantRest reads to the end of the connection, which must be the given text.
func (c *client) wantRest(suffix string) {
	c.tb.Helper()
	rest, err := io.ReadAll(c.in)
	if err != nil || !strings.HasSuffix(string(rest), suffix) {
		c.tb.Errorf("%q %v", rest, err)
	}
}

func TestConnectionsBeyondTheBoundAreClosedAndCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{top: "limits: { connections: 2 }"})
	a, b := r.dial(), r.dial()
	a.send(openGet + "\r\n").answer("GET")
	b.send(openGet + "\r\n").answer("GET")
	for n := 1; n <= 3; n++ {
		surplus := r.dial()
		surplus.wantEnd()
		r.wantMetric(float64(n), "connections_refused_total")
	}
	if got := a.send(openGet + "\r\n").answer("GET"); got.status != 200 {
		t.Errorf("one within the bound: %d", got.status)
	}
	a.Close()
	r.eventually("room", func() bool { return r.metric("connections") == 1 })
	if got := r.get("/open/x"); got.status != 200 {
		t.Errorf("after one left: %d", got.status)
	}
}

func TestHTTP10ClientsAreServed(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{answer: origin.InTurn(origin.OK(),
		origin.Answer{Raw: []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n")},
		origin.Answer{Raw: []byte("HTTP/1.0 200 OK\r\n\r\ngood"), End: origin.Close},
		origin.OK())})
	head := strings.Replace(openGet, "1.1", "1.0", 1)
	for range 3 {
		a := r.dial().send(head + "\r\n").answer("GET")
		if a.status != 200 || a.body != "good" || !a.closes || len(a.raw.TransferEncoding) > 0 {
			t.Errorf("%d %q, closes %v, %v", a.status, a.body, a.closes, a.raw.TransferEncoding)
		}
	}
	conn := r.dial()
	for range 2 {
		a := conn.send(head + "Connection: keep-alive\r\n\r\n").answer("GET")
		if a.status != 200 || a.body != "good" || !strings.EqualFold(a.header.Get("Connection"), "keep-alive") {
			t.Errorf("%d %q %v", a.status, a.body, a.header)
		}
	}
	if a := r.dial().send(strings.Replace(head, "/open/x", "/private", 1) + "\r\n").answer("GET"); a.status != 401 || !a.closes {
		t.Errorf("refused: %d, closes %v", a.status, a.closes)
	}
	r.idle()
	r.wantMetric(6, "requests_total")
}

func TestResponsesWithoutABodyHaveNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, response string
		status           int
		length           string
	}{
		"HEAD":               {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", 200, "1234"},
		"HEAD of chunks":     {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, ""},
		"204":                {"GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
		"304":                {"GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", 304, ""},
		"empty":              {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "0"},
		"interim, then 200":  {"GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "0"},
		"HEAD of an error":   {"HEAD", "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", 404, "9"},
		"304 with a length":  {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "*"},
		"HEAD with no frame": {"HEAD", "HTTP/1.1 200 OK\r\n\r\n", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{answer: reply(c.response, origin.KeepOpen)})
			conn := r.dial()
			for range 3 {
				a := conn.send(request(c.method, "/open/x")).answer(c.method)
				if a.status != c.status || a.body != "" || c.length != "*" && a.header.Get("Content-Length") != c.length {
					t.Errorf("%d %q %v", a.status, a.body, a.header)
				}
			}
			r.wantMetric(3, "requests_total", "outcome=allowed")
			r.wantMetric(1, "upstream_connections")
		})
	}
}

func TestRefusedHeadHasNoBody(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	conn := r.dial()
	for range 2 {
		a := conn.send(request("HEAD", "/private")).answer("HEAD")
		if a.status != 401 || a.body != "" || a.header.Get("Content-Length") == "0" {
			t.Errorf("%d %q %v", a.status, a.body, a.header)
		}
	}
	if a := conn.send(request("GET", "/open/x")).answer("GET"); a.status != 200 || a.body != "good" {
		t.Errorf("%d %q", a.status, a.body)
	}
}

func TestHopFieldsEndAtTheGateway(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{answer: reply("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"+
		"X-End: 2\r\nUpgrade: h2c\r\nProxy-Authenticate: x\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\ngood", origin.Close)})
	conn := r.dial()
	a := conn.send(request("GET", "/open/x", "Connection: X-Hop, keep-alive", "X-Hop: 1", "X-End: 2", "TE: trailers", "Upgrade: websocket", "Keep-Alive: x",
		"Proxy-Authorization: Basic x", "Proxy-Connection: x")).answer("GET")
	for _, name := range []string{"X-Hop", "Keep-Alive", "Upgrade", "Proxy-Authenticate", "Connection"} {
		if a.header.Get(name) != "" {
			t.Errorf("the client got %s: %q", name, a.header.Get(name))
		}
		if got := r.upstream.Requests()[0].Values(name); len(got) > 0 {
			t.Errorf("the upstream got %s: %q", name, got)
		}
	}
	for _, name := range []string{"TE", "Proxy-Authorization", "Proxy-Connection"} {
		if got := r.upstream.Requests()[0].Values(name); len(got) > 0 {
			t.Errorf("the upstream got %s: %q", name, got)
		}
	}
	if a.header.Get("X-End") != "2" || len(a.header.Values("Set-Cookie")) != 2 || r.upstream.Requests()[0].Values("X-End")[0] != "2" {
		t.Errorf("lost: %v", a.header)
	}
	// The upstream closed its connection; the client's stays.
	if a := conn.send(request("GET", "/open/x")).answer("GET"); a.status != 200 {
		t.Errorf("%d", a.status)
	}
}

func TestClientThatLeavesMidResponseIsCountedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{upstreams: "[" + startSite(t) + "]"})
	tok := r.token()
	for _, target := range []string{"/bytes?n=1000000000", "/bytes?chunked=1&n=1000000000"} {
		for _, protocol := range []string{"1.1", "1.0"} {
			conn := r.dial().send(strings.Replace(request("GET", target, bearer(tok)), "1.1", protocol, 1))
			if _, err := io.ReadFull(conn.in, make([]byte, 100_000)); err != nil {
				t.Fatal(err)
			}
			_ = conn.Conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}
	r.idle()
	r.wantMetric(4, "requests_total", "site=hanoi")
	r.eventually("all closed", func() bool { return r.metric("upstream_connections")+r.metric("connections") == 0 })
	lines := r.log.lines("request")
	for _, line := range lines {
		if line["broken_off"] != true || line["bytes"].(float64) < 50_000 {
			t.Errorf("%v", line)
		}
	}
	if len(lines) != 4 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestPipelinedRequestsAreAnsweredInTheirOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{upstreams: "[" + startSite(t) + "]"})
	conn := r.dial()
	raw := ""
	for i := range 20 {
		raw += request([]string{"GET", "POST"}[i%2], "/open/"+decimal(i), []string{"X: y", "Content-Length: 5"}[i%2]) + []string{"", "hello"}[i%2]
	}
	conn.send(raw)
	for i := range 20 {
		if a := conn.answer("GET"); a.status != 200 || !strings.Contains(a.body, `"/open/`+decimal(i)+`"`) {
			t.Errorf("%d: %d %s", i, a.status, a.body)
		}
	}
}

func TestUploadsAndDownloadsKeepTheirBytes(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{upstreams: "[" + startSite(t) + "]"})
	const size = 8 << 20
	conn := r.dial()
	go func() {
		w := bufio.NewWriter(conn)
		_, _ = w.WriteString(request("POST", "/upload", bearer(r.token()), "Content-Length: "+decimal(size), "Expect: 100-continue"))
		_, _ = io.CopyN(w, zeros8{}, size)
		_, _ = w.WriteString(request("POST", "/upload", bearer(r.token()), "Transfer-Encoding: chunked"))
		for range 8 {
			_, _ = w.WriteString(hexadecimal(size/8) + "\r\n")
			_, _ = io.CopyN(w, zeros8{}, size/8)
			_, _ = w.WriteString("\r\n")
		}
		_, _ = w.WriteString("0\r\n\r\n")
		_ = w.Flush()
	}()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if line, err := conn.in.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q %v", line, err)
	}
	_, _ = conn.in.ReadString('\n')
	for range 2 {
		if a := conn.answer("POST"); a.status != 200 || !strings.Contains(a.body, decimal(size)) {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

type zeros8 struct{}

func (zeros8) Read(p []byte) (int, error) { clear(p); return len(p), nil }
