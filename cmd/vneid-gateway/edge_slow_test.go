package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	// edgePace is how often a slow client sends its next piece, and edgePieces
	// how many it sends at most: by the defaults it would be let go on for
	// longer. A client that is late sends fewer.
	edgePace   = 20 * time.Millisecond
	edgePieces = 400
)

// drips sends piece after piece until the gateway has answered or the
// connection has ended, and returns how many it sent.
func (c *edgeConn) drips(piece string) (sent int) {
	c.t.Helper()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = c.in.Peek(1)
	}()
	tick := time.NewTicker(edgePace)
	defer tick.Stop()
	for sent < edgePieces {
		select {
		case <-answered:
			return sent
		case <-tick.C:
			c.send(piece)
			sent++
		}
	}
	c.t.Errorf("it went on for %d pieces", sent)
	return sent
}

func TestSlowClientsAreCutWithinTheConfiguredTimes(t *testing.T) {
	t.Parallel()
	g := startEdge(t, edgeConfig{
		more: "limits: { header_timeout: 1s, idle_timeout: 1s, min_body_rate: 64KiB, rate_grace: 500ms }",
	})
	cut := func(c *edgeConn, piece string) (sent int) {
		t.Helper()
		sent = c.drips(piece)
		a, last := c.answerLast()
		a.refusedWith(t, http.StatusRequestTimeout, "request_timeout")
		if !last {
			t.Error("it does not say that it closes")
		}
		c.ended()
		return sent
	}
	t.Run("clients", func(t *testing.T) {
		t.Run("a head that drips", func(t *testing.T) {
			t.Parallel()
			n := cut(g.dial(t, "").send("GET / HTTP/1.1\r\nHost: "+testHost+"\r\nX: "), "x")
			t.Logf("cut after %d pieces", n)
		})
		t.Run("the first part of a body that drips", func(t *testing.T) {
			t.Parallel()
			n := cut(g.dial(t, "").send(edgePost+"Content-Length: 1000000\r\n\r\n"), "x")
			t.Logf("cut after %d pieces", n)
		})
		for name, framing := range map[string][3]string{
			"a body below the rate":           {"Content-Length: 1000000\r\n\r\n", strings.Repeat("x", 16<<10), "x"},
			"chunks of a body below the rate": {"Transfer-Encoding: chunked\r\n\r\n", "4000\r\n" + strings.Repeat("x", 16<<10) + "\r\n", "1\r\nx\r\n"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := cut(g.dial(t, "").send(edgePost+framing[0]+framing[1]), framing[2])
				t.Logf("cut after %d pieces", n)
			})
		}
		t.Run("a body above the rate may take longer than any time", func(t *testing.T) {
			t.Parallel()
			const piece, pieces = 8 << 10, 100 // 400 KiB a second, for 2 s at least
			c := g.dial(t, "").send(fmt.Sprintf("%sContent-Length: %d\r\n\r\n", edgePost, piece*pieces))
			tick := time.NewTicker(edgePace)
			defer tick.Stop()
			for range pieces {
				c.send(strings.Repeat("x", piece))
				<-tick.C
			}
			if saw := c.answer().echo(t); saw.BodyBytes != piece*pieces {
				t.Errorf("%d bytes", saw.BodyBytes)
			}
			_ = c.Close()
		})
		t.Run("nothing at all", func(t *testing.T) {
			t.Parallel()
			g.dial(t, "").ended() // without an answer: nothing was asked
		})
		t.Run("nothing more", func(t *testing.T) {
			t.Parallel()
			c := g.dial(t, "").send(edgeGet)
			if _, last := c.answerLast(); last {
				t.Error("the connection was not to be kept")
			}
			c.ended()
		})
	})
	if n := g.refusals(t, "request_timeout"); n != 4 {
		t.Errorf("%v counted", n)
	}
	g.finish(t)
}

// TestFiveHundredSlowHeadsAreCutAndDisturbNobody has all of them drip at once
// until each was cut, while a client goes on that is as fast as any.
func TestFiveHundredSlowHeadsAreCutAndDisturbNobody(t *testing.T) {
	t.Parallel()
	const slow = 500
	g := startEdge(t, edgeConfig{more: "limits: { header_timeout: 3s, requests_per_connection: 0 }"})
	writers := make([]*edgeConn, slow)
	for i := range writers {
		writers[i] = g.dial(t, "").send("GET / HTTP/1.1\r\nHost: " + testHost + "\r\nX: ")
	}
	g.awaitMetric(t, "vneid_gateway_connections", slow)

	over := make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(5 * edgePace)
		defer tick.Stop()
		for limit := time.Now().Add(patience); time.Now().Before(limit); <-tick.C {
			going := 0
			for _, c := range writers {
				// The end of a connection shows when something is sent to it.
				if _, err := io.WriteString(c.Conn, "x"); err == nil {
					going++
				}
			}
			if going == 0 {
				return
			}
		}
	}()
	client, served := g.dial(t, ""), 0
	for going := true; going; {
		a, last := client.send(edgeGet).answerLast()
		if a.status != http.StatusOK || last {
			t.Fatalf("request %d of the fast client: %d, last %v", served, a.status, last)
		}
		served++
		select {
		case <-over:
			going = false
		default:
		}
	}
	_ = client.Close()
	cut := 0
	for _, c := range writers {
		// A reset may have overtaken the answer: what was sent was not read.
		response, err := http.ReadResponse(c.in, nil)
		var network *net.OpError
		switch {
		case err == nil && response.StatusCode == http.StatusRequestTimeout:
			cut++
		case err == nil:
			t.Errorf("a slow head was answered %d", response.StatusCode)
		case !errors.As(err, &network) || network.Timeout():
			t.Errorf("not cut: %v", err)
		}
		if err == nil {
			_ = response.Body.Close()
		}
		_ = c.Close()
	}
	if n := g.refusals(t, "request_timeout"); n != slow {
		t.Errorf("%v counted, want %d", n, slow)
	}
	t.Logf("%d slow heads, %d read their 408; %d requests of a fast client meanwhile, none failed", slow, cut, served)
	g.finish(t)
}
