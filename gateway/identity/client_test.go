package identity_test

import (
	"bytes"
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
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestABackendThatFailsTooOftenIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, sourceOf := range map[string]func(*identity.Client, *backend.Running) identity.Source{
		"url": func(c *identity.Client, b *backend.Running) identity.Source {
			return identity.URLSource{Client: c, URL: b.URL() + backend.KeySetPath}
		},
		"discovery": func(c *identity.Client, b *backend.Running) identity.Source {
			return identity.DiscoverySource{Client: c, Issuer: b.Issuer()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}})
			guard := identity.NewGuard(identity.GuardConfig{BreakAfter: 2, BreakFor: time.Hour})
			r, keys := newGuarded(sourceOf(newClient(t, identity.ClientConfig{}), b), guard)
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.SetFault(backend.Status(500))
			for range 2 {
				if err := r.Refresh(t.Context()); !errors.Is(err, identity.ErrStatus) {
					t.Errorf("got %v", err)
				}
			}
			b.SetFault(nil)
			b.ResetFetches()
			if err := r.Refresh(t.Context()); !errors.Is(err, identity.ErrBreakerOpen) || r.Stats().Failures["breaker_open"] != 1 {
				t.Errorf("%v, %+v", err, r.Stats())
			}
			if n := b.Fetches(backend.KeySetPath) + b.Fetches(backend.DiscoveryPath); n != 0 {
				t.Errorf("asked %d times", n)
			}
			if got := ids(keys); !slices.Equal(got, []string{"k1"}) || guard.Stats().Opened != 1 {
				t.Errorf("keys %q, %+v", got, guard.Stats())
			}
		})
	}
}

// An answer that cannot be used is no success, and neither is the discovery
// document before it.
func TestAnUnusableAnswerCountsAgainstTheBackend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path  string
		fault func(b *backend.Running) backend.Fault
		err   error
	}{
		"a page":             {backend.KeySetPath, func(*backend.Running) backend.Fault { return backend.HTML() }, identity.ErrMalformed},
		"a page instead":     {backend.DiscoveryPath, func(*backend.Running) backend.Fault { return backend.HTML() }, identity.ErrMalformed},
		"no keys":            {backend.KeySetPath, func(*backend.Running) backend.Fault { return backend.Body("application/json", []byte(`{"keys":[]}`)) }, token.ErrKeySet},
		"duplicate kids":     {backend.KeySetPath, func(b *backend.Running) backend.Fault { return b.DuplicateKids() }, token.ErrKeySet},
		"another issuer":     {backend.DiscoveryPath, func(*backend.Running) backend.Fault { return backend.WrongIssuer() }, identity.ErrIssuerMismatch},
		"an error of one":    {backend.KeySetPath, func(*backend.Running) backend.Fault { return backend.Status(500) }, identity.ErrStatus},
		"too large a set":    {backend.KeySetPath, func(*backend.Running) backend.Fault { return backend.Huge(1 << 20) }, identity.ErrTooLarge},
		"a redirect outside": {backend.KeySetPath, func(*backend.Running) backend.Fault { return backend.RedirectCrossOrigin("") }, identity.ErrRedirect},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}})
			guard := identity.NewGuard(identity.GuardConfig{BreakAfter: 2, BreakFor: time.Hour})
			r, keys := newGuarded(identity.DiscoverySource{Client: newClient(t, identity.ClientConfig{}), Issuer: b.Issuer()}, guard)
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := b.SetFaultAt(c.path, c.fault(b), 0); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := r.Refresh(t.Context()); !errors.Is(err, c.err) {
					t.Errorf("got %v", err)
				}
			}
			if s := guard.Stats(); s.State != "open" || s.Opened != 1 {
				t.Errorf("%+v", s)
			}
			if got := ids(keys); !slices.Equal(got, []string{"k1"}) {
				t.Errorf("keys %q", got)
			}
		})
	}
}

func TestACallThatItsCallerCutShortDoesNotCountAgainstTheBackend(t *testing.T) {
	t.Parallel()
	b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}})
	guard := identity.NewGuard(identity.GuardConfig{BreakAfter: 1, BreakFor: time.Hour})
	r, _ := newGuarded(identity.URLSource{Client: newClient(t, identity.ClientConfig{}), URL: b.URL() + backend.KeySetPath}, guard)
	for name, fault := range map[string]func(w http.ResponseWriter){
		"before its head": func(http.ResponseWriter) {},
		"in its body": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		b.SetFault(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			fault(w)
			cancel()
			<-r.Context().Done()
		})
		err := r.Refresh(ctx)
		if !errors.Is(err, context.Canceled) || guard.Stats().State != "closed" {
			t.Errorf("%s: %v, %+v", name, err, guard.Stats())
		}
		cancel()
	}
}

