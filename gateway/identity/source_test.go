package identity_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

func newClient(t testing.TB, cfg identity.ClientConfig) *identity.Client {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 64 << 10
	}
	client, err := identity.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func startBackend(t testing.TB, cfg backend.Config) *backend.Running {
	t.Helper()
	b, err := backend.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestEverySourceYieldsTheKeySet(t *testing.T) {
	t.Parallel()
	key := newKey(t, "k1")
	b := startBackend(t, backend.Config{Keys: []*corpus.Key{key}})
	path := filepath.Join(t.TempDir(), "keys.json")
	write(t, path, corpus.KeySetJSON(key))
	client := newClient(t, identity.ClientConfig{})
	for name, s := range map[string]identity.Source{
		"url":       identity.URLSource{Client: client, URL: b.URL() + backend.KeySetPath},
		"file":      identity.FileSource{Path: path, MaxBytes: 1 << 20},
		"discovery": identity.DiscoverySource{Client: client, Issuer: b.Issuer()},
	} {
		r, keys := newRefresher(s, time.Hour)
		if err := r.Refresh(t.Context()); err != nil || !slices.Equal(ids(keys), []string{"k1"}) {
			t.Errorf("%s: %v, %q", name, err, ids(keys))
		}
	}
}

func TestEveryFaultOfTheBackendKeepsTheLastGoodSet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   backend.Fault
		timeout time.Duration
		want    error
		reason  string
	}{
		"down":      {fault: backend.Down(), want: identity.ErrUnreachable, reason: "unreachable"},
		"500":       {fault: backend.Status(500), want: identity.ErrStatus, reason: "status"},
		"404":       {fault: backend.Status(404), want: identity.ErrStatus, reason: "status"},
		"204":       {fault: backend.Status(204), want: identity.ErrStatus, reason: "status"},
		"slow":      {fault: backend.Slow(time.Hour), timeout: 50 * time.Millisecond, want: identity.ErrTimeout, reason: "timeout"},
		"trickling": {fault: trickle, timeout: 50 * time.Millisecond, want: identity.ErrTimeout, reason: "timeout"},
		"page":      {fault: backend.HTML(), want: identity.ErrMalformed, reason: "malformed"},
		"truncated": {fault: backend.Truncated(), want: identity.ErrUnreachable, reason: "unreachable"},
		"huge":      {fault: backend.Huge(1 << 20), want: identity.ErrTooLarge, reason: "too_large"},
		"announced": {fault: announce, want: identity.ErrTooLarge, reason: "too_large"},
	} {
		for _, discovery := range []bool{false, true} {
			t.Run(fmt.Sprint(name, discovery), func(t *testing.T) {
				t.Parallel()
				b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}})
				var current identity.Source
				r, keys := newRefresher(source(func(ctx context.Context) ([]byte, error) {
					d, err := current.Fetch(ctx)
					return d.Body, err
				}), time.Hour)
				use := func(timeout time.Duration) {
					client := newClient(t, identity.ClientConfig{Timeout: timeout})
					current = identity.URLSource{Client: client, URL: b.URL() + backend.KeySetPath}
					if discovery {
						current = identity.DiscoverySource{Client: client, Issuer: b.Issuer()}
					}
				}
				use(0)
				if err := r.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				b.SetFault(c.fault)
				use(c.timeout)
				err := r.Refresh(t.Context())
				if !errors.Is(err, c.want) || r.Stats().Failures[c.reason] != 1 || !slices.Equal(ids(keys), []string{"k1"}) {
					t.Errorf("%v, %+v, %q", err, r.Stats(), ids(keys))
				}
				if strings.Contains(err.Error(), "127.0.0.1") {
					t.Errorf("the address is told: %v", err)
				}
			})
		}
	}
}

