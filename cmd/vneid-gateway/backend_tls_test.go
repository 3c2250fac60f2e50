package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string // PEM
}

// signed is a certificate with its key, in memory and as PEM files.
type signed struct {
	pair              tls.Certificate
	certFile, keyFile string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a root of this test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key, pemFile(t, "CERTIFICATE", raw)}
}

// sign makes a certificate, of a server at these addresses or of a client.
func (a authority) sign(t *testing.T, usage x509.ExtKeyUsage, addresses ...net.IP) signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage}, IPAddresses: addresses,
	}, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed{
		tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key},
		pemFile(t, "CERTIFICATE", raw), pemFile(t, "PRIVATE KEY", private),
	}
}

func pemFile(t *testing.T, kind string, raw []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newTLSParty starts an issuer over TLS; host is how its address begins, and
// bounds what its section backend says.
func newTLSParty(t *testing.T, host string, config *tls.Config, bounds string) *party {
	t.Helper()
	listener, err := loopback.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	scheme := "http"
	if config != nil {
		scheme, listener = "https", tls.NewListener(listener, config)
	}
	b := backend.New(backend.Config{Issuer: scheme + "://" + net.JoinHostPort(host, port), Keys: []*corpus.Key{newPartyKey(t)}})
	server := loopback.Serve(listener, b)
	t.Cleanup(func() { _ = server.Close() })
	return describeParty(t, b, "vneid", "refresh: 1s", bounds)
}

func TestTheBackendAndTheGatewayRecogniseEachOtherByTheirCertificates(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	home := net.IPv4(127, 0, 0, 1)
	right := ours.sign(t, x509.ExtKeyUsageServerAuth, home)
	client, stranger := ours.sign(t, x509.ExtKeyUsageClientAuth), theirs.sign(t, x509.ExtKeyUsageClientAuth)
	clients := x509.NewCertPool()
	clients.AddCert(ours.certificate)
	mutual := func(server signed) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{server.pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
	}
	older := mutual(right)
	older.MaxVersion = tls.VersionTLS12
	const shown = ", client_cert_file: CERT, client_key_file: KEY"
	with := func(roots string, s signed) string {
		return "break_after: 1000, ca_file: " + roots + strings.NewReplacer("CERT", s.certFile, "KEY", s.keyFile).Replace(shown)
	}
	for name, c := range map[string]struct {
		server *tls.Config
		bounds string
		good   bool
	}{
		"both are known":                    {mutual(right), with(ours.file, client), true},
		"both are known, TLS 1.2":           {older, with(ours.file, client), true},
		"the gateway shows none":            {mutual(right), "break_after: 1000, ca_file: " + ours.file, false},
		"the gateway shows none, TLS 1.2":   {older, "break_after: 1000, ca_file: " + ours.file, false},
		"the gateway is a stranger":         {mutual(right), with(ours.file, stranger), false},
		"the backend is a stranger":         {mutual(right), with(theirs.file, client), false},
		"the system does not know it":       {mutual(right), strings.Replace(with(ours.file, client), "ca_file: "+ours.file+",", "", 1), false},
		"the backend has another's address": {mutual(ours.sign(t, x509.ExtKeyUsageServerAuth, net.IPv4(127, 0, 0, 2))), with(ours.file, client), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTLSParty(t, home.String(), c.server, c.bounds)
			g := serve(t, partyConfig(startSite(t).URL(), p))
			if c.good {
				g.awaitReady(t)
				p.serves(t, g)
				g.stop(t)
				return
			}
			if line := g.await(t, "key set not refreshed"); line.Reason != "untrusted" {
				t.Errorf("the log says %q", line.Reason)
			}
			eventually(t, "counted twice", func() bool { return p.failures(t, g, "untrusted") >= 2 })
			a := get(t, g.admin+"/readyz")
			if a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "keys of issuer vneid: not fetched yet, last attempt: untrusted") {
				t.Errorf("/readyz: %d %s", a.status, a.body)
			}
			g.ask(t, p.token).refusedWith(t, http.StatusServiceUnavailable, "keys_unavailable")
			if n := p.Fetches(backend.KeySetPath); n != 0 {
				t.Errorf("the backend answered %d requests", n)
			}
			g.stop(t)
		})
	}
}
