package gateway

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const webSocketFields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

// startChat is an upstream that changes to WebSocket and then says everything
// back; it passes on the heads that it gets.
func startChat(tb testing.TB) (address string, heads chan *http.Request) {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	heads = make(chan *http.Request, 100)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				br := bufio.NewReader(conn)
				head, err := http.ReadRequest(br)
				if err != nil {
					return
				}
				heads <- head
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
					"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
				_, _ = io.Copy(conn, br)
			})
		}
	})
	tb.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	return ln.Addr().String(), heads
}

// chat opens a WebSocket.
func (r *rig) chat(fields ...string) *client {
	r.tb.Helper()
	conn := r.dial().send(request("GET", "/chat", append(fields, webSocketFields)...))
	response, err := http.ReadResponse(conn.in, &http.Request{Method: "GET"})
	if err != nil {
		r.tb.Fatal(err)
	}
	if response.StatusCode != 101 || response.Header.Get("Upgrade") != "websocket" || response.Header.Get("Connection") != "Upgrade" ||
		response.Header.Get("X-Request-Id") == "" {
		r.tb.Fatalf("%d %v", response.StatusCode, response.Header)
	}
	return conn
}

func (c *client) wantEcho(text string) {
	c.tb.Helper()
	c.send(text)
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c.in, got); string(got) != text || err != nil {
		c.tb.Fatalf("%q %v", got, err)
	}
}

func TestAWebSocketIsOpenedForAVerifiedCredentialOnly(t *testing.T) {
	t.Parallel()
	address, heads := startChat(t)
	r := newRig(t, setup{upstreams: "[http://" + address + "]"})
	a := r.get("/chat", webSocketFields)
	if a.status != 401 || a.code != "credential_missing" {
		t.Errorf("%d %s", a.status, a.code)
	}
	if len(heads) != 0 {
		t.Error("the upstream was asked")
	}
	conn := r.chat(bearer(r.token()), "X-VNeID-Subject: forged")
	conn.wantEcho("hello")
	head := <-heads
	if got := head.Header.Values("X-VNeID-Subject"); len(got) != 1 || got[0] == "forged" {
		t.Errorf("subject %q", got)
	}
	if head.Header.Get("Authorization") != "" {
		t.Error("the credential went on")
	}
	r.wantMetric(1, "in_flight_requests")
	conn.wantEcho(strings.Repeat("x", 100_000))
	_ = conn.Close()
	r.idle()
	r.wantMetric(1, "requests_total", "outcome=allowed")
	r.eventually("closed", func() bool { return r.metric("upstream_connections")+r.metric("connections") == 0 })
	line := r.log.lines("request")[1]
	if line["status"] != 101.0 || line["bytes"] != 100_005.0 {
		t.Errorf("%v", line)
	}
}

func TestAWebSocketEndsWithItsCredential(t *testing.T) {
	t.Parallel()
	address, _ := startChat(t)
	r := newRig(t, setup{upstreams: "[http://" + address + "]", issuer: "leeway: 0s"})
	conn := r.chat(bearer(r.token(func(t *corpus.Token) { t.Expires = time.Now().Add(2 * time.Second) })))
	conn.wantEcho("hello")
	conn.wantEnd() // all other limits are minutes
	r.idle()
}

func TestOneWebSocketMoreThanTheBoundIsRefused(t *testing.T) {
	t.Parallel()
	address, _ := startChat(t)
	r := newRig(t, setup{upstreams: "[http://" + address + "]", top: "limits: { tunnels: 1 }"})
	tok := bearer(r.token())
	first := r.chat(tok)
	if a := r.get("/chat", tok, webSocketFields); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s %v", a.status, a.code, a.header)
	}
	first.wantEcho("still here")
	_ = first.Close()
	r.idle()
	_ = r.chat(tok).Close()
}

func TestASiteWithoutUpgradesOpensNoWebSocket(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: strings.TrimSpace(defaultSite) + "\n    upgrades: []"})
	if a := r.get("/open/chat", webSocketFields); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
	if got := r.upstream.Requests()[0]; got.Values("Upgrade") != nil || got.Values("Connection") != nil {
		t.Errorf("the upstream got %q", got.Lines())
	}
}

func TestADrainEndsWebSockets(t *testing.T) {
	t.Parallel()
	address, _ := startChat(t)
	r := newRig(t, setup{upstreams: "[http://" + address + "]"})
	conns := make([]*client, 10)
	for i := range conns {
		conns[i] = r.chat(bearer(r.token()))
		conns[i].wantEcho("hello")
	}
	if err := r.Shutdown(context.Background()); err != nil {
		t.Errorf("drain: %v", err)
	}
	for _, c := range conns {
		c.wantEnd()
	}
}