// trickle sends a byte now and then and never ends.
func trickle(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// announce announces a large document and sends none of it.
func announce(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	w.Header().Set("Content-Length", "1000000")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestRedirectsStayWithinTheirOrigin(t *testing.T) {
	t.Parallel()
	other := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "forged")}})
	for name, c := range map[string]struct {
		hops   int
		target func(self string) string // of the last of them
		want   error
	}{
		"same origin":   {1, func(self string) string { return self }, nil},
		"three":         {3, func(self string) string { return self }, nil},
		"four":          {4, func(self string) string { return self }, identity.ErrRedirect},
		"another port":  {1, func(string) string { return other.URL() }, identity.ErrRedirect},
		"another name":  {1, func(self string) string { return strings.Replace(self, "127.0.0.1", "localhost", 1) }, identity.ErrRedirect},
		"other scheme":  {1, func(self string) string { return strings.Replace(self, "http:", "https:", 1) }, identity.ErrRedirect},
		"second leaves": {2, func(string) string { return other.URL() }, identity.ErrRedirect},
		"no http":       {1, func(string) string { return "file:///" }, identity.ErrRedirect},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}})
			var hops atomic.Int64
			b.SetFault(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				switch n := int(hops.Add(1)); {
				case n < c.hops:
					http.Redirect(w, r, b.URL()+backend.KeySetPath, http.StatusFound)
				case n == c.hops:
					http.Redirect(w, r, c.target(b.URL())+backend.KeySetPath, http.StatusFound)
				default:
					next.ServeHTTP(w, r)
				}
			})
			_, err := newClient(t, identity.ClientConfig{}).Get(t.Context(), b.URL()+backend.KeySetPath)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if n := other.Fetches(backend.KeySetPath); n != 0 {
		t.Errorf("the other origin was asked %d times", n)
	}
}

func TestADiscoveryDocumentMustBeOfTheIssuerAndItsKeysSafe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document string // ISSUER stands for the issuer
		plain    bool
		want     error
	}{
		"another issuer":   {`{"issuer":"https://other.example","jwks_uri":"ISSUER/jwks"}`, false, identity.ErrIssuerMismatch},
		"a slash more":     {`{"issuer":"ISSUER/","jwks_uri":"ISSUER/jwks"}`, false, identity.ErrIssuerMismatch},
		"no issuer":        {`{"jwks_uri":"ISSUER/jwks"}`, false, identity.ErrIssuerMismatch},
		"another case":     {`{"Issuer":"ISSUER","jwks_uri":"ISSUER/jwks"}`, false, identity.ErrIssuerMismatch},
		"repeated":         {`{"issuer":"https://other.example","issuer":"ISSUER","jwks_uri":"ISSUER/jwks"}`, false, identity.ErrMalformed},
		"no address":       {`{"issuer":"ISSUER"}`, false, identity.ErrMalformed},
		"relative address": {`{"issuer":"ISSUER","jwks_uri":"/jwks"}`, false, identity.ErrMalformed},
		"no URL":           {`{"issuer":"ISSUER","jwks_uri":"http://a b/"}`, false, identity.ErrMalformed},
		"another type":     {`{"issuer":"ISSUER","jwks_uri":7}`, false, identity.ErrMalformed},
		"more behind it":   {`{"issuer":"ISSUER","jwks_uri":"ISSUER/jwks"}{}`, false, identity.ErrMalformed},
		"plain http":       {`{"issuer":"ISSUER","jwks_uri":"http://192.0.2.1/jwks"}`, false, identity.ErrInsecure},
		"like loopback":    {`{"issuer":"ISSUER","jwks_uri":"http://127.0.0.1.example/jwks"}`, false, identity.ErrInsecure},
		"another scheme":   {`{"issuer":"ISSUER","jwks_uri":"ftp://127.0.0.1/jwks"}`, true, identity.ErrInsecure},
		"loopback":         {`{"issuer":"ISSUER","jwks_uri":"ISSUER/jwks"}`, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}})
			b.SetFault(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.URL.Path == backend.DiscoveryPath {
					_, _ = w.Write([]byte(strings.ReplaceAll(c.document, "ISSUER", b.Issuer())))
					return
				}
				next.ServeHTTP(w, r)
			})
			s := identity.DiscoverySource{Client: newClient(t, identity.ClientConfig{}), Issuer: b.Issuer(), AllowPlainHTTP: c.plain}
			if _, err := s.Fetch(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if n := b.Fetches(backend.KeySetPath); (n > 0) != (c.want == nil) {
				t.Errorf("the key set was fetched %d times", n)
			}
		})
	}
}

