package listen

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// authority issues the certificates of a test.
type authority struct {
	tb   testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(tb testing.TB) *authority {
	tb.Helper()
	a := &authority{tb: tb, pool: x509.NewCertPool()}
	a.key = newKey(tb)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		tb.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		tb.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// pair returns a certificate for names and its key, in PEM.
func (a *authority) pair(names ...string) (cert, key []byte) {
	a.tb.Helper()
	private := newKey(a.tb)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.tb.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "leaf"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, private.Public(), a.key)
	if err != nil {
		a.tb.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// files writes a new pair for names into a folder of its own.
func (a *authority) files(names ...string) CertificateFiles {
	a.tb.Helper()
	dir := a.tb.TempDir()
	f := CertificateFiles{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	a.renew(f, names...)
	return f
}

func (a *authority) renew(f CertificateFiles, names ...string) {
	a.tb.Helper()
	cert, key := a.pair(names...)
	write(a.tb, f.Cert, cert)
	write(a.tb, f.Key, key)
}

// client returns a configuration with a certificate of this authority's.
func (a *authority) client(showing *authority) *tls.Config {
	a.tb.Helper()
	c := &tls.Config{RootCAs: a.pool, ServerName: "a.example"}
	if showing != nil {
		pair, err := tls.X509KeyPair(showing.pair("client"))
		if err != nil {
			a.tb.Fatal(err)
		}
		// Shown whether the server's authorities include its issuer or not.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return c
}

func write(tb testing.TB, name string, data []byte) {
	tb.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// handshake dials and returns the connection, or the error of the handshake or
// of the first read, by which TLS 1.3 tells of a refused client certificate.
func (r *rig) handshake(c *tls.Config) (*client, error) {
	r.tb.Helper()
	conn := tls.Client(r.dial().Conn, c)
	if err := conn.Handshake(); err != nil {
		return nil, err
	}
	return r.over(conn), nil
}

func (r *rig) mustHandshake(c *tls.Config) *client {
	r.tb.Helper()
	conn, err := r.handshake(c)
	if err != nil {
		r.tb.Fatal(err)
	}
	return conn
}

func (c *client) state() tls.ConnectionState { return c.Conn.(*tls.Conn).ConnectionState() }

func TestTLSIsServedParkedAndRecognised(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{TLS: &TLS{Certificates: []CertificateFiles{a.files("a.example")}}})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := a.client(nil)
		config.MinVersion, config.MaxVersion = version, version
		config.NextProtos = []string{"h2", "http/1.1"}
		c := r.mustHandshake(config)
		for i := range 3 {
			got := c.get()
			if got[0] != c.LocalAddr().String() || got[2] != "true" || got[1] != []string{"0", "1", "2"}[i] {
				t.Errorf("%v", got)
			}
			r.eventually("parked", func() bool { return r.stats().Parked == 1 })
		}
		if s := c.state(); s.NegotiatedProtocol != "http/1.1" || s.Version != version {
			t.Errorf("%x %q", s.Version, s.NegotiatedProtocol)
		}
		_ = c.Close()
		r.eventually("forgotten", func() bool { return r.stats().Open == 0 })
	}
}

func TestPROXYHeaderComesBeforeTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{
		TLS:   &TLS{Certificates: []CertificateFiles{a.files("a.example")}},
		Proxy: ProxyProtocol{From: networks(t, "127.0.0.0/8")},
	})
	for name, tc := range headerCases(t) {
		plain := r.dial().send(tc.header)
		conn := tls.Client(plain.Conn, a.client(nil))
		if err := conn.Handshake(); (err != nil) != (tc.source == "-") {
			t.Errorf("%s: %v", name, err)
		} else if err == nil {
			want := tc.source
			if want == "" {
				want = conn.LocalAddr().String()
			}
			if got := r.over(conn).get(); got[0] != want || got[2] != "true" {
				t.Errorf("%s: %v, want %s", name, got, want)
			}
		}
	}
	if s := r.Listener.Stats(); s.HandshakeFailures != [handshakeFaults]uint64{} {
		t.Errorf("a refused header is no handshake: %+v", s)
	}
}

func TestCertificateIsChosenByName(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	r := newRig(t, Config{}, ListenerConfig{TLS: &TLS{Certificates: []CertificateFiles{
		a.files("first.example"), a.files("*.wild.example"), a.files("exact.wild.example", "second.example"),
	}}})
	for asked, want := range map[string]string{
		"first.example":      "first.example",
		"FIRST.example":      "first.example",
		"x.wild.example":     "*.wild.example",
		"exact.wild.example": "exact.wild.example",
		"second.example":     "exact.wild.example",
		"a.b.wild.example":   "first.example", // a wildcard is one label
		"wild.example":       "first.example",
		"unknown.example":    "first.example",
		"":                   "first.example",
	} {
		c := r.mustHandshake(&tls.Config{ServerName: asked, InsecureSkipVerify: true})
		if got := c.state().PeerCertificates[0].DNSNames[0]; got != want {
			t.Errorf("%q got the certificate of %s, want %s", asked, got, want)
		}
		_ = c.Close()
	}
	times := r.Listener.Stats().NotAfter
	if len(times) != 3 || time.Until(times[2]) > time.Hour || time.Until(times[2]) < 50*time.Minute {
		t.Errorf("%v", times)
	}
}

func TestHandshakeFailuresAreCountedAndNotAnswered(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, a.pem())
	files := []CertificateFiles{a.files("a.example")}
	must := &TLS{Certificates: files, ClientAuth: RequireClientCertificate, ClientCAFile: ca}
	modern := &TLS{Certificates: files, MinVersion: tls.VersionTLS13}
	plain := &TLS{Certificates: files}
	shakes := func(c *tls.Config) func(*rig) {
		return func(r *rig) {
			if conn, err := r.handshake(c); err == nil {
				conn.wantEnd()
				_ = conn.Close()
			}
		}
	}
	old := a.client(nil)
	old.MaxVersion = tls.VersionTLS12
	h2 := a.client(nil)
	h2.NextProtos = []string{"h2"}
	for name, tc := range map[string]struct {
		tls  *TLS
		do   func(*rig)
		want HandshakeFault
	}{
		"plain HTTP":        {plain, func(r *rig) { r.dial().send(request + request).wantEnd() }, FaultNotTLS},
		"silence":           {plain, func(r *rig) { r.dial().wantEnd() }, FaultTimeout},
		"half a hello":      {plain, func(r *rig) { r.dial().send("\x16\x03\x01\x02\x00\x01").wantEnd() }, FaultTimeout},
		"gone":              {plain, func(r *rig) { _ = r.dial().send("\x16\x03\x01").Close() }, FaultClosed},
		"unknown authority": {plain, shakes(stranger.client(nil)), FaultRefused},
		"old version":       {modern, shakes(old), FaultProtocol},
		"HTTP/2 only":       {plain, shakes(h2), FaultProtocol},
		"no certificate":    {must, shakes(a.client(nil)), FaultClientCertificate},
		"wrong certificate": {must, shakes(a.client(stranger)), FaultClientCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var changes []func(*fasthttp.Server)
			if tc.want == FaultTimeout {
				changes = append(changes, quick)
			}
			r := newRig(t, Config{}, ListenerConfig{TLS: tc.tls}, changes...)
			tc.do(r)
			r.eventually("counted", func() bool { return r.Listener.Stats().HandshakeFailures[tc.want] == 1 })
			r.eventually("closed", func() bool { return r.stats().Open == 0 })
			var want [handshakeFaults]uint64
			want[tc.want] = 1
			if s := r.Listener.Stats(); s.HandshakeFailures != want || r.unread.Load()+r.requests.Load() != 0 {
				t.Errorf("%+v, %d requests, %d unread", s, r.requests.Load(), r.unread.Load())
			}
		})
	}
}

