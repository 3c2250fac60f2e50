package receiver

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
)

// authority issues the certificates of a test.
type authority struct {
	tb   testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(tb testing.TB) *authority {
	tb.Helper()
	a := &authority{tb: tb}
	a.cert, a.key = a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

// issue completes a certificate and signs it, by its own key for the first.
func (a *authority) issue(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.tb.Fatal(err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		a.tb.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.tb.Fatal(err)
	}
	return cert, key
}

func (a *authority) pair() (cert, key []byte) {
	a.tb.Helper()
	issued, private := a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "leaf"}, DNSNames: []string{"receiver.example"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issued.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func (a *authority) write(f listen.CertificateFiles) {
	a.tb.Helper()
	cert, key := a.pair()
	write(a.tb, f.Cert, cert)
	write(a.tb, f.Key, key)
}

func write(tb testing.TB, name string, data []byte) {
	tb.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// files are those of a receiver whose clients need a certificate.
func files(tb testing.TB, server *authority, clients ...*authority) *listen.TLS {
	tb.Helper()
	dir := tb.TempDir()
	c := &listen.TLS{
		Certificates: []listen.CertificateFiles{{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}},
		ClientAuth:   listen.RequireClientCertificate,
		ClientCAFile: filepath.Join(dir, "clients.pem"),
	}
	server.write(c.Certificates[0])
	trust(tb, c, clients...)
	return c
}

// trust has the files name the authorities of clients.
func trust(tb testing.TB, c *listen.TLS, clients ...*authority) {
	tb.Helper()
	var all []byte
	for _, client := range clients {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: client.cert.Raw})...)
	}
	write(tb, c.ClientCAFile, all)
}

// client trusts the authority and shows a certificate of another's, if any.
func (a *authority) client(showing *authority) *tls.Config {
	a.tb.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	c := &tls.Config{RootCAs: roots, ServerName: "receiver.example", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	if showing != nil {
		pair, err := tls.X509KeyPair(showing.pair())
		if err != nil {
			a.tb.Fatal(err)
		}
		// Shown whether the server's authorities include its issuer or not.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return c
}

// try posts under TLS and returns the status, or what kept it from coming.
func (r *rig) try(c *tls.Config) (int, *tls.Conn, error) {
	conn := r.dial(c).(*tls.Conn)
	if _, err := io.WriteString(conn, post("/", "")); err != nil {
		return 0, conn, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, conn, err
	}
	_ = response.Body.Close()
	return response.StatusCode, conn, nil
}

func TestOnlyClientsOfTheAuthorityReachAHandler(t *testing.T) {
	t.Parallel()
	server, ours, theirs := newAuthority(t), newAuthority(t), newAuthority(t)
	r := newRig(t, Config{TLS: files(t, server, ours), Routes: map[string]http.Handler{"/": handled(200)}})
	if status, _, err := r.try(server.client(ours)); status != 200 {
		t.Errorf("ours: %d, %v", status, err)
	}
	for name, c := range map[string]*tls.Config{"none": server.client(nil), "of another": server.client(theirs)} {
		if status, _, err := r.try(c); err == nil {
			t.Errorf("%s: %d", name, status)
		}
	}
	if got := r.send(post("/", "")); got.StatusCode != 400 {
		t.Errorf("without TLS: %d", got.StatusCode)
	}
	r.eventually("counted", func() bool { return r.Stats().HandshakeFailures == 3 })
	if st := r.Stats(); st.Requests[Handled] != 1 || st.NotAfter.IsZero() {
		t.Errorf("%+v", st)
	}
}

func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	r := newRig(t, Config{TLS: files(t, a, a), Routes: map[string]http.Handler{"/": handled(200)}})
	for version, good := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		c := a.client(a)
		c.MinVersion, c.MaxVersion = version, version
		if status, _, err := r.try(c); (status == 200) != good {
			t.Errorf("%x: %d, %v", version, status, err)
		}
	}
}

func TestOnlyHTTP1IsSpoken(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	r := newRig(t, Config{TLS: files(t, a, a), Routes: map[string]http.Handler{"/": handled(200)}})
	c := a.client(a)
	c.NextProtos = []string{"h2", "http/1.1"}
	status, conn, err := r.try(c)
	if status != 200 || conn.ConnectionState().NegotiatedProtocol != "http/1.1" {
		t.Errorf("%d %q, %v", status, conn.ConnectionState().NegotiatedProtocol, err)
	}
}

func TestReloadPutsNewCertificatesAndAuthoritiesInForce(t *testing.T) {
	t.Parallel()
	server, first, second := newAuthority(t), newAuthority(t), newAuthority(t)
	paths := files(t, server, first)
	r := newRig(t, Config{TLS: paths, Routes: map[string]http.Handler{"/": handled(200)}})
	shown := func(c *tls.Config) string {
		status, conn, err := r.try(c)
		if status != 200 {
			return fmt.Sprint(err)
		}
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	old, next := server.client(first), server.client(second)
	before := shown(old)
	server.write(paths.Certificates[0])
	trust(t, paths, second)
	if got := shown(old); got != before {
		t.Errorf("before a reload: %s", got)
	}
	if changed, err := r.Reload(); !changed || err != nil {
		t.Fatalf("%v, %v", changed, err)
	}
	if changed, err := r.Reload(); changed || err != nil {
		t.Errorf("once more: %v, %v", changed, err)
	}
	// Neither a new handshake nor a session of before is good any more.
	if status, _, err := r.try(old); err == nil {
		t.Errorf("a client whose authority is gone: %d", status)
	}
	after := shown(next)
	if _, ok := new(big.Int).SetString(after, 10); !ok || after == before {
		t.Errorf("after: %s", after)
	}
	write(t, paths.Certificates[0].Key, []byte("no key"))
	write(t, paths.ClientCAFile, nil)
	_, err := r.Reload()
	if !errors.Is(err, listen.ErrCertificate) || !errors.Is(err, listen.ErrClientCA) {
		t.Errorf("%v", err)
	}
	if got := shown(next); got != after {
		t.Errorf("after a reload of files that are of no use: %s", got)
	}
}

func TestFilesThatAreOfNoUseAreRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cfg := Config{TLS: files(t, a, a), Log: slog.New(slog.DiscardHandler)}
	write(t, cfg.TLS.ClientCAFile, nil)
	if _, err := New(cfg); !errors.Is(err, listen.ErrClientCA) {
		t.Error(err)
	}
	write(t, cfg.TLS.Certificates[0].Cert, nil)
	if _, err := New(cfg); !errors.Is(err, listen.ErrCertificate) {
		t.Error(err)
	}
}

func TestChangedFilesAreNoticed(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	paths := files(t, a, a)
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{TLS: paths, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var reports []error
		ended := make(chan struct{})
		go func() {
			s.Run(ctx, func(err error) { reports = append(reports, err) })
			close(ended)
		}()
		write(t, paths.Certificates[0].Key, nil)
		time.Sleep(time.Minute) // The bubble's clock.
		a.write(paths.Certificates[0])
		time.Sleep(time.Minute)
		cancel()
		<-ended
		if len(reports) != 2 || !errors.Is(reports[0], listen.ErrCertificate) || reports[1] != nil {
			t.Errorf("%v", reports)
		}
	})
	plain, err := New(Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	plain.Run(t.Context(), nil)
	if changed, err := plain.Reload(); changed || err != nil {
		t.Errorf("%v, %v", changed, err)
	}
}

func TestComplaintsAreCountedAndTheirLogIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var counts counts
		log := &lines{}
		to := newComplaints(slog.New(slog.NewTextHandler(log, nil)), &counts)
		for range 100 {
			to.Print("http: TLS handshake error from 127.0.0.1:1: EOF")
		}
		if n := strings.Count(log.String(), "\n"); n != complaintsBurst || counts.handshakes.Load() != 100 {
			t.Errorf("%d lines, %d counted", n, counts.handshakes.Load())
		}
		time.Sleep(time.Second) // The bubble's clock.
		to.Print("http: something else")
		if !strings.Contains(log.String(), "omitted=90") || counts.complaints.Load() != 1 {
			t.Error(log.String())
		}
	})
}
