package main

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// ownConfig is a configuration with one issuer and one site that asks for a
// token everywhere but below /tra-cuu.
func ownConfig(issuer, upstream, more string) string {
	return fmt.Sprintf(`
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
issuers:
  - name: vneid
    issuer: %s
    jwks: { discovery: true, refresh: 1s }
    audience: { any_of: [tthc] }
    claims:
      account_kind: { claim: account_type, map: { "1": citizen, "2": organisation } }
      account_level: { claim: account_level }
sites:
  - name: hanoi
    hosts: [%s]
    upstreams: ["%s"]
    issuers: [vneid]
    rules: [{ paths: [/tra-cuu/**], access: public }]
%s`, issuer, testHost, upstream, more)
}

func TestReadinessComesByItselfWhenTheProviderDoes(t *testing.T) {
	t.Parallel()
	address := reserve(t)
	g := serve(t, ownConfig("http://"+address, startSite(t).URL(), "shutdown: { delay: 0s, deadline: 5s }"))
	g.await(t, "key set not refreshed")

	a := get(t, g.admin+"/readyz")
	if a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "keys of issuer vneid: not fetched yet, last attempt: unreachable") {
		t.Errorf("/readyz without a provider: %d %s", a.status, a.body)
	}
	if code, said := runBinary(t, "health", "--url", g.admin+"/readyz"); code != 1 || !strings.Contains(said, "keys of issuer vneid") {
		t.Errorf("health without a provider: %d %s", code, said)
	}
	if a := get(t, g.admin+"/livez"); a.status != http.StatusOK {
		t.Errorf("/livez without a provider: %d", a.status)
	}
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	early, err := corpus.NewToken("http://"+address, "tthc", time.Now()).Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, token string) answer {
		return send(t, g.data, request{host: testHost, path: path, token: token})
	}
	ask(reading, early).refusedWith(t, http.StatusServiceUnavailable, "keys_unavailable")
	ask(openPages, "").echo(t)

	provider, err := backend.Start(t.Context(), backend.Config{Address: address, Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Close() })
	g.awaitReady(t)
	ask(reading, early).echo(t)
	if code, said := runBinary(t, "health", "--url", g.admin+"/readyz"); code != 0 || !strings.Contains(said, `"ready"`) {
		t.Errorf("health of a ready gateway: %d %s", code, said)
	}
	if g.metric(t, "vneid_gateway_ready") != 1 {
		t.Error("vneid_gateway_ready is not 1")
	}
	g.stop(t)
}

// reserve returns a loopback address on which nobody listens and that no one
// else is given while the test runs; who sets SO_REUSEADDR, as package net
// does, can listen there.
func reserve(t testing.TB) string {
	t.Helper()
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port) //nolint:forcetypeassert // bound above
}
