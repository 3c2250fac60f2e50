package main

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const revokedClosed = "vneid_gateway_revoked_connections_closed_total"

func TestAWebSocketEndsWhenItsTokenIsRevoked(t *testing.T) {
	t.Parallel()
	const sockets = 8
	upstream := startChat(t)
	w := newRevocationWorld(t)
	w.upstream = upstream.URL()
	g := w.serveReady(t, revocationConfig{directory: newDirectory(t)})
	operator := newCallers(t)
	session := func(token *corpus.Token) { token.SessionID = "session-1" }
	one, other, lasting := w.mint(t, session), w.mint(t, session), w.mint(t, nil)
	var doomed []*edgeConn
	for range sockets {
		doomed = append(doomed, g.chat(t, one.raw), g.chat(t, other.raw))
	}
	stays := g.chat(t, lasting.raw)
	for _, c := range append(doomed, stays) {
		c.wantEcho([]byte("hello"))
	}
	operator.mustRevoke(t, g, revocationEntry{"issuer": "vneid", "sid": "session-1"})
	for _, c := range doomed {
		c.ended()
	}
	stays.wantEcho([]byte("still here"))
	if n := g.metric(t, revokedClosed); n != float64(len(doomed)) {
		t.Errorf("%v closed, want %d", n, len(doomed))
	}
	eventually(t, "the upstream saw them end", func() bool { return upstream.ended.Load() == int64(len(doomed)) })
	refused := g.askToChat(t, one.raw)
	refused.answer().refusedWith(t, http.StatusUnauthorized, "token_revoked")
	_, _ = refused.Close(), stays.Close()
	t.Logf("%d WebSockets of a session closed, 1 of another left open", len(doomed))
	g.stop(t)
}

// One after the other, all within the patience of a single wait: nobody waits for the
// next look at all connections.
func TestAWebSocketEndsAsSoonAsItsTokenIsRevoked(t *testing.T) {
	t.Parallel()
	const sockets = 20
	upstream := startChat(t)
	w := newRevocationWorld(t)
	w.upstream = upstream.URL()
	g := w.serveReady(t, revocationConfig{directory: newDirectory(t)})
	operator := newCallers(t)
	tokens, open := w.mintMany(t, sockets), make([]*edgeConn, sockets)
	for i := range open {
		open[i] = g.chat(t, tokens[i].raw)
	}
	limit := time.Now().Add(patience)
	for i, c := range open {
		_ = c.SetDeadline(limit)
		operator.mustRevoke(t, g, ofTokens(tokens[i])...)
		c.ended()
	}
	t.Logf("%d WebSockets closed, each before the next token was revoked", sockets)
	g.stop(t)
}

// A request that was admitted just before the revocation becomes a WebSocket just
// after it.
func TestNoWebSocketOutlivesARevocationDuringItsHandshake(t *testing.T) {
	t.Parallel()
	const rounds, sockets = 20, 8
	upstream := startChat(t)
	w := newRevocationWorld(t)
	w.upstream = upstream.URL()
	g := w.serveReady(t, revocationConfig{directory: newDirectory(t)})
	operator := newCallers(t)
	opened := 0
	for range rounds {
		token := w.mint(t, nil)
		conns := make([]*edgeConn, sockets)
		for i := range conns {
			conns[i] = g.askToChat(t, token.raw)
		}
		operator.mustRevoke(t, g, ofTokens(token)...)
		var ending sync.WaitGroup
		for _, c := range conns {
			ending.Go(func() {
				defer c.Close()
				response, err := http.ReadResponse(c.in, nil)
				if err == nil && response.StatusCode == http.StatusSwitchingProtocols {
					c.ended()
				}
			})
		}
		ending.Wait()
		eventually(t, "no tunnel is open", func() bool { return g.metric(t, "vneid_gateway_tunnels") == 0 })
		opened = int(g.metric(t, "vneid_gateway_tunnels_opened_total"))
	}
	t.Logf("%d WebSockets asked for while their token was revoked, %d opened, none left", rounds*sockets, opened)
	g.stop(t)
}

func TestServerSentEventsEndWhenTheirTokenIsRevoked(t *testing.T) {
	t.Parallel()
	tick := make(chan int)
	url, gone := events(t, tick)
	w := newRevocationWorld(t)
	w.upstream = url
	g := w.serveReady(t, revocationConfig{directory: newDirectory(t)})
	operator := newCallers(t)
	doomed, lasting := w.mint(t, nil), w.mint(t, nil)
	first := g.dial(t).begin("/events", doomed.raw)
	tick <- 0
	next(t, first.Body, 0)
	conn := g.dial(t)
	second := conn.begin("/events", lasting.raw)
	operator.mustRevoke(t, g, ofTokens(doomed)...)
	if rest, err := io.ReadAll(first.Body); err == nil || len(rest) > 0 {
		t.Errorf("the stream ended as if it were whole: %q, %v", rest, err)
	}
	eventually(t, "the upstream was told that nobody may listen", func() bool { return gone.Load() == 1 })
	tick <- 1
	next(t, second.Body, 1)
	if n := g.metric(t, revokedClosed); n != 1 {
		t.Errorf("%v closed", n)
	}
	_ = conn.Close()
	t.Log("1 stream of events closed, 1 of another token left open")
	g.stop(t)
}
