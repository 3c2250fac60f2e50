package upstream_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// securedFront is a front before an upstream that speaks TLS.
func securedFront(t *testing.T, s setup, with func(*tls.Conn, *bufio.Reader)) *front {
	t.Helper()
	root := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{root.soon("up.example")}}
	address := serve(t, func(conn net.Conn) {
		secured := tls.Server(conn, server)
		with(secured, bufio.NewReader(secured))
		_ = secured.Close()
	})
	s.config = func(c *upstream.GroupConfig) {
		c.Endpoints = []upstream.Endpoint{{Address: address, TLS: &tls.Config{RootCAs: root.pool, ServerName: "up.example"}}}
	}
	return newFront(t, s)
}

// RFC 8446 section 6.1: only close_notify tells the end of the data from a
// connection that somebody cut.
func TestABodyUpToTheEndOfTLSIsWholeOnlyWhereTLSEndsInOrder(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\n\r\n"
	for _, c := range []struct {
		name string
		end  func(*tls.Conn)
		want error
	}{
		{"in order", func(c *tls.Conn) { _ = c.Close() }, nil},
		{"cut", func(c *tls.Conn) { _ = c.NetConn().Close() }, io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := securedFront(t, setup{}, func(secured *tls.Conn, br *bufio.Reader) {
				if _, err := http.ReadRequest(br); err != nil {
					return
				}
				_, _ = io.WriteString(secured, head+strings.Repeat("x", 50_000))
				c.end(secured)
			})
			client := f.client(t)
			client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			_, _ = client.whole()
			if ends := f.ended(t, 1); ends[0].sent != 50_000 || (ends[0].err == nil) != (c.want == nil) {
				t.Errorf("%+v", ends)
			}
		})
	}
}

// whole reads until a whole response was read or the connection ended.
func (c *client) whole() (string, error) {
	resp, err := http.ReadResponse(c.br, &http.Request{Method: http.MethodGet})
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestATunnelGoesThroughTLSAndEndsOneSideAfterTheOther(t *testing.T) {
	t.Parallel()
	f := securedFront(t, setup{request: with(tunnels(1))}, func(secured *tls.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		_, _ = io.WriteString(secured, accepted)
		_, _ = io.Copy(secured, br)
		_, _ = io.WriteString(secured, "bye")
	})
	c := f.upgraded(t)
	c.wantEcho("hello")
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := c.raw(); rest != "bye" || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	if ends := f.ended(t, 1); ends[0] != (ending{8, nil}) {
		t.Errorf("%+v", ends)
	}
}

func TestTheBoundOfAnExchangeIsNotThatOfItsTunnel(t *testing.T) {
	t.Parallel()
	const total = 200 * time.Millisecond
	f := newFront(t, setup{
		addresses: []string{switchingUpstream(t, echo)}, request: with(tunnels(1)),
		timeouts: upstream.Timeouts{Connect: time.Minute, FirstByte: time.Minute, Idle: time.Minute, Total: total},
	})
	opened := time.Now()
	c := f.upgraded(t)
	for time.Since(opened) < 2*total {
		c.wantEcho("still here")
	}
}
