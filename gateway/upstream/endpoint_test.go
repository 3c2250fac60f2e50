package upstream_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// answerGood answers the requests on conn, whatever they are, and returns how
// many there were.
func answerGood(conn net.Conn) (n int) {
	br := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(br)
		if err != nil {
			return n
		}
		_, _ = io.Copy(io.Discard, req.Body)
		n++
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"); err != nil {
			return n
		}
	}
}

func TestAnUpstreamBehindASocketIsReached(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	hosts := make(chan string, 8)
	connections := make(chan net.Conn, 8)
	serveOn(t, listener, func(conn net.Conn) {
		connections <- conn
		br := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			hosts <- req.Host
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
		}
	})
	f := newFront(t, setup{
		config:  func(c *upstream.GroupConfig) { c.Endpoints = []upstream.Endpoint{{Network: "unix", Address: path}} },
		request: func(r *upstream.Request) { r.UpstreamHost = true },
	})
	c := f.client(t)
	for range 3 {
		if _, body := c.get("/"); body != "good" {
			t.Fatalf("%q", body)
		}
		if host := <-hosts; host != "localhost" {
			t.Errorf("Host is %q", host)
		}
	}
	if len(connections) != 1 {
		t.Errorf("%d connections", len(connections))
	}
	// One that is closed while it is kept is found out here, too.
	_ = (<-connections).Close()
	if _, body := c.get("/"); body != "good" || len(connections) != 1 {
		t.Errorf("%q over %d new connections", body, len(connections))
	}
}

func TestASocketThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	f := newFront(t, setup{config: func(c *upstream.GroupConfig) {
		c.Endpoints = []upstream.Endpoint{{Network: "unix", Address: filepath.Join(t.TempDir(), "s"), Name: "sidecar"}}
	}})
	resp, _ := f.client(t).get("/")
	if s := f.group.Stats()[0]; !refused(resp, upstream.ErrUnreachable) || s.Dials[upstream.DialRefused] != 1 || s.Address != "sidecar" {
		t.Errorf("%v, %+v", resp.Header, s)
	}
}

func TestTheUpstreamIsVerifiedAndNeverSpokenToInPlain(t *testing.T) {
	t.Parallel()
	known, unknown := newAuthority(t), newAuthority(t)
	trusting := &tls.Config{RootCAs: known.pool, ServerName: "up.example"}
	for name, c := range map[string]struct {
		server *tls.Config // nil is a server without TLS
		client *tls.Config
		want   upstream.DialFailure
	}{
		"unknown root":    {&tls.Config{Certificates: []tls.Certificate{unknown.soon("up.example")}}, trusting, upstream.DialCertificate},
		"another name":    {&tls.Config{Certificates: []tls.Certificate{known.soon("other.example")}}, trusting, upstream.DialCertificate},
		"expired":         {&tls.Config{Certificates: []tls.Certificate{known.issue("up.example", time.Now().Add(-time.Minute))}}, trusting, upstream.DialCertificate},
		"name of address": {&tls.Config{Certificates: []tls.Certificate{known.soon("up.example")}}, &tls.Config{RootCAs: known.pool}, upstream.DialCertificate},
		"system's roots":  {&tls.Config{Certificates: []tls.Certificate{known.soon("up.example")}}, &tls.Config{ServerName: "up.example"}, upstream.DialCertificate},
		"no TLS":          {nil, trusting, upstream.DialTLS},
		"TLS 1.1":         {&tls.Config{Certificates: []tls.Certificate{known.soon("up.example")}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, trusting, upstream.DialTLS},
		"not HTTP":        {&tls.Config{Certificates: []tls.Certificate{known.soon("up.example")}, NextProtos: []string{"imap"}}, trusting, upstream.DialTLS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			address := serve(t, func(conn net.Conn) {
				if c.server == nil {
					// What a server of plain HTTP says to a ClientHello.
					_, _ = conn.Read(make([]byte, 4096))
					_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
					return
				}
				requests.Add(int64(answerGood(tls.Server(conn, c.server))))
			})
			f := newFront(t, setup{config: func(g *upstream.GroupConfig) {
				g.Endpoints = []upstream.Endpoint{{Address: address, TLS: c.client}}
			}})
			for range 2 {
				if resp, _ := f.client(t).get("/"); !refused(resp, upstream.ErrUnreachable) {
					t.Errorf("%d %v", resp.StatusCode, resp.Header)
				}
			}
			s := f.group.Stats()[0]
			if s.Dials[c.want] != 2 || s.Dials.Total() != 2 || requests.Load() != 0 || s.Open != 0 || s.Requests != 0 {
				t.Errorf("%+v, %d requests came through", s, requests.Load())
			}
		})
	}
}

