package upstream_test

import (
	"bufio"
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

// The key and its answer are those of RFC 6455 section 1.3.
const (
	upgradeFields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	upgradeHead   = "GET /chat HTTP/1.1\r\nHost: a\r\n" + upgradeFields + "\r\n"
	acceptField   = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	switching     = "HTTP/1.1 101 Switching Protocols\r\n"
	accepted      = switching + "Upgrade: WebSocket\r\nConnection: upgrade\r\n" + acceptField + "\r\n"
)

// tunnels are the settings of a site that lets clients change to WebSocket.
func tunnels(limit int) *upstream.Streaming {
	return &upstream.Streaming{
		Upgrades: []string{"websocket", "echo/2", "h2c", "HTTP/2.0", "TLS/1.0"}, Tunnels: upstream.NewTunnels(limit), TunnelIdle: time.Minute,
	}
}

func with(s *upstream.Streaming) func(*upstream.Request) {
	return func(r *upstream.Request) { r.Streaming = s }
}

// switchingUpstream upgrades each connection and hands it over.
func switchingUpstream(t *testing.T, then func(*bufio.Reader, *net.TCPConn)) string {
	t.Helper()
	return serve(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		_, _ = io.WriteString(conn, accepted)
		then(br, conn.(*net.TCPConn))
	})
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func echo(br *bufio.Reader, conn *net.TCPConn) { _, _ = io.Copy(conn, br) }

// TunnelDone implements upstream.TunnelObserver.
func (f *front) TunnelDone(toUpstream, toClient int64, err error) {
	f.mu.Lock()
	f.up += toUpstream
	f.mu.Unlock()
	f.ResponseDone(toClient, err)
}

// toUpstream counts what ended tunnels carried to upstreams.
func (f *front) toUpstream() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.up
}

// upgraded opens a tunnel.
func (f *front) upgraded(t testing.TB) *client {
	t.Helper()
	c := f.client(t)
	c.send(upgradeHead)
	if resp := c.head("GET"); resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	return c
}

func (c *client) wantEcho(text string) {
	c.t.Helper()
	c.send(text)
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c.br, got); string(got) != text || err != nil {
		c.t.Fatalf("echo of %.20q: %.20q, %v", text, got, err)
	}
}

