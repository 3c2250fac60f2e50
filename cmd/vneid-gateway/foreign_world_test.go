package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// foreignWorld is the main job on real input: a provider that nobody here
// wrote, the gateway's binary, and a system behind it.
type foreignWorld struct {
	provider *foreign.Provider
	// own is a second issuer, for tokens that the provider would not make.
	own      *backend.Running
	upstream *loopback.Server
	gateway  *process
}

func newForeignWorld(t *testing.T) *foreignWorld {
	t.Helper()
	w := &foreignWorld{provider: startProvider(t)}
	key, err := corpus.NewKey("ES256", "own-1")
	if err != nil {
		t.Fatal(err)
	}
	if w.own, err = backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.own.Close() })
	w.upstream = startSite(t)
	var audiences []string
	for _, alg := range foreign.Algorithms() {
		audiences = append(audiences, foreign.Audience(alg))
	}
	w.gateway = serve(t, w.config(audiences...))
	w.gateway.awaitReady(t)
	return w
}

func (w *foreignWorld) config(audiences ...string) string {
	return fmt.Sprintf(`
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
issuers:
  - name: foreign
    issuer: %s
    jwks: { discovery: true }
    types: [at+jwt]
    audience: { any_of: [%s] }
    claims:
      account_kind: { claim: account_type, map: { "1": citizen, "2": organisation } }
      account_level: { claim: account_level }
      personal_number: preferred_username
  - name: own
    issuer: %s
    jwks: { discovery: true }
    audience: { any_of: [tthc] }
    claims:
      account_kind: { claim: account_type, map: { "1": citizen, "2": organisation } }
      account_level: { claim: account_level }
      personal_number: preferred_username
sites:
  - name: hanoi
    hosts: [%s]
    upstreams: ["%s"]
    issuers: [foreign, own]
    identity_headers: [subject, account_kind, account_level, issuer, auth_time, token_id]
    rules:
      - { paths: [/tra-cuu/**], access: public }
      - { paths: [/api/ho-so/**], methods: [POST], account_level: 2 }
      - { paths: [/api/thanh-toan/**], acr: ["2"], max_auth_age: 15m }
shutdown: { delay: 0s, deadline: 5s }
`, w.provider.Issuer, strings.Join(audiences, ", "), w.own.Issuer(), testHost, w.upstream.URL())
}

// startProvider skips where the provider is not installed, except in
// continuous integration, which installs it.
func startProvider(t *testing.T) *foreign.Provider {
	t.Helper()
	dir := filepath.Join("..", "..", "bench", "foreign", "provider")
	if err := foreign.Available(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	provider, err := foreign.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Close() })
	return provider
}

func startSite(t testing.TB) *loopback.Server {
	t.Helper()
	site, err := origin.Start(t.Context(), "", "hanoi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = site.Close() })
	return site
}

// machine gets a token by client credentials, person one by a login.
func (w *foreignWorld) machine(t *testing.T, account, alg string) string {
	t.Helper()
	raw, err := w.provider.TokenFor(t.Context(), account, alg)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (w *foreignWorld) person(t *testing.T, account, alg string) string {
	t.Helper()
	raw, err := w.provider.Login(t.Context(), account, alg)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (w *foreignWorld) ask(t *testing.T, method, path, token string) answer {
	t.Helper()
	return send(t, w.gateway.data, request{method: method, host: testHost, path: path, token: token})
}