func TestClientCertificatesAreVerifiedWhereShown(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, a.pem())
	r := newRig(t, Config{}, ListenerConfig{TLS: &TLS{
		Certificates: []CertificateFiles{a.files("a.example")}, ClientAuth: RequestClientCertificate, ClientCAFile: ca,
	}})
	r.mustHandshake(a.client(nil)).get()
	config := a.client(a)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	r.mustHandshake(config).get()
	if c := r.mustHandshake(config); !c.state().DidResume {
		t.Error("not resumed")
	} else {
		c.get()
	}
	// An authority that is gone takes its sessions with it.
	write(t, ca, stranger.pem())
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if c, err := r.handshake(config); err == nil {
		if c.state().DidResume {
			t.Error("resumed under an authority that is gone")
		}
		c.wantEnd()
	}
	r.eventually("counted", func() bool { return r.Listener.Stats().HandshakeFailures[FaultClientCertificate] == 1 })
	r.mustHandshake(a.client(stranger)).get()
}

// TestHandshakesSurviveReloads swaps the certificates 200 times under
// handshakes without a pause.
func TestHandshakesSurviveReloads(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	files := a.files("a.example")
	r := newRig(t, Config{}, ListenerConfig{TLS: &TLS{Certificates: []CertificateFiles{files}}})
	done := make(chan struct{})
	var clients sync.WaitGroup
	var mu sync.Mutex
	seen, handshakes := map[string]bool{}, 0
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				conn, err := tls.Dial("tcp", r.Addr().String(), a.client(nil))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = io.WriteString(conn, request)
				if _, readErr := conn.Read(make([]byte, 1)); err != nil || readErr != nil {
					t.Error(err, readErr)
				}
				mu.Lock()
				seen[conn.ConnectionState().PeerCertificates[0].SerialNumber.String()] = true
				handshakes++
				mu.Unlock()
				_ = conn.Close()
			}
		})
	}
	for range 200 {
		a.renew(files, "a.example")
		if err := r.Reload(); err != nil {
			t.Error(err)
		}
	}
	close(done)
	clients.Wait()
	t.Logf("200 reloads, %d handshakes, %d certificates seen", handshakes, len(seen))
	if len(seen) < 2 || r.Listener.Stats().ReloadFailures != 0 {
		t.Errorf("%+v", r.Listener.Stats())
	}
}