// wantEnd fails unless the connection ends without another byte.
func (c *client) wantEnd() {
	c.t.Helper()
	if rest, err := c.raw(); rest != "" || isTimeout(err) {
		c.t.Errorf("not ended: %.100q, %v", rest, err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error) //nolint:errorlint // as net returns it
	return ok && timeout.Timeout()
}

func TestAnUpgradeGoesUpAndComesBackInOurOwnWords(t *testing.T) {
	t.Parallel()
	// With what nobody may say but us, what belongs to one hop, and a message in
	// the same write as the answer.
	recorder := record(t, origin.Always(answer(switching+"upgrade: WEBSOCKET\r\nconnection: keep-alive, upgrade, X-Hop\r\nX-Hop: 1\r\n"+
		"Keep-Alive: 5\r\nSec-WebSocket-Protocol: chat\r\n"+acceptField+"\r\nfirst")))
	f := newFront(t, setup{addresses: []string{recorder.Address()}, request: func(r *upstream.Request) {
		r.Streaming, r.Own = tunnels(1), []byte("X-Own: 1\r\n")
	}})
	c := f.client(t)
	c.send("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, uPGRADE, X-Own, X-Hop\r\nUPGRADE: WebSocket\r\nX-Hop: 1\r\n" +
		"X_VNeID_Subject: forged\r\nHTTP2-Settings: x\r\nTE: trailers\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
	head, err := c.br.ReadString('X')
	if err != nil {
		t.Fatal(err)
	}
	rest := make([]byte, len("-Front: added later\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst"))
	if _, err := io.ReadFull(c.br, rest); err != nil {
		t.Fatal(err)
	}
	want := switching + "Sec-WebSocket-Protocol: chat\r\n" + acceptField + "X-Front: added later\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst"
	if got := head + string(rest); got != want {
		t.Errorf("the client got\n%q, want\n%q", got, want)
	}
	wantUp := []string{
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: chat", "X-Own: 1", "Connection: Upgrade", "Upgrade: websocket",
	}
	if got := endToEnd(await(t, recorder, 1)[0]); !slices.Equal(got, wantUp) {
		t.Errorf("the upstream got\n%q, want\n%q", got, wantUp)
	}
	_ = c.Close()
	f.ended(t, 1)
}

func TestATunnelCarriesWhatEitherSideSends(t *testing.T) {
	t.Parallel()
	f := newFront(t, setup{addresses: []string{switchingUpstream(t, echo)}, request: with(tunnels(1))})
	c := f.upgraded(t)
	for _, n := range []int{1, 5, 1023, 1024, 1025, 32 << 10, 1, 100_000, 3, 7} {
		c.wantEcho(strings.Repeat("x", n-1) + "\n")
	}
	const size = 4 << 20
	go func() { _, _ = io.CopyN(c, zeros{}, size) }()
	if n, err := io.CopyN(io.Discard, c.br, size); err != nil {
		t.Errorf("%d bytes came back: %v", n, err)
	}
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.wantEnd()
	const all = 1 + 5 + 1023 + 1024 + 1025 + 32<<10 + 1 + 100_000 + 3 + 7 + size
	if ends := f.ended(t, 1); ends[0] != (ending{all, nil}) {
		t.Errorf("%+v", ends)
	}
	if up := f.toUpstream(); up != all {
		t.Errorf("%d bytes up, want %d", up, all)
	}
}

func TestWhatIsNoUpgradeGoesOnAsAnOrdinaryRequest(t *testing.T) {
	t.Parallel()
	get := func(fields string) string { return "GET /chat HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" }
	key := "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for name, raw := range map[string]string{
		"not nominated":     get("Upgrade: websocket\r\n" + key),
		"nothing named":     get("Connection: Upgrade\r\n" + key),
		"empty":             get("Connection: Upgrade\r\nUpgrade:\r\n" + key),
		"two fields":        get("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n" + key),
		"list":              get("Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n" + key),
		"other version":     get("Connection: Upgrade\r\nUpgrade: websocket/13\r\n" + key),
		"not allowed":       get("Connection: Upgrade\r\nUpgrade: irc\r\n" + key),
		"no key":            get("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
		"two keys":          get("Connection: Upgrade\r\nUpgrade: websocket\r\n" + key + key),
		"h2c":               get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
		"h2c, other case":   get("Connection: Upgrade\r\nUpgrade: H2C\r\n"),
		"HTTP/2.0":          get("Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n"),
		"TLS":               get("Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"),
		"HTTP/1.0":          "GET /chat HTTP/1.0\r\nHost: a\r\n" + upgradeFields + "\r\n",
		"HEAD":              "HEAD /chat HTTP/1.1\r\nHost: a\r\n" + upgradeFields + "\r\n",
		"with a body":       get(upgradeFields+"Content-Length: 5\r\n") + "hello",
		"with chunks":       get(upgradeFields+"Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
		"POST":              "POST /chat HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + upgradeFields + "\r\n",
		"underscored field": get("Connection: Upgrade\r\nUp_grade: websocket\r\n" + key),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := record(t, origin.Always(origin.OK()))
			s := tunnels(1)
			c := newFront(t, setup{addresses: []string{recorder.Address()}, request: with(s)}).client(t)
			c.send(raw)
			if resp := c.head(strings.Fields(raw)[0]); resp.StatusCode != 200 {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
			got := await(t, recorder, 1)[0]
			for _, name := range []string{"Connection", "Upgrade", "HTTP2-Settings"} {
				if v := got.Values(name); len(v) > 0 {
					t.Errorf("the upstream got %s: %q", name, v)
				}
			}
			if stats := s.Tunnels.Stats(); stats != (upstream.TunnelStats{Limit: 1}) {
				t.Errorf("%+v", stats)
			}
		})
	}
}

func TestASiteWithoutUpgradesPassesNone(t *testing.T) {
	t.Parallel()
	for _, s := range []*upstream.Streaming{nil, {}} {
		recorder := record(t, origin.Always(origin.OK()))
		c := newFront(t, setup{addresses: []string{recorder.Address()}, request: with(s)}).client(t)
		c.send(upgradeHead)
		if resp, _, err := c.read("GET"); resp.StatusCode != 200 || err != nil {
			t.Errorf("%d %v", resp.StatusCode, err)
		}
		if got := await(t, recorder, 1)[0]; got.Values("Upgrade") != nil || got.Values("Connection") != nil {
			t.Errorf("the upstream got %q", got.Lines())
		}
	}
}

// RFC 9110 section 7.8: a server switches only to what was asked for.
func TestA101ThatDoesNotFitIsABrokenResponse(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"no field":         switching + "Connection: Upgrade\r\n" + acceptField,
		"another protocol": switching + "Connection: Upgrade\r\nUpgrade: h2c\r\n" + acceptField,
		"a list":           switching + "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n" + acceptField,
		"two fields":       switching + "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n" + acceptField,
		"not nominated":    switching + "Upgrade: websocket\r\n" + acceptField,
		"no accept":        switching + "Connection: Upgrade\r\nUpgrade: websocket\r\n",
		"another's accept": switching + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n",
		"two accepts":      switching + "Connection: Upgrade\r\nUpgrade: websocket\r\n" + acceptField + acceptField,
		"with a length":    switching + "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n" + acceptField,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tunnels(1)
			f := newFront(t, setup{addresses: []string{record(t, origin.Always(answer(raw+"\r\n"))).Address()}, request: with(s)})
			c := f.client(t)
			c.send(upgradeHead)
			if resp, _, _ := c.read("GET"); !refused(resp, upstream.ErrResponse) {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
			if n := f.rested(t); n != 0 {
				t.Errorf("%d connections kept", n)
			}
			if stats := s.Tunnels.Stats(); stats != (upstream.TunnelStats{Limit: 1}) {
				t.Errorf("%+v", stats)
			}
		})
	}
}

