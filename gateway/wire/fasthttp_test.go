package wire

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps a clock for the Date header for the life of the process,
		// and a stopped server's pool cleaner wakes up once more to end.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// guarded is a fasthttp server behind a checking listener. It records the
// targets that reached its handler, and what was refused.
type guarded struct {
	ln    net.Listener // the inner one
	dial  func() (net.Conn, error)
	mu    sync.Mutex
	paths []string
}

// startGuarded serves ln until the test ends. ignoreBody leaves request bodies
// unread in the handler.
func startGuarded(t *testing.T, ln net.Listener, dial func() (net.Conn, error), ignoreBody bool) *guarded {
	t.Helper()
	g := &guarded{ln: ln, dial: dial}
	answer := func(ctx *fasthttp.RequestCtx, err error) {
		var refusal *Error
		if !errors.As(err, &refusal) {
			refusal = ErrorOf(ctx.Conn())
		}
		if refusal == nil {
			ctx.Error(err.Error(), 599)
			return
		}
		ctx.Error(refusal.Reason.String(), refusal.Status)
	}
	srv := &fasthttp.Server{
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		Logger:                       log.New(io.Discard, "", 0),
		ErrorHandler:                 answer,
		Handler: func(ctx *fasthttp.RequestCtx) {
			g.mu.Lock()
			g.paths = append(g.paths, string(ctx.Request.Header.RequestURI()))
			g.mu.Unlock()
			if ctx.Request.Header.ConnectionUpgrade() {
				if err := ctx.Conn().(interface{ PassThrough(uint64) error }).PassThrough(ctx.ConnRequestNum()); err != nil {
					answer(ctx, err)
					return
				}
				ctx.SetStatusCode(fasthttp.StatusSwitchingProtocols)
				ctx.Hijack(func(c net.Conn) { _, _ = io.Copy(c, io.LimitReader(c, 8)) })
				return
			}
			if !ignoreBody && ctx.RequestBodyStream() != nil {
				if _, err := io.Copy(io.Discard, ctx.RequestBodyStream()); err != nil {
					answer(ctx, err)
					return
				}
			}
			if ctx.IsTLS() {
				ctx.SetBodyString("tls")
			}
		},
	}
	lim := tight
	if ignoreBody {
		lim.MaxBodyBytes = 1 << 20
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(NewListener(ln, lim)) }()
	t.Cleanup(func() {
		if err := srv.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return g
}

func memoryListener() (net.Listener, func() (net.Conn, error)) {
	ln := fasthttputil.NewInmemoryListener()
	return ln, ln.Dial
}

func loopbackListener(t *testing.T) (net.Listener, func() (net.Conn, error)) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln, func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }
}

// roundTrip sends raw and returns the responses up to the end of the connection.
func (g *guarded) roundTrip(t *testing.T, raw string) []*http.Response {
	t.Helper()
	c, err := g.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var sent sync.WaitGroup
	sent.Go(func() { _, _ = io.WriteString(c, raw) }) // the server may close before the end
	defer sent.Wait()
	br := bufio.NewReader(c)
	var all []*http.Response
	for {
		if _, err := br.Peek(1); errors.Is(err, io.EOF) {
			return all
		}
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatalf("after %d responses: %v", len(all), err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body = io.NopCloser(strings.NewReader(string(body)))
		all = append(all, resp)
	}
}

func (g *guarded) handled() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.paths...)
}

// TestRefusedRequestIsAnsweredOnceAndEndsTheConnection sends every refused
// request to a real server, first and pipelined, with a smuggled one behind it.
func TestRefusedRequestIsAnsweredOnceAndEndsTheConnection(t *testing.T) {
	t.Parallel()
	smuggled := "GET /smuggled HTTP/1.1\r\n" + host + "\r\n"
	for _, network := range []string{"memory", "loopback"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			ln, dial := memoryListener()
			if network == "loopback" {
				ln, dial = loopbackListener(t)
			}
			g := startGuarded(t, ln, dial, false)
			for _, tc := range refusedRequests {
				for _, before := range []string{"", post + "Content-Length: 5\r\n\r\nhello"} {
					got := g.roundTrip(t, before+tc.raw+strings.Repeat(smuggled, 200))
					want := 1
					if before != "" {
						want = 2
						if len(got) > 0 && got[0].StatusCode != 200 {
							t.Errorf("%s: the good request before got %d", tc.name, got[0].StatusCode)
						}
					}
					if len(got) != want {
						t.Errorf("%s (behind %q): %d responses, want %d", tc.name, before, len(got), want)
						continue
					}
					last := got[want-1]
					body, err := io.ReadAll(last.Body)
					if err != nil || last.StatusCode != tc.status || string(body) != tc.reason.String() || !last.Close {
						t.Errorf("%s (behind %q): %d %q, Close %v, want %d %v", tc.name, before, last.StatusCode, body, last.Close, tc.status, tc.reason)
					}
				}
			}
			for _, path := range g.handled() {
				if path != "/p" {
					t.Errorf("%s was handled", path)
				}
			}
		})
	}
}

