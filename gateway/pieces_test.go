package gateway

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// The world of a gateway without sockets: for what needs a clock of its own,
// or is counted in allocations.
const (
	piecesIssuer = "https://issuer.example"
	piecesConfig = `
listen: [{}]
issuers:
  - name: vneid
    issuer: https://issuer.example
    jwks: { url: https://issuer.example/jwks }
    leeway: 0s
    audience: { any_of: [tthc] }
    claims:
      account_kind: { claim: account_type, map: { "1": citizen, "2": organisation } }
      account_level: { claim: account_level }
  - name: other
    issuer: https://other.example
    jwks: { url: https://other.example/jwks }
    audience: { any_of: [tthc] }
sites:
  - name: hanoi
    hosts: [hanoi.example]
    upstreams: [http://upstream.example]
    issuers: [vneid]
    rules:
      - { paths: [/open/**], access: public }
verdicts: { max_bytes: 4MiB, max_age: 24h }
`
)

// newPieces builds a gateway that is never started and knows the keys.
func newPieces(tb testing.TB, text string, keys ...*corpus.Key) *Gateway {
	tb.Helper()
	cfg, err := config.Parse("test.yaml", []byte(text), "")
	if err != nil {
		tb.Fatal(err)
	}
	g, err := New(Options{Config: cfg, Log: newLogged(0).logger})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(g.close)
	is := g.state.Load().issuers[0]
	usable, _, err := token.ParseKeySet(corpus.KeySetJSON(keys...), token.KeySetOptions{Algorithms: cfg.Issuers[0].Algorithms})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := is.keys.Replace(usable, time.Now()); err != nil {
		tb.Fatal(err)
	}
	return g
}

var peer = net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// silent is a client that has sent all it will.
type silent struct{ net.Conn }

func (silent) Read([]byte) (int, error)         { return 0, io.EOF }
func (silent) Write(p []byte) (int, error)      { return len(p), nil }
func (silent) Close() error                     { return nil }
func (silent) RemoteAddr() net.Addr             { return &peer }
func (silent) LocalAddr() net.Addr              { return &peer }
func (silent) SetDeadline(time.Time) error      { return nil }
func (silent) SetReadDeadline(time.Time) error  { return nil }
func (silent) SetWriteDeadline(time.Time) error { return nil }

// received returns what fasthttp hands to the handler for the given head.
func received(tb testing.TB, head string) *fasthttp.RequestCtx {
	tb.Helper()
	ctx := new(fasthttp.RequestCtx)
	ctx.Init2(silent{}, nil, false)
	if err := ctx.Request.Header.Read(bufio.NewReaderSize(strings.NewReader(head), 32<<10)); err != nil {
		tb.Fatal(err)
	}
	return ctx
}

// judge takes the decision about a request, and what it was.
func judge(g *Gateway, ctx *fasthttp.RequestCtx) (allowed bool, code string) {
	x := g.begin(ctx)
	allowed = x.route() && x.admit()
	if !allowed {
		code = x.code.String()
	}
	x.release()
	return allowed, code
}

// canned is an upstream connection that answers every head with the same
// response, in memory.
type canned struct {
	silent
	response, left []byte
}

func (c *canned) Write(p []byte) (int, error) {
	c.left = c.response
	return len(p), nil
}

func (c *canned) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

// withCannedUpstream replaces the upstreams of the gateway's one site.
func withCannedUpstream(g *Gateway, response string) *Gateway {
	g.state.Load().sites[0].reach.group = upstream.NewGroup(upstream.GroupConfig{
		Endpoints:      []upstream.Endpoint{{Address: "upstream.example:80"}},
		MaxConnections: 16,
		Timeouts:       upstream.Timeouts{Connect: time.Second, FirstByte: time.Second, Idle: time.Second},
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return &canned{response: []byte(response)}, nil
		},
	})
	return g
}

// warmed returns a gateway with a canned upstream, and a context with a request
// whose token's verdict is cached.
func warmed(tb testing.TB, alg, target string, fields ...string) (*Gateway, *fasthttp.RequestCtx) {
	tb.Helper()
	key := testKeys()[alg]
	g := withCannedUpstream(newPieces(tb, piecesConfig, key), cannedResponse)
	tok, err := corpus.NewToken(piecesIssuer, "tthc", time.Now().Add(-time.Minute)).Sign(key)
	if err != nil {
		tb.Fatal(err)
	}
	ctx := received(tb, request("GET", target, append(fields, bearer(tok))...))
	g.state.Load().log.off = true
	// A verdict is taken in behind the request's back.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(patience); time.Now().Before(limit); <-tick.C {
		if allowed, code := judge(g, ctx); !allowed {
			tb.Fatal(code)
		}
		if g.state.Load().verdicts.Stats().Hits > 0 || target != "/private" {
			return g, ctx
		}
	}
	tb.Fatal("never warm")
	return nil, nil
}

const cannedResponse = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngood"

// browserFields is about what a browser sends.
var browserFields = []string{
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language: vi,en;q=0.8", "Accept-Encoding: gzip, br",
	"Referer: https://hanoi.example/", "Cookie: theme=dark; lang=vi", "X-Request-Id: 0123456789abcdef",
	"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
