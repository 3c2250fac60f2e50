package listen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// patience bounds every wait of a test; no test passes or fails by less.
const patience = 20 * time.Second

// rig is a fasthttp server, set up as the gateway sets it up, behind one
// listener. It answers with the address that it takes for the client's.
type rig struct {
	*Registry
	*Listener
	tb       testing.TB
	server   *fasthttp.Server
	requests atomic.Int64
	unread   atomic.Int64 // requests that could not be read
}

func newRig(tb testing.TB, c Config, lc ListenerConfig, changes ...func(*fasthttp.Server)) *rig {
	tb.Helper()
	r := &rig{tb: tb}
	r.server = &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			r.requests.Add(1)
			if len(ctx.Request.Header.Peek("Close")) > 0 {
				ctx.SetConnectionClose()
			}
			conn := Of(ctx.Conn())
			_, _ = fmt.Fprintf(ctx, "%s %d %v %v", ctx.RemoteAddr(), conn.Earlier(), ctx.IsTLS(), conn.TrustsProxy())
		},
		ErrorHandler: func(ctx *fasthttp.RequestCtx, err error) {
			r.unread.Add(1)
			ctx.Error("", fasthttp.StatusBadRequest)
		},
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		ReadBufferSize:               16<<10 + 1,
		ReadTimeout:                  10 * time.Second,
		IdleTimeout:                  75 * time.Second,
		WriteTimeout:                 75 * time.Second,
		NoDefaultServerHeader:        true,
		NoDefaultDate:                true,
		SecureErrorLogMessage:        true,
		CloseOnShutdown:              true,
		Logger:                       silent{},
	}
	for _, change := range changes {
		change(r.server)
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 1 << 20
	}
	if c.Serve == nil {
		c.Serve = func(conn net.Conn) { _ = r.server.ServeConn(conn) }
	}
	if lc.Address == "" {
		lc.Address = "127.0.0.1:0"
	}
	r.Registry = NewRegistry(c)
	var err error
	if r.Listener, err = r.Listen(context.Background(), lc); err != nil {
		tb.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.server.Serve(r.Listener) }()
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
		r.CloseIdle()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.Wait(ctx); err != nil {
			tb.Errorf("%d connections stay open", r.Registry.Stats().Open)
			r.CloseAll()
		}
		if err := errors.Join(r.server.ShutdownWithContext(ctx), <-ended); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// quick has the server give up soon.
func quick(s *fasthttp.Server) {
	s.ReadTimeout, s.IdleTimeout = 50*time.Millisecond, 50*time.Millisecond
}

type silent struct{}

func (silent) Printf(string, ...any) {}

func (r *rig) eventually(what string, holds func() bool) {
	r.tb.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-limit:
			r.tb.Fatalf("never %s: %+v %+v", what, r.Registry.Stats(), r.Listener.Stats())
		case <-tick.C:
		}
	}
}

// accepted returns the server's side of c, nil if there is none.
func (r *rig) accepted(c *client) *Conn {
	var found *Conn
	r.each(func(conn *Conn) {
		if conn.Conn.RemoteAddr().String() == c.LocalAddr().String() {
			found = conn
		}
	})
	return found
}

// isParked reports whether c is parked.
func (r *rig) isParked(c *client) bool {
	conn := r.accepted(c)
	if conn == nil {
		return false
	}
	conn.mu.Lock()
	defer conn.mu.Unlock()
	return conn.resting
}

// passes waits until a client that is silent from now on has been parked.
func (r *rig) passes() {
	r.tb.Helper()
	c := r.dial()
	r.eventually("parked", func() bool { return r.isParked(c) })
	_ = c.Close()
	r.eventually("forgotten", func() bool { return r.accepted(c) == nil })
}

func (r *rig) stats() Stats { return r.Registry.Stats() }

// client is one connection to the rig.
type client struct {
	net.Conn
	tb testing.TB
	in *bufio.Reader
}

func (r *rig) dial() *client {
	r.tb.Helper()
	c, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		r.tb.Fatal(err)
	}
	return r.over(c)
}

func (r *rig) over(c net.Conn) *client {
	r.tb.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &client{Conn: c, tb: r.tb, in: bufio.NewReader(c)}
}

const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

func (c *client) send(s string) *client {
	c.tb.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		c.tb.Fatal(err)
	}
	return c
}

// answer reads a response and returns its status and body.
func (c *client) answer() (int, string) {
	c.tb.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.tb.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// get does one request and returns the words of the answer.
func (c *client) get() []string {
	c.tb.Helper()
	status, body := c.send(request).answer()
	if status != 200 {
		c.tb.Fatalf("status %d", status)
	}
	return strings.Fields(body)
}

// wantEnd expects that the server closes without another byte.
func (c *client) wantEnd() {
	c.tb.Helper()
	if b, err := c.in.ReadByte(); err == nil {
		c.tb.Errorf("got %q instead of the end", b)
	} else if network, ok := errors.AsType[net.Error](err); ok && network.Timeout() {
		c.tb.Error("the connection is not closed")
	}
}

func networks(tb testing.TB, cidrs ...string) []netip.Prefix {
	tb.Helper()
	var all []netip.Prefix
	for _, s := range cidrs {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}