// These are, beyond those of TestEveryFaultOfTheBackendKeepsTheLastGoodSet, what
// a backend may answer.
func TestRubbishKeepsTheLastGoodSetAndIsCountedByReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault     func(b *backend.Running) backend.Fault // nil: nothing listens
		timeout   time.Duration
		discovery bool
		reason    string
	}{
		"refused":        {nil, 0, false, "unreachable"},
		"a byte a while": {func(*backend.Running) backend.Fault { return backend.Trickle(20 * time.Millisecond) }, 100 * time.Millisecond, false, "timeout"},
		"gzip bomb":      {func(*backend.Running) backend.Fault { return backend.Bomb(16 << 20) }, 0, false, "malformed"},
		"100 MB":         {func(*backend.Running) backend.Fault { return backend.Huge(backend.HugeSize) }, 0, false, "too_large"},
		"duplicate kids": {func(b *backend.Running) backend.Fault { return b.DuplicateKids() }, 0, false, "no_usable_key"},
		"wrong issuer":   {func(*backend.Running) backend.Fault { return backend.WrongIssuer() }, 0, true, "issuer_mismatch"},
		"sent elsewhere": {func(*backend.Running) backend.Fault { return backend.RedirectCrossOrigin("") }, 0, false, "redirect"},
		"and discovery":  {func(*backend.Running) backend.Fault { return backend.RedirectCrossOrigin("") }, 0, true, "redirect"},
		"sent within":    {func(*backend.Running) backend.Fault { return backend.RedirectSameOrigin() }, 0, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}})
			client := newClient(t, identity.ClientConfig{})
			var current identity.Source
			r, keys := newRefresher(answers(func(ctx context.Context) (identity.Document, error) { return current.Fetch(ctx) }), time.Hour)
			use := func(client *identity.Client) {
				current = identity.URLSource{Client: client, URL: b.URL() + backend.KeySetPath}
				if c.discovery {
					current = identity.DiscoverySource{Client: client, Issuer: b.Issuer()}
				}
			}
			use(client)
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			set := keys.Snapshot()
			if c.fault == nil {
				if err := b.Refuse(0); err != nil {
					t.Fatal(err)
				}
			} else {
				b.SetFault(c.fault(b))
			}
			if c.timeout != 0 {
				use(newClient(t, identity.ClientConfig{Timeout: c.timeout}))
			}
			err := r.Refresh(t.Context())
			if c.reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || identity.Reason(err) != c.reason || r.Stats().Failures[c.reason] != 1 {
				t.Errorf("%v: %+v", err, r.Stats())
			}
			if keys.Snapshot() != set || set.All()[0].Withdrawn() {
				t.Error("the last good set is gone")
			}
		})
	}
}

func TestTheAnswersCachingFieldsAreHandedOn(t *testing.T) {
	t.Parallel()
	b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}, CacheControl: "public, max-age=90"})
	client := newClient(t, identity.ClientConfig{})
	for _, s := range []identity.Source{
		identity.URLSource{Client: client, URL: b.URL() + backend.KeySetPath},
		identity.DiscoverySource{Client: client, Issuer: b.Issuer()},
	} {
		if d, err := s.Fetch(t.Context()); err != nil || !d.Aged || d.MaxAge != 90*time.Second {
			t.Errorf("%v, %v, %v", err, d.MaxAge, d.Aged)
		}
	}
}

// clientPair writes a self-signed client certificate and its key.
func clientPair(t *testing.T, dir string) (cert *x509.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return cert, certFile, keyFile
}

func TestABackendThatWantsAClientCertificateGetsTheConfiguredOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, certFile, keyFile := clientPair(t, dir)
	document := corpus.KeySetJSON(newKey(t, "k1"))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.VerifiedChains) == 0 || r.TLS.PeerCertificates[0].Subject.CommonName != "gateway" {
			t.Error("another certificate")
		}
		_, _ = w.Write(document)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(quiet.Handler(), slog.LevelDebug)
	trusted := x509.NewCertPool()
	trusted.AddCert(cert)
	// TLS 1.2, where the refusal comes within the handshake.
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := filepath.Join(dir, "ca.pem")
	write(t, roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))

	with := identity.ClientConfig{CAFile: roots, ClientCertFile: certFile, ClientKeyFile: keyFile}
	if got, err := newClient(t, with).Get(t.Context(), server.URL); err != nil || !bytes.Equal(got.Body, document) {
		t.Errorf("with it: %v", err)
	}
	_, err := newClient(t, identity.ClientConfig{CAFile: roots}).Get(t.Context(), server.URL)
	if !errors.Is(err, identity.ErrUntrusted) {
		t.Errorf("without it: %v", err)
	}
	_, otherCert, otherKey := clientPair(t, t.TempDir())
	other := identity.ClientConfig{CAFile: roots, ClientCertFile: otherCert, ClientKeyFile: otherKey}
	if _, err := newClient(t, other).Get(t.Context(), server.URL); !errors.Is(err, identity.ErrUntrusted) {
		t.Errorf("with another: %v", err)
	}
}

func TestAClientNeedsAUsableCertificateAndProxy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, certFile, keyFile := clientPair(t, dir)
	_, _, otherKey := clientPair(t, t.TempDir())
	write(t, filepath.Join(dir, "empty"), nil)
	for name, cfg := range map[string]identity.ClientConfig{
		"no key":          {ClientCertFile: certFile},
		"empty key":       {ClientCertFile: certFile, ClientKeyFile: filepath.Join(dir, "empty")},
		"another's key":   {ClientCertFile: certFile, ClientKeyFile: otherKey},
		"no certificate":  {ClientCertFile: filepath.Join(dir, "empty"), ClientKeyFile: keyFile},
		"no proxy's URL":  {ProxyURL: "http://user:secret@a b:3128"},
		"proxy, no host":  {ProxyURL: "http:///"},
		"proxy, no colon": {ProxyURL: "secret"},
	} {
		_, err := identity.NewClient(cfg)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFileOfRootsThatCannotBeReadIsSaidToBeSo(t *testing.T) {
	t.Parallel()
	_, err := identity.NewClient(identity.ClientConfig{CAFile: t.TempDir()})
	if err == nil || errors.Is(err, identity.ErrUnreachable) || !strings.Contains(fmt.Sprint(err), "ca_file: ") {
		t.Errorf("got %v", err)
	}
}
