package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// edgePair is the files of one certificate and its key, as a listener has them.
type edgePair struct {
	authority authority
	names     []string
	cert, key string
}

// newEdgePair makes a certificate for these names, with serial number 1.
func newEdgePair(t *testing.T, a authority, names ...string) *edgePair {
	t.Helper()
	dir := t.TempDir()
	p := &edgePair{authority: a, names: names, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	p.renew(t, 1)
	return p
}

// renew replaces both files by those of a new certificate with a new key, each
// whole or not at all.
func (p *edgePair) renew(t *testing.T, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: p.names,
	}, p.authority.certificate, key.Public(), p.authority.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, p.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	replace(t, p.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}

func replace(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file+".next", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".next", file); err != nil {
		t.Fatal(err)
	}
}

// yaml is the certificate in the list of a listener.
func (p *edgePair) yaml() string {
	return fmt.Sprintf("{ cert_file: %q, key_file: %q }", p.cert, p.key)
}

// trusting returns what a client is configured with that trusts the authority
// and asks for a name.
func (a authority) trusting(name string) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	return &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}
}

// edgeSecured is a client's connection under TLS.
type edgeSecured struct {
	*edgeConn
	tls *tls.Conn
}

// secure runs a handshake on a connection to a listener.
func secure(t *testing.T, address, source string, config *tls.Config) (*edgeSecured, error) {
	t.Helper()
	return secureOn(dialEdge(t, address, source), config)
}

func secureOn(c *edgeConn, config *tls.Config) (*edgeSecured, error) {
	conn := tls.Client(c.Conn, config)
	if err := conn.Handshake(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return &edgeSecured{newEdgeConn(c.t, conn), conn}, nil
}

// mustSecure is a handshake that must succeed.
func mustSecure(t *testing.T, address string, config *tls.Config) *edgeSecured {
	t.Helper()
	s, err := secure(t, address, "", config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serial returns the serial number of the certificate that the gateway showed.
func (s *edgeSecured) serial() int64 {
	return s.tls.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// refuses tells how a listener meets a client whose certificate it does not
// want, of which TLS 1.3 tells only behind the client's handshake: the error, or
// nil where it was served.
func refuses(t *testing.T, address string, config *tls.Config) error {
	t.Helper()
	s, err := secure(t, address, "", config)
	if err != nil {
		return err
	}
	defer s.Close()
	_, _ = io.WriteString(s, edgeGet)
	response, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
