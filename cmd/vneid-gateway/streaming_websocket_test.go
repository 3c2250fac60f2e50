package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// RFC 6455 section 1.3: a key, and what an upstream answers to it.
const (
	chatKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	chatAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// chat is an upstream that changes to WebSocket and then sends back what it
// gets.
type chat struct {
	*loopback.Server
	// asked counts requests; ended counts those that were upgraded and whose
	// connection has ended since.
	asked, ended atomic.Int64
}

func startChat(t *testing.T) *chat {
	t.Helper()
	c := new(chat)
	c.Server = handle(t, func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		conn, in, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.ended.Add(1)
		defer conn.Close()
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n", chatAccept)
		_, _ = io.Copy(conn, in)
	})
	return c
}

// dial connects to the gateway as a client that sends what it is told to.
func (g *faulted) dial(t *testing.T) *edgeConn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(g.data, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return newEdgeConn(t, conn)
}

const chatFields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + chatKey + "\r\n"

// askToChat asks site s for a WebSocket.
func (g *faulted) askToChat(t *testing.T, token string) *edgeConn {
	t.Helper()
	request := strings.TrimSuffix(string(rawRequest("GET", "s.example", "/chat", token)), "\r\n")
	return g.dial(t).send(request + chatFields + "\r\n")
}

// chat opens a WebSocket.
func (g *faulted) chat(t *testing.T, token string) *edgeConn {
	t.Helper()
	c := g.askToChat(t, token)
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Sec-WebSocket-Accept") != chatAccept {
		t.Fatalf("%d %v", response.StatusCode, response.Header)
	}
	return c
}

// wantEcho sends text through the tunnel and reads it again.
func (c *edgeConn) wantEcho(text []byte) {
	c.t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(text)
		sent <- err
	}()
	got := make([]byte, len(text))
	_, err := io.ReadFull(c.in, got)
	if sendErr := <-sent; err != nil || sendErr != nil || !bytes.Equal(got, text) {
		c.t.Errorf("no echo of %d bytes: %v, %v", len(text), sendErr, err)
	}
}

// tokenUntil returns a token that expires at a time.
func (g *faulted) tokenUntil(t *testing.T, expires time.Time) string {
	t.Helper()
	token := corpus.NewToken(g.issuer.Issuer(), "tthc", time.Now())
	token.Expires = expires
	raw, err := token.Sign(g.key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAWebSocketCarriesWhatItsCredentialMay(t *testing.T) {
	t.Parallel()
	const sockets, large = 8, 1 << 20
	upstream := startChat(t)
	g := guardedGateway(t, "", faultSite{"s", upstream.URL(), ""})
	for token, code := range map[string]string{
		"":            "credential_missing",
		"not-a-token": "token_malformed",
		g.tokenUntil(t, time.Now().Add(-time.Minute)): "token_expired",
	} {
		c := g.askToChat(t, token)
		c.answer().refusedWith(t, http.StatusUnauthorized, code)
		_ = c.Close()
	}
	if n := upstream.asked.Load(); n != 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
	token := g.token(t)
	open := make([]*edgeConn, sockets)
	for i := range open {
		open[i] = g.chat(t, token)
		open[i].wantEcho([]byte("xin chào"))
	}
	if n := g.metric(t, "vneid_gateway_tunnels"); n != sockets {
		t.Errorf("%v tunnels", n)
	}
	open[0].wantEcho(bytes.Repeat([]byte("x"), large))
	for _, c := range open {
		_ = c.Close()
	}
	const carried = sockets*len("xin chào") + large
	g.awaitTotal(t, float64(carried), "tunnel_bytes_total", "direction", "to_upstream")
	g.awaitTotal(t, float64(carried), "tunnel_bytes_total", "direction", "to_client")
	eventually(t, "the upstream saw them end", func() bool { return upstream.ended.Load() == sockets })
	t.Logf("%d WebSockets, %d bytes each way", sockets, carried)
	g.leavesNoTrace(t)
	g.stop(t)
}

func TestAWebSocketEndsWithItsToken(t *testing.T) {
	t.Parallel()
	upstream := startChat(t)
	g := guardedGateway(t, "", faultSite{"s", upstream.URL(), ""})
	lasting := g.chat(t, g.token(t))
	short := g.chat(t, g.tokenUntil(t, time.Now().Add(4*time.Second)))
	short.wantEcho([]byte("still good"))
	short.ended()
	lasting.wantEcho([]byte("good for longer"))
	if n := g.total(t, "tunnels_ended_total", "reason", "expired"); n != 1 {
		t.Errorf("%v tunnels expired", n)
	}
	eventually(t, "the upstream saw it end", func() bool { return upstream.ended.Load() == 1 })
	_ = lasting.Close()
	g.leavesNoTrace(t)
	g.stop(t)
}

func TestASilentWebSocketIsClosed(t *testing.T) {
	t.Parallel()
	upstream := startChat(t)
	g := guardedGateway(t, "", faultSite{"s", upstream.URL(), "timeouts: { tunnel: 1s }"})
	c := g.chat(t, g.token(t))
	c.wantEcho([]byte("hello"))
	c.ended()
	if n := g.total(t, "tunnels_ended_total", "reason", "idle"); n != 1 {
		t.Errorf("%v tunnels were idle for too long", n)
	}
	eventually(t, "the upstream saw it end", func() bool { return upstream.ended.Load() == 1 })
	g.leavesNoTrace(t)
	g.stop(t)
}

func TestADrainClosesWebSockets(t *testing.T) {
	t.Parallel()
	const sockets = 8
	upstream := startChat(t)
	g := guardedGateway(t, "", faultSite{"s", upstream.URL(), ""})
	token := g.token(t)
	open := make([]*edgeConn, sockets)
	for i := range open {
		open[i] = g.chat(t, token)
		open[i].wantEcho([]byte("hello"))
	}
	if err := g.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for _, c := range open {
		c.ended()
	}
	if err := g.wait(t); err != nil {
		t.Errorf("after a drain with WebSockets: %v", err)
	}
	eventually(t, "the upstream saw them end", func() bool { return upstream.ended.Load() == sockets })
	t.Logf("%d WebSockets closed", sockets)
}

func TestNoMoreWebSocketsAreOpenThanAllowed(t *testing.T) {
	t.Parallel()
	const most = 2
	upstream := startChat(t)
	g := guardedGateway(t, fmt.Sprintf("limits: { tunnels: %d }", most), faultSite{"s", upstream.URL(), ""})
	token := g.token(t)
	open := make([]*edgeConn, most)
	for i := range open {
		open[i] = g.chat(t, token)
	}
	refused := g.askToChat(t, token)
	a := refused.answer()
	a.refusedWith(t, http.StatusServiceUnavailable, "overloaded")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if n := upstream.asked.Load(); n != most {
		t.Errorf("the upstream was asked %d times", n)
	}
	if n := g.metric(t, "vneid_gateway_tunnels_refused_total"); n != 1 {
		t.Errorf("%v refused", n)
	}
	_ = refused.Close()
	for _, c := range open {
		c.wantEcho([]byte("still here"))
	}
	_ = open[0].Close()
	g.awaitThat(t, "room for one more", func() bool { return g.metric(t, "vneid_gateway_tunnels") == most-1 })
	again := g.chat(t, token)
	again.wantEcho([]byte("hello"))
	_, _ = again.Close(), open[1].Close()
	g.leavesNoTrace(t)
	g.stop(t)
}
