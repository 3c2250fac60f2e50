package gateway

import (
	"net"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

func reply(raw string, end origin.End) func(origin.Request) origin.Answer {
	return origin.Always(origin.Answer{Raw: []byte(raw), End: end})
}

func TestUpstreamFaultsHaveTheirCodes(t *testing.T) {
	t.Parallel()
	open := strings.TrimSpace(defaultSite)
	for _, c := range []struct {
		name   string
		s      setup
		status int
		code   string
	}{
		{"no listener", setup{upstreams: "[http://" + closedPort(t) + "]"}, 502, "upstream_unreachable"},
		{"silent", setup{answer: reply("", origin.KeepOpen), site: open + "\n    timeouts: { first_byte: 20ms }"}, 504, "upstream_timeout"},
		{"half a head", setup{answer: reply("HTTP/1.1 200 OK\r\nX: ", origin.KeepOpen), site: open + "\n    timeouts: { first_byte: 20ms }"}, 504, "upstream_timeout"},
		{"closed before a head", setup{answer: reply("", origin.Close)}, 502, "upstream_closed"},
		{"reset before a head", setup{answer: reply("", origin.Reset)}, 502, "upstream_closed"},
		{"not HTTP", setup{answer: reply("SSH-2.0-OpenSSH\r\n\r\n", origin.Close)}, 502, "upstream_response_malformed"},
		{"two lengths", setup{answer: reply("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ngood", origin.Close)}, 502, "upstream_response_malformed"},
		{"length and chunks", setup{answer: reply("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", origin.Close)}, 502, "upstream_response_malformed"},
		{"bare LF", setup{answer: reply("HTTP/1.1 200 OK\nContent-Length: 4\n\ngood", origin.Close)}, 502, "upstream_response_malformed"},
		{"upgrade unasked", setup{answer: reply("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", origin.KeepOpen)}, 502, "upstream_response_malformed"},
		{"flood of interim", setup{answer: reply(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 50), origin.KeepOpen)}, 502, "upstream_response_malformed"},
		{"huge head", setup{answer: reply("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("y", 64<<10)+"\r\n\r\n", origin.Close)}, 502, "upstream_response_malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.s)
			a := r.get("/open/x")
			if a.status != c.status || a.code != c.code {
				t.Errorf("%d %s, want %d %s", a.status, a.code, c.status, c.code)
			}
			r.wantMetric(1, "requests_total", "site=hanoi", "outcome=failed", "reason="+c.code)
			r.wantMetric(0, "in_flight_requests")
			r.wantMetric(0, "upstream_connections")
			if c.name != "no listener" && r.reached() != 1 {
				t.Errorf("sent %d times", r.reached())
			}
			if a.closes {
				t.Error("the client's connection is closed for an upstream's fault")
			}
		})
	}
}

func TestAPostIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	// The first answer keeps the connection; the upstream resets the second
	// request on it, which may have been acted on.
	r := newRig(t, setup{answer: origin.InTurn(origin.OK(), origin.Answer{End: origin.Reset}, origin.OK())})
	for _, want := range []int{200, 502, 200} {
		a := r.dial().send(openPost + "Content-Length: 5\r\n\r\nhello").answer("POST")
		if a.status != want {
			t.Errorf("%d %s, want %d", a.status, a.code, want)
		}
	}
	if r.reached() != 3 {
		t.Errorf("%d requests were sent for 3", r.reached())
	}
}

func TestSaturatedUpstreamIsRefusedNotQueued(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}, 1), make(chan struct{})
	r := newRig(t, setup{site: strings.TrimSpace(defaultSite) + "\n    max_upstream_connections: 1", answer: func(origin.Request) origin.Answer {
		entered <- struct{}{}
		<-release
		return origin.OK()
	}})
	first := r.dial().send(openGet + "\r\n")
	<-entered
	a := r.get("/open/x")
	if a.status != 503 || a.code != "upstream_saturated" || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s %v", a.status, a.code, a.header)
	}
	close(release)
	if a := first.answer("GET"); a.status != 200 {
		t.Errorf("the one that was served: %d", a.status)
	}
	if a := r.get("/open/x"); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.code)
	}
	r.wantMetric(1, "upstream_connections", "site=hanoi")
}