func TestA101ThatNobodyAskedForIsABrokenResponse(t *testing.T) {
	t.Parallel()
	f := newFront(t, setup{addresses: []string{record(t, origin.Always(answer(accepted))).Address()}, request: with(tunnels(1))})
	if resp, _ := f.client(t).get("/"); !refused(resp, upstream.ErrResponse) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestARefusedUpgradeIsAnOrdinaryResponse(t *testing.T) {
	t.Parallel()
	s := tunnels(1)
	recorder := record(t, origin.Always(answer("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 3\r\n\r\nno!")))
	f := newFront(t, setup{addresses: []string{recorder.Address()}, request: with(s)})
	c := f.client(t)
	for range 3 { // the client's connection goes on, and the upstream's
		c.send(upgradeHead)
		if resp, body, err := c.read("GET"); resp.StatusCode != 426 || body != "no!" || err != nil {
			t.Errorf("%d %q %v", resp.StatusCode, body, err)
		}
	}
	if n := f.rested(t); n != 1 {
		t.Errorf("%d connections kept", n)
	}
	if stats := s.Tunnels.Stats(); stats.Open != 0 || stats.Opened != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestAnotherProtocolThatTheSiteNamesIsPassedOn(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(answer(switching+"Upgrade: echo/2\r\nConnection: upgrade\r\n\r\n")))
	c := newFront(t, setup{addresses: []string{recorder.Address()}, request: with(tunnels(1))}).client(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: Echo/2\r\n\r\n")
	if resp := c.head("GET"); resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "echo/2" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if got := await(t, recorder, 1)[0].Values("Upgrade"); !slices.Equal(got, []string{"echo/2"}) {
		t.Errorf("the upstream got %q", got)
	}
}

// What it sent might have been meant as a request, had the upstream not agreed.
func TestAClientThatGoesOnBeforeThe101IsRefused(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]string{
		"a part": "GE", "a whole request": "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"another upgrade": upgradeHead, "a whole body": "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
	} {
		for _, before := range []string{"", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := tunnels(1)
				recorder := record(t, func(r origin.Request) origin.Answer {
					if len(r.Values("Upgrade")) == 0 {
						return origin.OK()
					}
					return answer(accepted)
				})
				f := newFront(t, setup{addresses: []string{recorder.Address()}, request: with(s)})
				c := f.client(t)
				c.send(before + upgradeHead + early)
				if before != "" {
					_, _, _ = c.read("GET")
				}
				if resp, _, _ := c.read("GET"); !refused(resp, upstream.ErrUpgradeEarly) {
					t.Errorf("%d %v", resp.StatusCode, resp.Header)
				}
				c.wantEnd()
				if n := f.rested(t); n != 0 {
					t.Errorf("%d connections kept", n)
				}
				if stats := s.Tunnels.Stats(); stats != (upstream.TunnelStats{Limit: 1}) {
					t.Errorf("%+v", stats)
				}
			})
		}
	}
}

func TestAnUpgradeBehindPipelinedRequestsComesInItsTurn(t *testing.T) {
	t.Parallel()
	address := serve(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			if req.Header.Get("Upgrade") != "" {
				_, _ = io.WriteString(conn, accepted+"hello")
				continue
			}
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(req.URL.Path), req.URL.Path)
		}
	})
	f := newFront(t, setup{addresses: []string{address}, request: with(tunnels(1))})
	c := f.client(t)
	c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n" + upgradeHead)
	for _, want := range []string{"/1", "/2"} {
		if _, body, err := c.read("GET"); body != want || err != nil {
			t.Errorf("%q %v", body, err)
		}
	}
	if resp := c.head("GET"); resp.StatusCode != 101 {
		t.Errorf("%d", resp.StatusCode)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(c.br, got); string(got) != "hello" {
		t.Errorf("%q %v", got, err)
	}
	_ = c.Close()
	f.ended(t, 1)
}