func TestTLSUpstreamsGetNameProtocolAndClientCertificate(t *testing.T) {
	t.Parallel()
	root := newAuthority(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			states := make(chan tls.ConnectionState, 8)
			server := &tls.Config{
				Certificates: []tls.Certificate{root.soon("up.example")}, MaxVersion: version,
				NextProtos: []string{"h2", "http/1.1"}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: root.pool,
			}
			address := serve(t, func(conn net.Conn) {
				secured := tls.Server(conn, server)
				if secured.Handshake() == nil {
					states <- secured.ConnectionState()
					answerGood(secured)
				}
			})
			f := newFront(t, setup{config: func(g *upstream.GroupConfig) {
				g.Endpoints = []upstream.Endpoint{{Address: address, TLS: &tls.Config{
					RootCAs: root.pool, ServerName: "up.example", Certificates: []tls.Certificate{root.soon("gateway.example")},
					NextProtos: []string{"h2"},
				}}}
			}})
			c := f.client(t)
			for range 5 {
				if _, body := c.get("/"); body != "good" {
					t.Fatalf("%q", body)
				}
			}
			state := <-states
			if state.ServerName != "up.example" || state.NegotiatedProtocol != "http/1.1" || state.Version != version ||
				state.PeerCertificates[0].Subject.CommonName != "gateway.example" {
				t.Errorf("%+v", state)
			}
			if len(states) != 0 || f.group.Open() != 1 {
				t.Errorf("%d more connections", len(states))
			}
			// Another connection resumes the session.
			f.group.Age()
			c.get("/")
			if state = <-states; !state.DidResume {
				t.Error("the session was not resumed")
			}
		})
	}
}

func TestTheHandshakeIsWithinTheTimeToConnect(t *testing.T) {
	t.Parallel()
	root := newAuthority(t)
	address := serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	f := newFront(t, setup{
		timeouts: upstream.Timeouts{Connect: 50 * time.Millisecond, FirstByte: time.Minute, Idle: time.Minute},
		config: func(g *upstream.GroupConfig) {
			g.Endpoints = []upstream.Endpoint{{Address: address, TLS: &tls.Config{RootCAs: root.pool}}}
		},
	})
	resp, _ := f.client(t).get("/")
	if s := f.group.Stats()[0]; !refused(resp, upstream.ErrUnreachable) || s.Dials[upstream.DialTimeout] != 1 || s.Open != 0 {
		t.Errorf("%v, %+v", resp.Header, s)
	}
}

func TestProxyHeaderNamesTheClientOfEachConnection(t *testing.T) {
	t.Parallel()
	root := newAuthority(t)
	for name, c := range map[string]struct {
		version int
		secured bool
	}{"v1": {1, false}, "v2": {2, false}, "v2 before TLS": {2, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type seen struct {
				version  byte
				from, to string
			}
			headers := make(chan seen, 8)
			address := serve(t, func(conn net.Conn) {
				br := bufio.NewReaderSize(conn, 256)
				h, err := proxyproto.Read(br)
				if err != nil {
					t.Error(err)
					return
				}
				headers <- seen{h.Version, h.SourceAddr.String(), h.DestinationAddr.String()}
				var rest net.Conn = behind{conn, br}
				if c.secured {
					rest = tls.Server(rest, &tls.Config{Certificates: []tls.Certificate{root.soon("up.example")}})
				}
				answerGood(rest)
			})
			f := newFront(t, setup{config: func(g *upstream.GroupConfig) {
				g.Endpoints = []upstream.Endpoint{{Address: address, SendProxy: c.version}}
				if c.secured {
					g.Endpoints[0].TLS = &tls.Config{RootCAs: root.pool, ServerName: "up.example"}
				}
			}})
			for range 2 {
				client := f.client(t)
				for range 2 {
					if _, body := client.get("/"); body != "good" {
						t.Fatalf("%q", body)
					}
					want := seen{byte(c.version), client.LocalAddr().String(), f.address}
					if got := <-headers; got != want {
						t.Errorf("%+v, want %+v", got, want)
					}
				}
			}
			// A connection that speaks for one client serves no other.
			if n := f.rested(t); n != 0 {
				t.Errorf("%d connections kept", n)
			}
		})
	}
}

// behind is a connection whose beginning was read already.
type behind struct {
	net.Conn
	br *bufio.Reader
}

func (b behind) Read(p []byte) (int, error) { return b.br.Read(p) }

func TestWantOfLocalResourcesIsNotHeldAgainstTheUpstream(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL} {
		f := newFront(t, setup{
			addresses: []string{"192.0.2.1:80"},
			dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: errno}
			},
			config: func(c *upstream.GroupConfig) { c.Breaker = upstream.BreakerConfig{After: 1, For: time.Hour} },
		})
		for range 3 {
			if resp, _ := f.client(t).get("/"); resp.StatusCode != http.StatusBadGateway {
				t.Errorf("%d", resp.StatusCode)
			}
		}
		if s := f.group.Stats()[0]; s.Dials[upstream.DialLocal] != 3 || s.Failures != 0 || s.Up != 1 {
			t.Errorf("%v: %+v", errno, s)
		}
	}
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	recorder := record(t, func(origin.Request) origin.Answer { <-release; return origin.OK() })
	f := newFront(t, setup{
		addresses: []string{recorder.Address()},
		config:    func(c *upstream.GroupConfig) { c.MaxInFlight = 2 },
	})
	slow := []*client{f.client(t), f.client(t)}
	for _, c := range slow {
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	await(t, recorder, 2)
	if resp, _ := f.client(t).get("/"); !refused(resp, upstream.ErrSaturated) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if s := f.group.Stats()[0]; s.InFlight != 2 || s.InFlightLimit != 2 {
		t.Errorf("%+v", s)
	}
	close(release)
	for _, c := range slow {
		c.read("GET") //nolint:errcheck // only awaited
	}
	eventually(t, "no request to be in flight", func() bool { return f.group.Stats()[0].InFlight == 0 })
	if _, body := f.client(t).get("/"); body != "good" {
		t.Errorf("%q", body)
	}
}
