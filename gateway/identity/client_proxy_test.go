package identity_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// forwarder is an HTTP proxy that records what it is asked for.
func forwarder(t *testing.T) (address string, asked func() []string) {
	t.Helper()
	var lines atomic.Pointer[[]string]
	lines.Store(new([]string))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		more := append(slices.Clone(*lines.Load()), r.Method+" "+r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
		lines.Store(&more)
		onward, err := http.NewRequestWithContext(r.Context(), r.Method, r.RequestURI, http.NoBody)
		if err != nil {
			http.Error(w, "bad", http.StatusBadGateway)
			return
		}
		answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(onward)
		if err != nil {
			http.Error(w, "bad", http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), func() []string { return *lines.Load() }
}

func TestTheConfiguredProxyIsGoneByAlways(t *testing.T) {
	t.Parallel()
	b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}})
	proxy, asked := forwarder(t)
	client := newClient(t, identity.ClientConfig{ProxyURL: "http://user:secret@" + proxy})
	// On loopback, which the environment's proxy would leave out.
	if _, err := client.Get(t.Context(), b.URL()+backend.KeySetPath); err != nil {
		t.Error(err)
	}
	want := []string{"GET " + b.URL() + backend.KeySetPath + " Basic dXNlcjpzZWNyZXQ="}
	if got := asked(); !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
	// A proxy that is gone is no reason to go without.
	gone := newClient(t, identity.ClientConfig{ProxyURL: "http://user:secret@127.0.0.1:1"})
	b.ResetFetches()
	_, err := gone.Get(t.Context(), b.URL()+backend.KeySetPath)
	if !errors.Is(err, identity.ErrUnreachable) || strings.Contains(err.Error(), "secret") || b.Fetches(backend.KeySetPath) != 0 {
		t.Errorf("without its proxy: %v, asked %d times", err, b.Fetches(backend.KeySetPath))
	}
}

// A proxy does not stand on our loopback: what it is asked for goes over a wire.
func TestThroughAProxyNoAddressIsLoopback(t *testing.T) {
	t.Parallel()
	b := startBackend(t, backend.Config{Keys: []*corpus.Key{newKey(t, "k1")}})
	proxy, _ := forwarder(t)
	client := newClient(t, identity.ClientConfig{ProxyURL: "http://" + proxy})
	for allow, want := range map[bool]error{false: identity.ErrInsecure, true: nil} {
		s := identity.DiscoverySource{Client: client, Issuer: b.Issuer(), AllowPlainHTTP: allow}
		if _, err := s.Fetch(t.Context()); !errors.Is(err, want) {
			t.Errorf("allowed %v: %v", allow, err)
		}
	}
}
