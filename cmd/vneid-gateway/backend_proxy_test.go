package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// proxy is an HTTP proxy that counts what goes by it: requests whole, and
// tunnels.
type proxy struct {
	*loopback.Server
	forwarded, tunnelled atomic.Int64

	forward httputil.ReverseProxy
	tunnels sync.WaitGroup
}

func startProxy(t *testing.T) *proxy {
	t.Helper()
	listener, err := loopback.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{forward: httputil.ReverseProxy{
		Rewrite:   func(*httputil.ProxyRequest) {}, // it has its address already
		Transport: &http.Transport{DisableKeepAlives: true},
	}}
	p.Server = loopback.Serve(listener, p)
	t.Cleanup(func() {
		_ = p.Close()
		p.tunnels.Wait()
	})
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		p.forwarded.Add(1)
		p.forward.ServeHTTP(w, r)
		return
	}
	p.tunnelled.Add(1)
	target, err := new(net.Dialer).DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, "no such target", http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = target.Close()
		return
	}
	both := func(to net.Conn, from io.Reader) {
		_, _ = io.Copy(to, from)
		_, _ = client.Close(), target.Close()
	}
	p.tunnels.Go(func() { both(target, buffered) })
	p.tunnels.Go(func() { both(client, target) })
}

// The environment's proxy would be used for any address but those that are
// clearly loopback, so the backend is reached by one that is not: 0.0.0.0, which
// Linux takes for this machine.
func TestTheBackendIsReachedByTheConfiguredProxyAndByNoOther(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("0.0.0.0 is no address to connect to elsewhere")
	}
	const host = "0.0.0.0"
	roots := newAuthority(t)
	secure := &tls.Config{
		Certificates: []tls.Certificate{roots.sign(t, x509.ExtKeyUsageServerAuth, net.ParseIP(host)).pair}, MinVersion: tls.VersionTLS12,
	}
	for name, config := range map[string]*tls.Config{"https": secure, "http": nil} {
		for _, configured := range []bool{false, true} {
			t.Run(map[bool]string{false: name + " without proxy_url", true: name + " with proxy_url"}[configured], func(t *testing.T) {
				t.Parallel()
				environments, own := startProxy(t), startProxy(t)
				bounds := "ca_file: " + roots.file
				if configured {
					bounds += ", proxy_url: " + own.URL()
				}
				p := newTLSParty(t, host, config, bounds)
				p.jwks = "discovery: true, allow_plain_http: true, refresh: 1s"
				var environment []string
				for _, variable := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
					environment = append(environment, variable+"="+environments.URL())
				}
				environment = append(environment, "NO_PROXY=", "no_proxy=")
				g := serve(t, partyConfig(startSite(t).URL(), p), environment...)
				g.awaitReady(t)
				p.serves(t, g)
				eventually(t, "fetched again", func() bool { return p.Fetches(backend.KeySetPath) >= 2 })
				g.stop(t)

				if n := environments.forwarded.Load() + environments.tunnelled.Load(); n != 0 {
					t.Errorf("%d requests went by the environment's proxy", n)
				}
				forwarded, tunnelled := own.forwarded.Load(), own.tunnelled.Load()
				// Discovery and key set, twice, each on a connection of its own.
				enough := map[string]bool{"https": tunnelled >= 4 && forwarded == 0, "http": forwarded >= 4 && tunnelled == 0}[name]
				if configured && !enough || !configured && forwarded+tunnelled != 0 {
					t.Errorf("%d requests and %d tunnels went by the configured proxy", forwarded, tunnelled)
				}
			})
		}
	}
}