func TestBadFilesKeepThePairFromBefore(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	files, other := a.files("a.example"), a.files("b.example")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, a.pem())
	certs, err := newCertificates(TLS{Certificates: []CertificateFiles{files, other}, ClientAuth: RequestClientCertificate, ClientCAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	foreign, _ := a.pair("a.example")
	before := certs.current.Load()
	for name, tc := range map[string]struct {
		file string
		data []byte
		want error
	}{
		"another key's certificate": {files.Cert, foreign, ErrCertificate},
		"no PEM":                    {files.Cert, []byte("x"), ErrCertificate},
		"empty key":                 {files.Key, nil, ErrCertificate},
		"too long":                  {files.Key, make([]byte, maxPEM+1), ErrCertificate},
		"authorities gone":          {ca, []byte("\n"), ErrClientCA},
	} {
		good, err := os.ReadFile(tc.file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, tc.file, tc.data)
		changed, err := certs.check()
		if changed || !errors.Is(err, tc.want) {
			t.Errorf("%s: changed %v, %v", name, changed, err)
		}
		if _, err := certs.check(); err != nil {
			t.Errorf("%s: told twice: %v", name, err)
		}
		if _, err := certs.reload(); !errors.Is(err, tc.want) {
			t.Errorf("%s: not told on demand: %v", name, err)
		}
		if certs.current.Load() != before {
			t.Errorf("%s: the old pair is gone", name)
		}
		write(t, tc.file, good)
		if changed, err := certs.check(); changed || err != nil {
			t.Errorf("%s: mended: %v %v", name, changed, err)
		}
	}
	if n := certs.reloadFailures.Load(); n != 15 {
		t.Errorf("%d failures counted", n)
	}
	// The other pair is not held up.
	write(t, files.Cert, foreign)
	a.renew(other, "c.example")
	changed, err := certs.check()
	after := certs.current.Load()
	if !changed || !errors.Is(err, ErrCertificate) || after.pairs[0] != before.pairs[0] || after.pairs[1].Leaf.DNSNames[0] != "c.example" {
		t.Errorf("%v %v", changed, err)
	}
	if changed, err := certs.check(); changed || err != nil {
		t.Errorf("nothing has changed since: %v %v", changed, err)
	}
}

func TestListenerDoesNotStartWithBadFiles(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	files := a.files("a.example")
	r := NewRegistry(Config{MaxConnections: 1})
	for name, c := range map[string]*TLS{
		"no such file":   {Certificates: []CertificateFiles{{Cert: files.Cert + "x", Key: files.Key}}},
		"no authorities": {Certificates: []CertificateFiles{files}, ClientAuth: RequireClientCertificate, ClientCAFile: files.Key},
	} {
		if l, err := r.Listen(t.Context(), ListenerConfig{Address: "127.0.0.1:0", TLS: c}); err == nil {
			_ = l.Close()
			t.Errorf("%s: it listens", name)
		}
	}
	if l, err := r.Listen(t.Context(), ListenerConfig{Inherited: "http"}); !errors.Is(err, ErrNotInherited) {
		_ = l.Close()
		t.Errorf("%v", err)
	}
}

func TestTicketsOutliveReloadsAndTwoRotations(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	files := a.files("a.example")
	r := newRig(t, Config{}, ListenerConfig{TLS: &TLS{Certificates: []CertificateFiles{files}}})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for rotations, resumes := range []bool{true, true, true, false} {
			config := a.client(nil)
			config.MaxVersion, config.ClientSessionCache = version, tls.NewLRUClientSessionCache(1)
			first := r.mustHandshake(config)
			first.get() // TLS 1.3 sends tickets behind the handshake
			for range rotations {
				r.tls.rotate()
			}
			a.renew(files, "a.example")
			if err := r.Reload(); err != nil {
				t.Fatal(err)
			}
			if got := r.mustHandshake(config).state().DidResume; got != resumes {
				t.Errorf("version %x after %d rotations: resumed %v, want %v", version, rotations, got, resumes)
			}
		}
	}
}

func TestChangedFilesAreFound(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	files := a.files("a.example")
	r := NewRegistry(Config{MaxConnections: 1})
	l, err := r.Listen(t.Context(), ListenerConfig{Address: "127.0.0.1:0", TLS: &TLS{
		Certificates: []CertificateFiles{files}, CheckEvery: time.Millisecond, TicketRotation: time.Millisecond,
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan error, 64)
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx, func(err error) { told <- err }) }()
	before := l.tls.current.Load()
	// Written one by one: in between the two do not match.
	a.renew(files, "renewed.example")
	for err := error(errors.New("")); err != nil; {
		select {
		case err = <-told:
		case <-time.After(patience):
			t.Fatal("not found")
		}
	}
	if got := l.tls.current.Load(); got == before || got.pairs[0].Leaf.DNSNames[0] != "renewed.example" {
		t.Error("not in force")
	}
	cancel()
	<-ended
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	(&Listener{}).Run(t.Context(), nil) // without TLS it returns
	if err := (&Listener{}).Reload(); err != nil {
		t.Error(err)
	}
}
