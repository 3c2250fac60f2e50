package upstream_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// front is a server as the gateway has it, whose handler does nothing but Do.
type front struct {
	group   *upstream.Group
	address string

	mu      sync.Mutex
	ends    []ending
	up      int64 // bytes that ended tunnels carried to upstreams
	changed chan struct{}
}

// ending is what an Observer was told.
type ending struct {
	sent int64
	err  error
}

// setup says how a front differs from the usual.
type setup struct {
	addresses []string
	timeouts  upstream.Timeouts
	max       int
	dial      upstream.Dialer
	// config changes the group's configuration.
	config  func(*upstream.GroupConfig)
	request func(*upstream.Request)
	wrap    func(net.Listener) net.Listener
	// unchecked leaves the framing checks of package wire out.
	unchecked bool
}

// patient is long enough for every exchange that ends by itself.
var patient = upstream.Timeouts{Connect: time.Minute, FirstByte: time.Minute, Idle: time.Minute}

func newFront(t testing.TB, s setup) *front {
	t.Helper()
	if s.timeouts == (upstream.Timeouts{}) {
		s.timeouts = patient
	}
	if s.max == 0 {
		s.max = 100
	}
	if s.dial == nil {
		s.dial = (&net.Dialer{}).DialContext
	}
	cfg := upstream.GroupConfig{
		Endpoints: endpoints(s.addresses...), MaxConnections: s.max, Timeouts: s.timeouts, Dial: s.dial,
		Balance: upstream.RoundRobin,
	}
	if s.config != nil {
		s.config(&cfg)
	}
	f := &front{group: upstream.NewGroup(cfg), changed: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.address = listener.Addr().String()
	if s.wrap != nil {
		listener = s.wrap(listener)
	}
	server := newServer(func(ctx *fasthttp.RequestCtx) { f.handle(ctx, s.request) })
	if !s.unchecked {
		listener = wire.NewListener(listener, wire.Limits{})
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		if err := server.Shutdown(); err != nil {
			t.Error(err)
		}
		<-served
		// Whatever happened, no connection is lost from the books.
		eventually(t, "every connection to be idle or closed", func() bool { return f.group.Open() == f.group.Idle() })
		f.group.Close()
		if n := f.group.Open(); n != 0 {
			t.Errorf("%d connections open after Close", n)
		}
	})
	return f
}

// endpoints are plain upstreams at addresses.
func endpoints(addresses ...string) []upstream.Endpoint {
	all := make([]upstream.Endpoint, len(addresses))
	for i, address := range addresses {
		all[i].Address = address
	}
	return all
}

func newServer(handler fasthttp.RequestHandler) *fasthttp.Server {
	return &fasthttp.Server{
		Handler:                      handler,
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		MaxRequestBodySize:           math.MaxInt,
		ReadBufferSize:               32 << 10,
		NoDefaultServerHeader:        true,
		NoDefaultDate:                true,
		NoDefaultContentType:         true,
		CloseOnShutdown:              true,
		SecureErrorLogMessage:        true,
		Logger:                       silent{},
	}
}

type silent struct{}

func (silent) Printf(string, ...any) {}

func (f *front) handle(ctx *fasthttp.RequestCtx, edit func(*upstream.Request)) {
	header := &ctx.Request.Header
	target, _, err := wire.ParseTarget(nil, header.RequestURI())
	if err != nil {
		panic(err)
	}
	r := upstream.Request{
		Method: header.Method(), Path: target.Path, Query: target.Query, HasQuery: target.HasQuery,
		Host: header.Host(), ClientHost: header.Host(),
		Fields:        header.RawHeaders(),
		Client:        netip.MustParseAddr("192.0.2.7"),
		ContentLength: int64(header.ContentLength()),
	}
	if edit != nil {
		edit(&r)
	}
	if _, err = f.group.Do(ctx, &r, f); err == nil {
		ctx.Response.Header.Set("X-Front", "added later")
		return
	}
	ctx.Response.Reset()
	ctx.SetStatusCode(fasthttp.StatusBadGateway)
	ctx.Response.Header.Set("X-Error", err.Error())
	if errors.Is(err, upstream.ErrRequestBody) || errors.Is(err, upstream.ErrBodyTooLarge) || errors.Is(err, upstream.ErrClientGone) ||
		errors.Is(err, upstream.ErrUpgradeEarly) {
		ctx.SetConnectionClose()
	}
}

