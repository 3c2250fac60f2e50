package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pires/go-proxyproto"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

func TestASidecarBehindASocketIsReached(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "site") // unix(7): a path of at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	listen := func() *loopback.Server {
		ln, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		s := loopback.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			_, _ = fmt.Fprintf(w, "%s, %d bytes", r.Host, n)
		}))
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	first := listen()
	g := publicGateway(t, faultSite{"s", "unix:" + socket, "host: upstream"})
	ask := func() {
		t.Helper()
		if a := g.from(t, "s", request{method: http.MethodPost, path: "/"}); a.status != http.StatusOK || a.body != "localhost, 0 bytes" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	ask()
	ask()
	if n := g.total(t, "upstream_requests_total", "upstream", socket); n != 2 {
		t.Errorf("%v requests", n)
	}
	_ = first.Close()
	g.from(t, "s", request{path: "/"}).refusedWith(t, http.StatusBadGateway, "upstream_unreachable")
	listen()
	ask() // a restarted sidecar has another socket under the same path
	g.leavesNoTrace(t)
	g.stop(t)
}

// Each client has connections of its own to the upstream, which is told its
// address before the first request.
func TestTheUpstreamLearnsItsClientByThePROXYProtocol(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	said := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) }
	var versions [3]atomic.Int64
	told := func() net.Listener {
		ln, err := loopback.Listen(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return &proxyproto.Listener{
			Listener: ln,
			ConnPolicy: func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
				return proxyproto.REQUIRE, nil
			},
			ValidateHeader: func(h *proxyproto.Header) error {
				versions[h.Version].Add(1)
				return nil
			},
		}
	}
	plain := loopback.Serve(told(), http.HandlerFunc(said))
	t.Cleanup(func() { _ = plain.Close() })
	home := ours.sign(t, x509.ExtKeyUsageServerAuth, net.IPv4(127, 0, 0, 1))
	covered := startSecureOn(t, told(), &tls.Config{Certificates: []tls.Certificate{home.pair}, MinVersion: tls.VersionTLS12}, said)
	roots := "upstream_tls: { ca_file: " + ours.file + " }"
	g := publicGateway(t,
		faultSite{"v1", plain.URL(), "send_proxy_protocol: v1"},
		faultSite{"v2", plain.URL(), "send_proxy_protocol: v2"},
		faultSite{"v1-tls", covered, "send_proxy_protocol: v1\n" + roots},
		faultSite{"v2-tls", covered, "send_proxy_protocol: v2\n" + roots},
		faultSite{"none", plain.URL(), ""},
	)
	for i, site := range []string{"v1", "v2", "v1-tls", "v2-tls"} {
		version := &versions[1+i%2]
		version.Store(0)
		for range 2 {
			conn, err := net.Dial("tcp", strings.TrimPrefix(g.data, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			c := newEdgeConn(t, conn)
			for range 2 {
				a := c.send(string(rawRequest("GET", site+".example", "/", ""))).answer()
				t.Logf("%s: the client is %s, the upstream was told %s", site, conn.LocalAddr(), a.body)
				if a.status != http.StatusOK || a.body != conn.LocalAddr().String() {
					t.Errorf("%s: %d %s", site, a.status, a.body)
				}
			}
			_ = conn.Close()
		}
		if n := version.Load(); n != 4 {
			t.Errorf("%s: %d headers of its version for 4 requests", site, n)
		}
		if n := g.total(t, "upstream_connections", "site", site); n != 0 {
			t.Errorf("%s: %v connections are kept that speak for a client", site, n)
		}
	}
	// This upstream refuses who does not say it, so the above was said.
	if a := g.from(t, "none", request{path: "/"}); a.status != http.StatusBadGateway {
		t.Errorf("without a header: %d %s", a.status, a.body)
	}
	g.leavesNoTrace(t)
	g.stop(t)
}
