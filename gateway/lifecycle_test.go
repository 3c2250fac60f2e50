package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

func TestDrainFailsNoRequestAndReadinessFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{shutdown: "{ delay: 500ms, deadline: 10s }"})
	tok := r.token()
	const clients = 8
	var (
		running sync.WaitGroup
		served  atomic.Int64
		drained atomic.Int64
	)
	started := make(chan struct{}, clients)
	for range clients {
		running.Go(func() {
			// Like a balancer: it looks at readiness before it opens a
			// connection, and takes the word of a response that closes.
			for {
				if status, _ := r.adminGet("/readyz"); status != http.StatusOK {
					return
				}
				conn := r.dial()
				for closes := false; !closes; {
					a, err := conn.send(request("GET", "/private", bearer(tok))).tryAnswer("GET")
					if err != nil || a.status != 200 {
						t.Errorf("a request failed: %v %d %s", err, a.status, a.code)
						return
					}
					if served.Add(1); r.draining.Load() {
						drained.Add(1)
					}
					select {
					case started <- struct{}{}:
					default:
					}
					closes = a.closes
				}
				conn.wantEnd()
				conn.Close()
			}
		})
	}
	for range clients {
		<-started
	}
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(context.Background()) }()
	r.eventually("not ready", func() bool { return len(r.Missing()) > 0 })
	if got := r.Missing(); got[0] != "draining" {
		t.Errorf("%v", got)
	}
	running.Wait()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if served.Load() < clients || drained.Load() == 0 {
		t.Errorf("%d served, %d of them while draining", served.Load(), drained.Load())
	}
	r.wantMetric(0, "in_flight_requests")
	r.wantMetric(0, "connections")
	r.wantMetric(float64(served.Load()), "requests_total")
	if _, err := net.Dial("tcp", r.address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("still listening: %v", err)
	}
}

func TestDrainWaitsForWhatIsInFlight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ protocol, response, body string }{
		"whole":              {"1.1", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood", "good"},
		"HTTP/1.0":           {"1.0", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood", "good"},
		"until close":        {"1.1", "HTTP/1.1 200 OK\r\n\r\ngood", "good"},
		"HTTP/1.0 and chunk": {"1.0", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n", "good"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entered, release := make(chan struct{}), make(chan struct{})
			r := newRig(t, setup{answer: func(origin.Request) origin.Answer {
				close(entered)
				<-release
				return origin.Answer{Raw: []byte(c.response), End: origin.Close}
			}})
			conn := r.dial().send(strings.Replace(openGet, "1.1", c.protocol, 1) + "\r\n")
			<-entered
			done := make(chan error, 1)
			go func() { done <- r.Shutdown(context.Background()) }()
			r.eventually("closed to new connections", func() bool {
				probe, err := net.Dial("tcp", r.address())
				if err == nil {
					_ = probe.Close()
				}
				return err != nil
			})
			select {
			case err := <-done:
				t.Fatalf("gone with a request in flight: %v", err)
			default:
			}
			close(release)
			if a := conn.answer("GET"); a.status != 200 || a.body != c.body || !a.closes {
				t.Errorf("%d %q, closes %v", a.status, a.body, a.closes)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDrainWaitsForAnHTTP10StreamToEnd(t *testing.T) {
	t.Parallel()
	// A stream to a client of HTTP/1.0 leaves fasthttp's hands when its head
	// is written, yet it is a request in flight.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	release := make(chan struct{})
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"))
		<-release
		_, _ = conn.Write([]byte("6\r\nsecond\r\n0\r\n\r\n"))
	}()
	r := newRig(t, setup{upstreams: "[http://" + ln.Addr().String() + "]"})
	conn := r.dial().send(strings.Replace(openGet, "1.1", "1.0", 1) + "\r\n")
	if line, err := conn.in.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q %v", line, err)
	}
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(context.Background()) }()
	r.eventually("closed to new connections", func() bool {
		probe, err := net.Dial("tcp", r.address())
		if err == nil {
			_ = probe.Close()
		}
		return err != nil
	})
	// The drain's own steps are a tenth of a second apart.
	select {
	case err := <-done:
		t.Errorf("gone with a stream in flight: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	close(release)
	conn.wantRest("second")
	if t.Failed() {
		return
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestDrainEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{answer: origin.Always(origin.Answer{})})
	conn := r.dial().send(openGet + "\r\n")
	if _, err := r.upstream.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, ErrCutOff) {
		t.Errorf("%v", err)
	}
	if lines := r.log.lines("requests cut off at the deadline"); len(lines) != 1 {
		t.Errorf("%v", lines)
	}
	_, _ = conn.tryAnswer("GET")
	conn.wantEnd()
}

func TestShutdownRightAfterStartEnds(t *testing.T) {
	t.Parallel()
	for range 20 {
		r := buildRig(t, setup{})
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
		r.stop()
	}
}

func TestStartNamesTheFieldWhosePortIsTaken(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for field, spoil := range map[string]func(*config.Config){
		"admin.address": func(c *config.Config) { c.Admin.Address = ln.Addr().String() },
		"listen[1].address": func(c *config.Config) {
			c.Listen = append(c.Listen, config.Listener{Address: ln.Addr().String()})
		},
		// It is opened last of all, when the others serve.
		"listen[2].address": func(c *config.Config) {
			c.Listen = append(c.Listen, c.Listen[0], config.Listener{Address: ln.Addr().String(), ReusePort: true})
		},
		"revocation.receiver.address": func(c *config.Config) { c.Revocation.Receiver.Address = ln.Addr().String() },
	} {
		r := buildRig(t, setup{top: "revocation: { directory: " + filepath.Join(t.TempDir(), "revoked") + ", receiver: { address: \"127.0.0.1:0\" } }"})
		spoil(r.cfg)
		if err := r.makeReceiver(&r.cfg.Revocation.Receiver, r.state.Load()); err != nil {
			t.Fatal(err)
		}
		err := r.Run(t.Context())
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
		for _, l := range r.dataListeners() {
			if l == nil {
				continue
			}
			if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
				_ = conn.Close()
				t.Errorf("%s: a listener was left open", field)
			}
		}
	}
}

func TestRunServesUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	r := buildRig(t, setup{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.eventually("serving", func() bool { return len(r.log.lines("serving")) > 0 && len(r.Missing()) == 0 })
	if a := r.get("/private", bearer(r.token())); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestNothingIsLeftAfterShutdown is not parallel: it looks at every goroutine.
func TestNothingIsLeftAfterShutdown(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("life", func(t *testing.T) {
		r := newRig(t, setup{upstreams: "[" + startSite(t) + "]"})
		r.warm(r.token())
		r.get("/open/x", "Connection: close")
		idle := r.dial()
		idle.send(openGet + "\r\n").answer("GET")
		r.stop()
	})
	if err := goleak.Find(append(fasthttpLeaves(), before)...); err != nil {
		t.Error(err)
	}
}

func TestMissingKeyFileIsSaidByReadiness(t *testing.T) {
	t.Parallel()
	r := buildRig(t, setup{})
	keys := &r.cfg.Issuers[0].JWKS
	keys.URL, keys.File = "", t.TempDir()+"/absent.json"
	g, err := New(Options{Config: r.cfg, Log: r.log.logger})
	if err != nil {
		t.Fatal(err)
	}
	r.close()
	r.Gateway = g
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	r.eventually("said", func() bool {
		missing := r.Missing()
		return len(missing) == 1 && missing[0] == "keys of issuer vneid: not fetched yet, last attempt: unreachable"
	})
}