// ResponseDone implements upstream.Observer.
func (f *front) ResponseDone(sent int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends = append(f.ends, ending{sent, err})
	close(f.changed)
	f.changed = make(chan struct{})
}

// ended waits until n streamed responses ended.
func (f *front) ended(t testing.TB, n int) []ending {
	t.Helper()
	for {
		f.mu.Lock()
		ends, changed := f.ends, f.changed
		f.mu.Unlock()
		if len(ends) >= n {
			return ends
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("%d of %d streamed responses ended", len(ends), n)
		}
	}
}

// rested waits until no exchange is in flight and returns how many connections
// are kept.
func (f *front) rested(t testing.TB) int64 {
	t.Helper()
	eventually(t, "all exchanges to end", func() bool { return f.group.Open() == f.group.Idle() })
	return f.group.Idle()
}

// eventually waits for what happens without being announced.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	limit, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for !is() {
		if limit.Err() != nil {
			t.Fatalf("waited in vain for %s", what)
		}
		runtime.Gosched()
	}
}

// client is one connection to a front.
type client struct {
	net.Conn
	t  testing.TB
	br *bufio.Reader
}

func (f *front) client(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &client{Conn: conn, t: t, br: bufio.NewReader(conn)}
}

func (c *client) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		c.t.Fatal(err)
	}
}

// read reads one response with its body; the error is that of the body.
func (c *client) read(method string) (*http.Response, string, error) {
	c.t.Helper()
	resp := c.head(method)
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func (c *client) head(method string) *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.br, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("no response: %v", err)
	}
	return resp
}

// get sends a GET and returns the complete response.
func (c *client) get(path string) (*http.Response, string) {
	c.t.Helper()
	c.send("GET " + path + " HTTP/1.1\r\nHost: a.example\r\n\r\n")
	resp, body, err := c.read(http.MethodGet)
	if err != nil {
		c.t.Fatalf("body: %v", err)
	}
	return resp, body
}

// raw reads everything up to the end of the connection.
func (c *client) raw() (string, error) {
	raw, err := io.ReadAll(c.br)
	return string(raw), err
}

func refused(resp *http.Response, want error) bool {
	return resp.StatusCode == http.StatusBadGateway && resp.Header.Get("X-Error") == want.Error()
}

// record starts an upstream that keeps what it gets.
func record(t testing.TB, answer func(origin.Request) origin.Answer) *origin.Recorder {
	t.Helper()
	recorder, err := origin.Record(context.WithoutCancel(t.Context()), answer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = recorder.Close() })
	return recorder
}

func await(t testing.TB, r *origin.Recorder, n int) []origin.Request {
	t.Helper()
	requests, err := r.Await(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return requests
}

// answer is one that is sent as it is and keeps the connection.
func answer(raw string) origin.Answer { return origin.Answer{Raw: []byte(raw)} }

// closing is one after which the connection is closed.
func closing(raw string) origin.Answer { return origin.Answer{Raw: []byte(raw), End: origin.Close} }

// serve starts an upstream that does as it likes with each connection.
func serve(t testing.TB, with func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, listener, with)
	return listener.Addr().String()
}

// serveOn is serve on a listener, which it closes at the end of the test.
func serveOn(t testing.TB, listener net.Listener, with func(net.Conn)) {
	t.Helper()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				with(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
}

// unreachable is an address that refuses connections.
func unreachable(t testing.TB) string {
	t.Helper()
	listener := listenApart(t, "127.0.0.70")
	defer listener.Close()
	return listener.Addr().String()
}

// listenApart listens on a loopback address of which no other test takes a
// port, where the system has more than one.
func listenApart(t testing.TB, host string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", host+":0")
	if err != nil {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// endToEnd is the head that the recorder got without the request line, Host and
// what the gateway adds.
func endToEnd(r origin.Request) []string {
	var lines []string
	for _, line := range r.Lines()[2:] {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Content-Length", "Transfer-Encoding":
		default:
			lines = append(lines, line)
		}
	}
	return lines
}
