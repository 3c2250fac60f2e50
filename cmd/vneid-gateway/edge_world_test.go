package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// edgeConfig is what a test of the edge configures. Every path is public but
// those of [reading].
type edgeConfig struct {
	listen string // of the list; empty for one plain listener
	site   string // more fields of the site, each on a line of its own
	sites  string // more sites
	more   string // more sections
	// upstream serves the site; nil echoes.
	upstream http.Handler
}

// edge is a gateway before one site, and what it held before the test began.
type edge struct {
	*process
	issuer string
	key    *corpus.Key
	// addresses are those of the listeners, in order.
	addresses         []string
	goroutines, files float64
}

func startEdge(t *testing.T, c edgeConfig) *edge {
	t.Helper()
	key := newPartyKey(t)
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	if c.upstream == nil {
		c.upstream = origin.Site("hanoi")
	}
	listener, err := loopback.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	upstream := loopback.Serve(listener, c.upstream)
	t.Cleanup(func() { _ = upstream.Close() })
	if c.listen == "" {
		c.listen = `[{ address: "127.0.0.1:0" }]`
	}
	site := func(name, host, more string) string {
		return fmt.Sprintf(`
  - name: %s
    hosts: [%s]
    upstreams: ["%s"]
    issuers: [vneid]
    rules: [{ paths: [/**], access: public }, { paths: [%s] }]
%s`, name, host, upstream.URL(), reading, more)
	}
	e := &edge{issuer: issuer.Issuer(), key: key}
	e.process = serve(t, fmt.Sprintf(`
listen: %s
admin: { address: "127.0.0.1:0", pprof: true }
issuers:
  - name: vneid
    issuer: %s
    jwks: { discovery: true }
    audience: { any_of: [tthc] }
    claims: { account_kind: { claim: account_type, map: { "1": citizen, "2": organisation } } }
sites:%s%s
log: { access: { off: true } }
shutdown: { delay: 0s, deadline: 10s }
%s
`, c.listen, e.issuer, site("hanoi", testHost, c.site), strings.ReplaceAll(c.sites, "UPSTREAM", upstream.URL()), c.more))
	e.awaitReady(t)
	for line := range strings.Lines(e.output()) {
		var said event
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "serving" {
			e.addresses = append(e.addresses, said.Address)
		}
	}
	e.goroutines, e.files = e.metric(t, "go_goroutines"), e.metric(t, "process_open_fds")
	return e
}

// edgeSlack is what may be left of a test: kept connections to the upstream,
// and what the gateway starts once.
const edgeSlack = 12

// finish checks that nothing is left of the test and that memory was bounded all
// along, then stops the gateway.
func (e *edge) finish(t *testing.T) {
	t.Helper()
	e.awaitThat(t, "no client's connection left open", func() bool { return e.metric(t, "vneid_gateway_connections") == 0 })
	e.awaitThat(t, "no goroutine and no file left over", func() bool {
		return e.metric(t, "go_goroutines") <= e.goroutines+edgeSlack && e.metric(t, "process_open_fds") <= e.files+edgeSlack
	})
	if n := e.metric(t, "vneid_gateway_in_flight_requests"); n != 0 {
		t.Errorf("%v requests in flight", n)
	}
	if n := e.metric(t, "vneid_gateway_panics_total"); n != 0 {
		t.Errorf("%v panics", n)
	}
	peak := residentPeak(t, e.pid)
	if peak > residentCeiling {
		t.Errorf("the gateway held up to %d MiB", peak>>20)
	}
	t.Logf("goroutines %v before, %v after; files %v before, %v after; peak resident set %d MiB",
		e.goroutines, e.metric(t, "go_goroutines"), e.files, e.metric(t, "process_open_fds"), peak>>20)
	e.stop(t)
}

// tokenOf makes a good token of a client.
func (e *edge) tokenOf(t *testing.T, client string) string {
	t.Helper()
	token := corpus.NewToken(e.issuer, "tthc", time.Now())
	token.AuthorizedParty = client
	raw, err := token.Sign(e.key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// refusals returns how many requests were refused for a reason.
func (e *edge) refusals(t *testing.T, reason string) float64 {
	t.Helper()
	return e.sum(t, "vneid_gateway_requests_total", `reason="`+reason+`"`)
}

// sum adds up the series of a metric that bear all of these labels.
func (p *process) sum(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	var sum float64
lines:
	for line := range strings.Lines(get(t, p.admin+"/metrics").body) {
		series, found := strings.CutPrefix(strings.TrimSpace(line), name+"{")
		if !found {
			continue
		}
		set, value, _ := strings.Cut(series, "} ")
		for _, label := range labels {
			if !strings.Contains(set, label) {
				continue lines
			}
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// edgeConn is a client's connection that sends what it is told to.
type edgeConn struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

// dial connects from a loopback address; empty means any.
func (e *edge) dial(t *testing.T, source string) *edgeConn {
	t.Helper()
	return dialEdge(t, e.addresses[0], source)
}

func dialEdge(t *testing.T, address, source string) *edgeConn {
	t.Helper()
	dialer := net.Dialer{Timeout: patience}
	if source != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(source)}
	}
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return newEdgeConn(t, conn)
}

func newEdgeConn(t *testing.T, conn net.Conn) *edgeConn {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &edgeConn{Conn: conn, t: t, in: bufio.NewReader(conn)}
}

// send writes, and gives what is behind it new patience; a connection that the
// gateway has closed is no fault of the test's, as its answer tells.
func (c *edgeConn) send(text string) *edgeConn {
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c.Conn, text)
	return c
}

// answer reads one response.
func (c *edgeConn) answer() answer {
	c.t.Helper()
	a, _ := c.answerLast()
	return a
}

// answerLast reads one response, and tells whether the gateway says that it is
// the connection's last.
func (c *edgeConn) answerLast() (answer, bool) {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("half an answer: %v", err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(body)}, response.Close
}

// serves has a connection carry a request and stay open.
func (c *edgeConn) serves() *edgeConn {
	c.t.Helper()
	a, last := c.send(edgeGet).answerLast()
	if a.echo(c.t); last {
		c.t.Error("the connection was not to be closed")
	}
	return c
}

// ended reads to the connection's end, before which nothing may come.
func (c *edgeConn) ended() {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	// What was sent and never read makes a reset of the end (RFC 9112 section 9.6).
	if len(rest) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		c.t.Errorf("not closed: %q, %v", rest, err)
	}
}

// edgeGet is a request that every test may send.
var edgeGet = string(rawRequest(http.MethodGet, testHost, openPages, ""))

// edgePost begins a request with a body.
const edgePost = "POST " + openPages + " HTTP/1.1\r\nHost: " + testHost + "\r\n"