func TestUnreachableUpstreamIsPassedOverForTheNext(t *testing.T) {
	t.Parallel()
	dead := closedPort(t)
	r := newRig(t, setup{upstreams: "[http://" + dead + ", UPSTREAM-LIVE]"})
	// Which one is tried first is drawn.
	for n := 0; n < 6 || r.metric("upstream_dial_failures_total", "upstream="+dead) == 0; n++ {
		if a := r.dial().send(openPost + "Content-Length: 5\r\n\r\nhello").answer("POST"); a.status != 200 {
			t.Errorf("%d %s", a.status, a.code)
		}
		if n == 100 {
			t.Fatal("no failure counted")
		}
	}
}

func TestTruncatedBodyOfTheClientAbortsTheUpstream(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"length":  "Content-Length: 1000\r\n\r\nhello",
		"chunked": "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"chunk":   "Transfer-Encoding: chunked\r\n\r\n50\r\nhello",
		"trailer": "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{})
			conn := r.dial().send(openPost + body)
			if err := conn.Conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if a, err := conn.tryAnswer("POST"); err == nil && (a.status < 400 || a.status >= 500 || !a.closes) {
				t.Errorf("%d %s, closes %v", a.status, a.code, a.closes)
			}
			conn.wantEnd()
			r.idle()
			r.wantMetric(0, "upstream_connections")
			_ = r.upstream.Close()
			for _, request := range r.upstream.Requests() {
				if request.Err == nil {
					t.Errorf("the upstream took %q for whole", request.Body)
				}
			}
			r.wantMetric(0, "requests_total", "outcome=allowed")
		})
	}
}

func TestBodyBoundHoldsForEveryFraming(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: strings.TrimSpace(defaultSite) + "\n    max_body_bytes: 10"})
	for _, c := range []struct {
		body   string
		status int
	}{
		{"Content-Length: 10\r\n\r\n0123456789", 200},
		{"Content-Length: 11\r\n\r\n0123456789a", 413},
		{"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n", 200},
		{"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n", 413},
		{"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n0123456789abcdef", 413},
	} {
		a := r.dial().send(openPost + c.body).answer("POST")
		if a.status != c.status || a.status == 413 && (a.code != "body_too_large" || !a.closes) {
			t.Errorf("%.50q: %d %s, want %d", c.body, a.status, a.code, c.status)
		}
	}
	for _, request := range r.upstream.Requests() {
		if request.Err == nil && len(request.Content) != 10 {
			t.Errorf("the upstream got %d bytes", len(request.Content))
		}
	}
	r.idle()
}

func TestEarlyRefusalOfAnUpstreamReachesTheClient(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// It answers the head, reads nothing more and closes; the answer's body is
	// larger than what arrives with its head.
	const size = 256 << 10
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1024))
			_, _ = conn.Write([]byte("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: " + decimal(size) + "\r\n\r\n" + strings.Repeat("x", size)))
			_ = conn.(*net.TCPConn).CloseWrite()
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	r := newRig(t, setup{upstreams: "[http://" + ln.Addr().String() + "]"})
	const sent = 64 << 20
	conn := r.dial()
	go func() {
		_, _ = conn.Write([]byte(openPost + "Content-Length: " + decimal(sent) + "\r\n\r\n"))
		part := make([]byte, 1<<20)
		for range sent / len(part) {
			if _, err := conn.Write(part); err != nil {
				return
			}
		}
	}()
	// How much of the answer survives the reset is the network's to say; that
	// the exchange ends and is counted is ours.
	if a, err := conn.tryAnswer("POST"); err == nil && a.status != 413 && a.status != 502 {
		t.Errorf("%d %s", a.status, a.code)
	}
	conn.Close()
	r.idle()
	r.wantMetric(1, "requests_total")
	r.wantMetric(0, "upstream_connections")
}
