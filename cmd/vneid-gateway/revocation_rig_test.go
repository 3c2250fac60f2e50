package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// revocationWorld is who issues the tokens that are revoked, and what is behind the
// gateways that refuse them.
type revocationWorld struct {
	issuer   *backend.Running
	key      *corpus.Key
	upstream string
	operator string // the file with the operator's token
}

func newRevocationWorld(t testing.TB) *revocationWorld {
	t.Helper()
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	return &revocationWorld{issuer: issuer, key: key, upstream: startSite(t).URL(), operator: operatorFile(t)}
}

// revocationConfig is what a test configures; all but directory is YAML, of one line
// or of lines with their indentation.
type revocationConfig struct {
	// directory is where revocations are kept, revocation what that section says
	// besides.
	directory, revocation string
	// issuer is what the section of the issuer says besides, admin that of the admin
	// listener.
	issuer, admin string
}

// config has two sites, s and lenient, which differ in what they do when a source
// of revocations is silent.
func (w *revocationWorld) config(c revocationConfig) string {
	return fmt.Sprintf(`
listen: [{ address: "127.0.0.1:0" }]
admin:
  address: "127.0.0.1:0"
  token_file: %s
%s
log: { access: { off: true } }
limits: { requests_per_connection: 0 }
overload: { off: true, verification_wait: 10s }
shutdown: { delay: 0s, deadline: 10s }
revocation:
  directory: %s
%s
issuers:
  - name: vneid
    issuer: %s
    leeway: 0s
    jwks: { discovery: true }
    audience: { any_of: [tthc] }
    claims: { account_kind: { claim: account_type, map: { "1": citizen } } }
%s
sites:
  - name: s
    hosts: [s.example]
    upstreams: ["%s"]
    issuers: [vneid]
    rules: [{ paths: [/tra-cuu/**], access: public }]
  - name: lenient
    hosts: [lenient.example]
    upstreams: ["%s"]
    issuers: [vneid]
    when_revocations_stale: allow
`, w.operator, c.admin, c.directory, c.revocation, w.issuer.Issuer(), c.issuer, w.upstream, w.upstream)
}

// serve starts a gateway. Who needs it to be ready waits for that.
func (w *revocationWorld) serve(t testing.TB, c revocationConfig) *faulted {
	t.Helper()
	return &faulted{process: serve(t, w.config(c)), issuer: w.issuer, key: w.key}
}

// serveReady starts a gateway and waits until it is ready.
func (w *revocationWorld) serveReady(t testing.TB, c revocationConfig) *faulted {
	t.Helper()
	g := w.serve(t, c)
	g.awaitReady(t)
	return g
}

// restart ends a gateway, as a crash does or in order, and starts another in its
// place.
func (w *revocationWorld) restart(t *testing.T, g *faulted, crash bool, c revocationConfig) *faulted {
	t.Helper()
	if crash {
		kill(t, g.process)
	} else {
		g.stop(t)
	}
	return w.serveReady(t, c)
}

// minted is a good token and what it says.
type minted struct {
	corpus.Token
	raw string
}

// mint makes a good token; change may be nil.
func (w *revocationWorld) mint(t testing.TB, change func(*corpus.Token)) minted {
	t.Helper()
	token := corpus.NewToken(w.issuer.Issuer(), "tthc", time.Now())
	token.Size = 0
	if change != nil {
		change(&token)
	}
	raw, err := token.Sign(w.key)
	if err != nil {
		t.Fatal(err)
	}
	return minted{token, raw}
}

func (w *revocationWorld) mintMany(t testing.TB, n int) []minted {
	t.Helper()
	all := make([]minted, n)
	for i := range all {
		all[i] = w.mint(t, nil)
	}
	return all
}

// revocationEntry is one entry of POST /revocations.
type revocationEntry map[string]any

// ofTokens are entries that revoke these tokens, each by its jti.
func ofTokens(tokens ...minted) []revocationEntry {
	entries := make([]revocationEntry, len(tokens))
	for i := range tokens {
		entries[i] = revocationEntry{"issuer": "vneid", "jti": tokens[i].ID}
	}
	return entries
}

// callers are connections of tests that call a gateway or a receiver.
type callers struct{ http.Client }

func newCallers(t testing.TB) *callers {
	t.Helper()
	c := &callers{http.Client{Transport: &http.Transport{}, Timeout: patience}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// call posts a body. It may be used by any goroutine.
func (c *callers) call(url, contentType, bearer string, body []byte) (answer, error) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", contentType)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := c.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: string(said)}, err
}

// post asks a gateway as an operator does.
func (c *callers) post(g *faulted, entries ...revocationEntry) (answer, error) {
	order := map[string]any{"reason": "ticket 4711", "revocations": entries}
	body, err := json.Marshal(order)
	if err != nil {
		return answer{}, err
	}
	return c.call(g.admin+"/revocations", "application/json", operatorToken, body)
}

var errNotAcknowledged = errors.New("not acknowledged")

// revoke has entries acknowledged.
func (c *callers) revoke(g *faulted, entries ...revocationEntry) error {
	a, err := c.post(g, entries...)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%w: %d %s", errNotAcknowledged, a.status, a.body)
	}
	return err
}

// mustRevoke has entries acknowledged.
func (c *callers) mustRevoke(t testing.TB, g *faulted, entries ...revocationEntry) {
	t.Helper()
	if err := c.revoke(g, entries...); err != nil {
		t.Fatal(err)
	}
}

// refusedLater is an answer of the admin listener that says to try again.
func (a answer) refusedLater(t testing.TB, code string) {
	t.Helper()
	var said struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &said)
	if a.status != http.StatusServiceUnavailable || said.Code != code || a.header.Get("Retry-After") == "" {
		t.Errorf("want 503 %s with Retry-After, got %d %q: %s", code, a.status, a.header.Get("Retry-After"), a.body)
	}
}

// missing is what the gateway says of its readiness.
func (g *faulted) missing(t testing.TB) string {
	t.Helper()
	return get(t, g.admin+"/readyz").body
}

// auditLines are those lines of a gateway's log that say what operators did.
func (g *faulted) auditLines() (lines []string) {
	for line := range strings.Lines(g.output()) {
		if strings.Contains(line, `"msg":"audit"`) {
			lines = append(lines, line)
		}
	}
	return lines
}

// newDirectory is where a gateway may keep revocations.
func newDirectory(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "revocations")
}

// sharedSecret writes what the nodes of a fleet share.
func sharedSecret(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret.hex")
	if err := os.WriteFile(path, []byte(strings.Repeat("5a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// skipLong leaves out what takes more than a few seconds.
func skipLong(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
}