func TestPlainHTTPBeyondLoopbackNeedsLeave(t *testing.T) {
	t.Parallel()
	b := startBackend(t, backend.Config{})
	b.SetFault(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		// A host that is nowhere: it is only to be tried.
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"http://keys.invalid./jwks"}`, b.Issuer())
	})
	client := newClient(t, identity.ClientConfig{Timeout: 100 * time.Millisecond})
	for allow, want := range map[bool][]error{
		false: {identity.ErrInsecure}, true: {identity.ErrUnreachable, identity.ErrTimeout},
	} {
		_, err := identity.DiscoverySource{Client: client, Issuer: b.Issuer(), AllowPlainHTTP: allow}.Fetch(t.Context())
		if !slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }) {
			t.Errorf("allowed %v: %v", allow, err)
		}
	}
}

// Not parallel: it sets the environment.
func TestNoProxyOfTheEnvironmentIsUsed(t *testing.T) {
	proxy := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "forged")}})
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL())
	}
	client := newClient(t, identity.ClientConfig{Timeout: 100 * time.Millisecond})
	if _, err := client.Get(t.Context(), "http://backend.invalid."+backend.KeySetPath); err == nil {
		t.Error("somebody answered")
	}
	if n := proxy.Fetches(backend.KeySetPath); n != 0 {
		t.Errorf("the proxy was asked %d times", n)
	}
}

func TestOnlyTheConfiguredRootsAreTrusted(t *testing.T) {
	t.Parallel()
	document := corpus.KeySetJSON(newKey(t, "k1"))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(document) }))
	server.Config.ErrorLog = slog.NewLogLogger(quiet.Handler(), slog.LevelDebug)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)

	roots := filepath.Join(t.TempDir(), "ca.pem")
	write(t, roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	if got, err := newClient(t, identity.ClientConfig{CAFile: roots}).Get(t.Context(), server.URL); err != nil || string(got.Body) != string(document) {
		t.Errorf("with the root: %v", err)
	}
	_, err := newClient(t, identity.ClientConfig{}).Get(t.Context(), server.URL)
	if !errors.Is(err, identity.ErrUntrusted) || identity.Reason(err) != "untrusted" {
		t.Errorf("without it: %v", err)
	}
}

func TestAClientNeedsUsableRoots(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty"), nil)
	write(t, filepath.Join(dir, "huge"), make([]byte, 2<<20))
	for _, name := range []string{"absent", "empty", "huge", "."} {
		if _, err := identity.NewClient(identity.ClientConfig{CAFile: filepath.Join(dir, name)}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestAFileThatCannotBeReadIsAnErrorAndNeverAWait(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "large"), make([]byte, 1025))
	write(t, filepath.Join(dir, "fits"), make([]byte, 1024))
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("fits", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"absent": identity.ErrUnreachable, "pipe": identity.ErrUnreachable, ".": identity.ErrUnreachable,
		"large": identity.ErrTooLarge, "fits": nil, "link": nil,
	} {
		if _, err := (identity.FileSource{Path: filepath.Join(dir, name), MaxBytes: 1024}).Fetch(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryReasonIsListedOnce(t *testing.T) {
	t.Parallel()
	reasons := identity.Reasons()
	seen := make(map[string]bool)
	for _, err := range []error{
		identity.ErrUnreachable, identity.ErrUntrusted, identity.ErrTimeout, identity.ErrStatus, identity.ErrTooLarge,
		identity.ErrRedirect, identity.ErrMalformed, identity.ErrIssuerMismatch, identity.ErrInsecure, identity.ErrKeySet,
		identity.ErrBreakerOpen, identity.ErrClientRejected, identity.ErrSaturated, identity.ErrPanic, errors.ErrUnsupported,
	} {
		reason := identity.Reason(fmt.Errorf("wrapped: %w", err))
		if seen[reason] || !slices.Contains(reasons, reason) {
			t.Errorf("%v: %q", err, reason)
		}
		seen[reason] = true
	}
	if len(seen) != len(reasons) {
		t.Errorf("%d errors, %d reasons", len(seen), len(reasons))
	}
}
