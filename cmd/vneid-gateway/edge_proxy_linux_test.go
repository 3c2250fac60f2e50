package main

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

// proxyHeader states a client's address in the PROXY protocol.
func proxyHeader(t *testing.T, version byte, client string) string {
	t.Helper()
	raw, err := proxyproto.HeaderProxyFromAddrs(version,
		&net.TCPAddr{IP: net.ParseIP(client), Port: 50000}, &net.TCPAddr{IP: net.ParseIP(client), Port: 443}).Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestThePROXYProtocolIsBelievedOfBalancersOnly(t *testing.T) {
	t.Parallel()
	const balancer, stranger, perSource = "127.0.0.2", "127.0.0.3", 2
	ours := newAuthority(t)
	pair := newEdgePair(t, ours, testHost)
	g := startEdge(t, edgeConfig{
		listen: strings.NewReplacer("PAIR", pair.yaml()).Replace(`
  - { address: "127.0.0.1:0", proxy_protocol: [127.0.0.2/32] }
  - { address: "127.0.0.4:0", proxy_protocol: [127.0.0.2/32], tls: { certificates: [PAIR] } }`),
		more: "limits: { connections_per_source: 2, header_timeout: 2s }",
	})
	comesFrom := func(t *testing.T, c *edgeConn, client string) {
		t.Helper()
		saw := c.send(edgeGet).answer().echo(t)
		if got := saw.Values("X-Forwarded-For"); !slices.Equal(got, []string{client}) {
			t.Errorf("X-Forwarded-For %q, want %s", got, client)
		}
	}
	const refusedHeader = `vneid_gateway_connections_refused_total{reason="proxy_header"}`

	t.Run("the upstream gets the client's address", func(t *testing.T) {
		for version, clients := range map[byte][]string{1: {"203.0.113.7", "2001:db8::7"}, 2: {"203.0.113.8", "2001:db8::8"}} {
			for _, client := range clients {
				c := g.dial(t, balancer).send(proxyHeader(t, version, client))
				comesFrom(t, c, client)
				comesFrom(t, c, client) // it stands for the whole connection
				_ = c.Close()

				under := dialEdge(t, g.addresses[1], balancer).send(proxyHeader(t, version, client))
				s, err := secureOn(under, ours.trusting(testHost))
				if err != nil {
					t.Fatal(err)
				}
				comesFrom(t, s.edgeConn, client)
				_ = s.Close()
			}
		}
	})
	t.Run("the client's address counts, the balancer's does not", func(t *testing.T) {
		g.awaitThat(t, "room", func() bool { return g.metric(t, "vneid_gateway_connections") == 0 })
		var kept []*edgeConn
		for _, client := range []string{"203.0.113.7", "203.0.113.8", "203.0.113.9"} {
			for range perSource {
				kept = append(kept, g.dial(t, balancer).send(proxyHeader(t, 2, client)).serves())
			}
			g.dial(t, balancer).send(proxyHeader(t, 1, client) + edgeGet).ended()
		}
		if n := g.metric(t, refusedSource); n != 3 {
			t.Errorf("%v counted, want 3", n)
		}
		for _, c := range kept {
			_ = c.serves().Close()
		}
	})
	t.Run("a balancer's own connection", func(t *testing.T) {
		local, err := (&proxyproto.Header{Version: 2, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}).Format()
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range []string{"PROXY UNKNOWN\r\n", string(local)} {
			c := g.dial(t, balancer).send(header)
			comesFrom(t, c, balancer)
			_ = c.Close()
		}
	})
	t.Run("a balancer that says nothing of the client is cut off", func(t *testing.T) {
		for n, start := range []string{edgeGet, "PROXY TCP4 203.0.113.7\r\n" + edgeGet, "PROXY TCP4 203.0.113.7 203.0.113.7 1 99999\r\n" + edgeGet} {
			g.dial(t, balancer).send(start).ended()
			if got := g.metric(t, refusedHeader); got != float64(n+1) {
				t.Errorf("%v counted after %q, want %d", got, start, n+1)
			}
		}
	})
	t.Run("a header that drips is cut", func(t *testing.T) {
		before := g.metric(t, refusedHeader)
		for i, start := range []string{
			"PROXY TCP4 ", // the parser wants version 1 at once, as senders must send it
			"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x04\x00",
		} {
			c := dialEdge(t, g.addresses[i], balancer).send(start)
			c.drips("0")
			c.ended()
		}
		if got := g.metric(t, refusedHeader); got != before+2 {
			t.Errorf("%v counted, want 2", got-before)
		}
	})
	t.Run("whoever else sends one is refused", func(t *testing.T) {
		before := g.metric(t, refusedHeader)
		for _, version := range []byte{1, 2} {
			c := g.dial(t, stranger).send(proxyHeader(t, version, "203.0.113.7") + edgeGet)
			a, last := c.answerLast()
			a.refusedWith(t, http.StatusBadRequest, "request_malformed")
			if !last {
				t.Error("it does not say that it closes")
			}
			c.ended()
			_ = c.Close()
		}
		// The gateway hears the rest of what it refused out.
		g.awaitThat(t, "room", func() bool { return g.metric(t, "vneid_gateway_connections") == 0 })
		c := g.dial(t, stranger)
		comesFrom(t, c, stranger)
		_ = c.Close()
		if got := g.metric(t, refusedHeader); got != before {
			t.Errorf("%v of them counted as a balancer's", got-before)
		}
	})
	g.finish(t)
}
