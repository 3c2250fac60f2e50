package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// signNames makes a certificate of a server with these names.
func (a authority) signNames(t *testing.T, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(3), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: names,
	}, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// startSecure starts an upstream over TLS that says what the handshake agreed on.
func startSecure(t *testing.T, config *tls.Config) (url string) {
	t.Helper()
	ln, err := loopback.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return startSecureOn(t, ln, config, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "sni %q, alpn %q, %d client certificates", r.TLS.ServerName, r.TLS.NegotiatedProtocol, len(r.TLS.PeerCertificates))
	})
}

func startSecureOn(t *testing.T, ln net.Listener, config *tls.Config, handler http.HandlerFunc) (url string) {
	t.Helper()
	s := loopback.Serve(tls.NewListener(ln, config), handler)
	t.Cleanup(func() { _ = s.Close() })
	return "https://" + s.Address()
}

func TestAnUpstreamOverTLSIsTheOneThatIsConfiguredOrNone(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	home := ours.sign(t, x509.ExtKeyUsageServerAuth, net.IPv4(127, 0, 0, 1))
	client, stranger := ours.sign(t, x509.ExtKeyUsageClientAuth), theirs.sign(t, x509.ExtKeyUsageClientAuth)
	clients := x509.NewCertPool()
	clients.AddCert(ours.certificate)
	http11 := []string{"http/1.1"}
	plain := startSecure(t, &tls.Config{Certificates: []tls.Certificate{home.pair}, NextProtos: http11, MinVersion: tls.VersionTLS12})
	named := startSecure(t, &tls.Config{Certificates: []tls.Certificate{ours.signNames(t, "noi-bo.example")}, NextProtos: http11, MinVersion: tls.VersionTLS12})
	mutual := startSecure(t, &tls.Config{
		Certificates: []tls.Certificate{home.pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	})
	older := startSecure(t, &tls.Config{
		Certificates: []tls.Certificate{home.pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: tls.VersionTLS12,
	})
	tooOld := startSecure(t, &tls.Config{Certificates: []tls.Certificate{home.pair}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	clearText := handle(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("in the clear")) })

	roots := "ca_file: " + ours.file
	shows := func(s signed) string {
		return fmt.Sprintf("%s, client_cert_file: %s, client_key_file: %s", roots, s.certFile, s.keyFile)
	}
	cases := []struct {
		name, upstream, tls string
		said                string // by the upstream; "" is refused
		code, dialFailure   string
	}{
		{"our roots", plain, roots, `sni "", alpn "http/1.1", 0 client certificates`, "", ""},
		{"other roots", plain, "ca_file: " + theirs.file, "", "upstream_unreachable", "certificate"},
		{"the system's roots", plain, "", "", "upstream_unreachable", "certificate"},
		{"server name", named, roots + ", server_name: noi-bo.example", `sni "noi-bo.example", alpn "http/1.1", 0 client certificates`, "", ""},
		{"another server name", named, roots + ", server_name: ben-ngoai.example", "", "upstream_unreachable", "certificate"},
		{"no server name", named, roots, "", "upstream_unreachable", "certificate"},
		{"client certificate", mutual, shows(client), `sni "", alpn "", 1 client certificates`, "", ""},
		{"client certificate, TLS 1.2", older, shows(client), `sni "", alpn "", 1 client certificates`, "", ""},
		// Under TLS 1.3 the client has finished before the server looks.
		{"no client certificate", mutual, roots, "", "upstream_closed", ""},
		{"a stranger's client certificate", mutual, shows(stranger), "", "upstream_closed", ""},
		{"no client certificate, TLS 1.2", older, roots, "", "upstream_unreachable", "tls"},
		{"TLS 1.1", tooOld, roots, "", "upstream_unreachable", "tls"},
		{"not TLS", "https://" + clearText.Address(), roots, "", "upstream_unreachable", "tls"},
	}
	var sites []faultSite
	for i, c := range cases {
		sites = append(sites, faultSite{fmt.Sprintf("s%d", i), c.upstream, "upstream_tls: { " + c.tls + " }"})
	}
	g := publicGateway(t, sites...)
	for i, c := range cases {
		site := fmt.Sprintf("s%d", i)
		a := g.from(t, site, request{path: "/"})
		if c.said != "" {
			t.Logf("%s: %d %s", c.name, a.status, a.body)
			if a.status != http.StatusOK || a.body != c.said {
				t.Errorf("%s: want %s", c.name, c.said)
			}
			continue
		}
		t.Logf("%s: %d %s, dial failure %q", c.name, a.status, c.code, c.dialFailure)
		a.refusedWith(t, http.StatusBadGateway, c.code)
		if n := g.total(t, "upstream_dial_failures_total", "site", site, "reason", c.dialFailure); c.dialFailure != "" && n != 1 {
			t.Errorf("%s: %v dial failures with that reason, %v in all", c.name, n, g.total(t, "upstream_dial_failures_total", "site", site))
		}
	}
	g.leavesNoTrace(t)
	g.stop(t)
}
