package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// home is what a gateway comes back to when it is started again: its issuer,
// its upstream, its configuration and its state.
type home struct {
	issuer   *backend.Running
	state    string
	operator string
	upstream string
}

func newHome(t *testing.T) *home {
	t.Helper()
	var keys []*corpus.Key
	for _, alg := range []string{"ES256", "EdDSA", "RS256"} {
		key, err := corpus.NewKey(alg, strings.ToLower(alg))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	return &home{
		issuer: issuer, upstream: startSite(t).URL(), operator: operatorFile(t), state: filepath.Join(t.TempDir(), "state"),
	}
}

// serve starts the gateway.
func (h *home) serve(t *testing.T) *process {
	t.Helper()
	config := ownConfig(h.issuer.Issuer(), h.upstream, fmt.Sprintf("state_dir: %s\nshutdown: { delay: 0s, deadline: 5s }\n", h.state))
	return serve(t, strings.Replace(config, `admin: { address: "127.0.0.1:0" }`,
		`admin: { address: "127.0.0.1:0", token_file: `+h.operator+" }", 1))
}

// kill ends the gateway as a power cut does.
func kill(t *testing.T, p *process) {
	t.Helper()
	if err := p.signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	<-p.ended
}

func (h *home) token(t *testing.T, alg string) string {
	t.Helper()
	token, err := h.issuer.Token(backend.Citizen2, alg)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (h *home) refuse(t *testing.T) {
	t.Helper()
	if err := h.issuer.Refuse(0); err != nil {
		t.Fatal(err)
	}
}

func (h *home) accept(t *testing.T) {
	t.Helper()
	if err := h.issuer.Accept(); err != nil {
		t.Fatal(err)
	}
}

// file is where the key set is kept.
func (h *home) file() string { return filepath.Join(h.state, "vneid.keys.json") }

// leave starts a gateway and kills it as soon as it has kept its keys.
func (h *home) leave(t *testing.T) {
	t.Helper()
	g := h.serve(t)
	g.awaitReady(t)
	eventually(t, "kept", func() bool { _, err := os.Stat(h.file()); return err == nil })
	kill(t, g)
}

func (p *process) ask(t *testing.T, token string) answer {
	t.Helper()
	return send(t, p.data, request{host: testHost, path: reading, token: token})
}

func TestColdStartWhileTheBackendIsDownServesUnderTheKeysOfAnEarlierRun(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.leave(t)
	file := h.file()
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v %v", file, info.Mode(), err)
	}
	if dir, err := os.Stat(h.state); err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("%s: %v %v", h.state, dir.Mode(), err)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{`"d"`, `"p"`, `"q"`, `"dp"`, `"dq"`, `"qi"`, `"k"`, "PRIVATE"} {
		if strings.Contains(string(kept), private) {
			t.Errorf("the state holds a private member: %s", private)
		}
	}

	h.refuse(t)
	g := h.serve(t)
	// At once: the first answer is ready, and nothing was fetched.
	if a := get(t, g.admin+"/readyz"); a.status != http.StatusOK {
		t.Errorf("/readyz: %d %s", a.status, a.body)
	}
	for _, alg := range []string{"ES256", "EdDSA", "RS256"} {
		g.ask(t, h.token(t, alg)).echo(t)
	}
	g.await(t, "key set not refreshed")
	g.ask(t, h.token(t, "ES256")).echo(t)
	if view := g.keys(t, "vneid"); len(view.Keys) != 3 {
		t.Errorf("%+v", view)
	}

	h.accept(t)
	eventually(t, "fetched", func() bool {
		failures := g.metric(t, `vneid_gateway_key_set_fetch_failures_total{issuer="vneid",reason="unreachable"}`)
		failures += g.metric(t, `vneid_gateway_key_set_fetch_failures_total{issuer="vneid",reason="breaker_open"}`)
		return g.metric(t, `vneid_gateway_key_set_fetches_total{issuer="vneid"}`) > failures
	})
	g.stop(t)
}

func TestColdStartWithoutUsableStateWaitsForTheBackendAndSaysSo(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, h *home){
		"none": func(t *testing.T, h *home) {
			if err := os.RemoveAll(h.state); err != nil {
				t.Fatal(err)
			}
		},
		"truncated": func(t *testing.T, h *home) { h.rewrite(t, func(s string) string { return s[:len(s)/2] }) },
		"empty":     func(t *testing.T, h *home) { h.rewrite(t, func(string) string { return "" }) },
		"altered": func(t *testing.T, h *home) {
			h.rewrite(t, func(s string) string { return strings.Replace(s, "eddsa", "eddsb", 1) })
		},
		"another's": func(t *testing.T, h *home) {
			h.rewrite(t, func(s string) string { return strings.Replace(s, h.issuer.Issuer(), "http://127.0.0.1:1", 1) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.leave(t)
			token := h.token(t, "ES256")
			damage(t, h)
			h.refuse(t)

			g := h.serve(t)
			g.await(t, "key set not refreshed")
			if name != "none" {
				g.await(t, "stored key set not used")
			}
			a := get(t, g.admin+"/readyz")
			if a.status != http.StatusServiceUnavailable ||
				!strings.Contains(a.body, "keys of issuer vneid: not fetched yet, last attempt: unreachable") {
				t.Errorf("/readyz: %d %s", a.status, a.body)
			}
			g.ask(t, token).refusedWith(t, http.StatusServiceUnavailable, "keys_unavailable")
			h.accept(t)
			g.awaitReady(t)
			g.ask(t, token).echo(t)
			g.stop(t)
		})
	}
}

func (h *home) rewrite(t *testing.T, change func(string) string) {
	t.Helper()
	file := h.file()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	after := change(string(before))
	if after == string(before) {
		t.Fatal("nothing was damaged")
	}
	if err := os.WriteFile(file, []byte(after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPurgeSurvivesAKillAndARestart(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	g := h.serve(t)
	g.awaitReady(t)
	purged, other := h.token(t, "ES256"), h.token(t, "EdDSA")
	g.ask(t, purged).echo(t)
	if a := g.changeKey(t, http.MethodDelete, "vneid", "es256"); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	refused := func() {
		t.Helper()
		g.ask(t, purged).refusedWith(t, http.StatusUnauthorized, "key_unknown")
		g.ask(t, other).echo(t)
		if view := g.keys(t, "vneid"); len(view.Keys) != 2 || len(view.Purged) != 1 || view.Purged[0].ID != "es256" {
			t.Errorf("%+v", view)
		}
	}
	refused()
	kill(t, g)

	g = h.serve(t) // while the backend goes on publishing the key
	g.awaitReady(t)
	refused()
	kill(t, g)

	h.refuse(t) // from what was kept alone
	g = h.serve(t)
	g.awaitReady(t)
	refused()

	if a := g.changeKey(t, http.MethodPut, "vneid", "es256"); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	h.accept(t)
	g.awaitKey(t, "vneid", "es256", true)
	g.ask(t, purged).echo(t)
	g.stop(t)
}