// TestUnreadBodyIsNeverTheNextRequest has a handler that looks at no body.
func TestUnreadBodyIsNeverTheNextRequest(t *testing.T) {
	t.Parallel()
	ln, dial := memoryListener()
	g := startGuarded(t, ln, dial, true)
	for _, tc := range refusedRequests {
		if tc.reason == ErrBodyTooLarge {
			continue // this server allows more
		}
		got := g.roundTrip(t, tc.raw+"GET /smuggled HTTP/1.1\r\n"+host+"\r\n")
		if len(got) != 1 {
			t.Errorf("%s: %d responses", tc.name, len(got))
		}
	}
	for _, path := range g.handled() {
		if path != "/p" {
			t.Errorf("%s was handled", path)
		}
	}
}

// TestAnswerToAnUnwantedBodyIsNotLostInAReset has a handler that answers from
// the head alone, while most of the body is still unread.
func TestAnswerToAnUnwantedBodyIsNotLostInAReset(t *testing.T) {
	t.Parallel()
	ln, dial := loopbackListener(t)
	g := startGuarded(t, ln, dial, true)
	got := g.roundTrip(t, post+"Content-Length: 600000\r\n\r\n"+strings.Repeat("b", 600000))
	if len(got) != 1 || got[0].StatusCode != 200 || !got[0].Close {
		t.Fatalf("%d responses", len(got))
	}
}

func TestUpgradedConnectionIsNotChecked(t *testing.T) {
	t.Parallel()
	ln, dial := memoryListener()
	g := startGuarded(t, ln, dial, false)
	c, err := g.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	br := bufio.NewReader(c)
	if _, err := io.WriteString(c, get+host+"Connection: Upgrade\r\nUpgrade: echo\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v, %v", resp, err)
	}
	frames := "\x81\x00\n\r\n\r\nX"
	if _, err := io.WriteString(c, frames); err != nil {
		t.Fatal(err)
	}
	if echo, err := io.ReadAll(br); err != nil || string(echo) != frames {
		t.Fatalf("%q, %v", echo, err)
	}
}

func TestWellFormedRequestsAreServed(t *testing.T) {
	t.Parallel()
	ln, dial := memoryListener()
	g := startGuarded(t, ln, dial, false)
	for _, raw := range passingRequests {
		if strings.HasPrefix(raw, "HEAD") || strings.Contains(raw, "expect") || strings.Contains(raw, "Upgrade") {
			continue // their responses are not read like others; the differential tests have them
		}
		got := g.roundTrip(t, raw+"GET /last HTTP/1.1\r\n"+host+"Connection: close\r\n\r\n")
		want := 2
		if strings.Contains(raw, "HTTP/1.0\r\n\r\n") {
			want = 1
		}
		if len(got) != want || got[0].StatusCode != 200 {
			t.Errorf("%q: %d responses, want %d", raw, len(got), want)
		}
	}
}

func TestTLSIsVisibleThroughTheChecks(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"a.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(cert)
	inner, dialInner := loopbackListener(t)
	ln := tls.NewListener(inner, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	g := startGuarded(t, ln, func() (net.Conn, error) {
		c, err := dialInner()
		if err != nil {
			return nil, err
		}
		return tls.Client(c, &tls.Config{RootCAs: roots, ServerName: "a.example"}), nil
	}, false)

	got := g.roundTrip(t, get+host+"\r\n"+get+"\r\n"+strings.Repeat("x", 10000))
	if len(got) != 2 || got[0].StatusCode != 200 || got[1].StatusCode != 400 {
		t.Fatalf("%d responses", len(got))
	}
	if body, err := io.ReadAll(got[0].Body); err != nil || string(body) != "tls" {
		t.Fatalf("IsTLS is false behind the checks: %q, %v", body, err)
	}
}
