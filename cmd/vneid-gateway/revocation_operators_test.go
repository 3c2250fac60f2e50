package main

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestWhatTheCommandRevokesIsRefusedOnTheNextRequest(t *testing.T) {
	t.Parallel()
	w := newRevocationWorld(t)
	c := revocationConfig{directory: newDirectory(t)}
	g := w.serveReady(t, c)
	subject := func(token *corpus.Token) { token.Subject = "001099000001" }
	byToken, bySession, bySubject, byClient, spared := w.mint(t, nil), w.mint(t, nil), w.mint(t, subject), w.mint(t, func(token *corpus.Token) {
		token.AuthorizedParty = "portal"
	}), w.mint(t, nil)
	later := w.mint(t, func(token *corpus.Token) { // of the same person, issued after the moment of the revocation
		subject(token)
		token.IssuedAt = token.IssuedAt.Add(-time.Minute)
	})
	all := []minted{byToken, bySession, bySubject, byClient, spared, later}
	g.answersAll(t, all, http.StatusOK) // their verdicts are cached
	names := filepath.Join(t.TempDir(), "subjects")
	if err := os.WriteFile(names, []byte(bySubject.Subject+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	between := later.IssuedAt.Add(30 * time.Second).Format(time.RFC3339)
	revoke := func(args ...string) {
		t.Helper()
		code, said := runBinary(t, append([]string{"revoke", "--issuer", "vneid", "--admin", g.admin, "--token-file", w.operator, "--reason", "ticket 4711"}, args...)...)
		if code != 0 || !strings.Contains(said, "revoked 1 (") {
			t.Fatalf("revoke %q: %d %s", args, code, said)
		}
	}
	revoke("--subject", "-", "--from-file", names, "--before", between)
	g.refuses(t, later)
	g.shows(t, bySubject).echo(t)
	for _, c := range []struct {
		token minted
		args  []string
	}{
		{byToken, []string{"--jti", byToken.ID}},
		{bySession, []string{"--sid", bySession.SessionID}},
		{bySubject, []string{"--subject", "-", "--from-file", names}},
		{byClient, []string{"--client", "portal"}},
	} {
		revoke(c.args...)
		g.refuses(t, c.token)
	}
	g.shows(t, spared).echo(t)

	lines := g.auditLines()
	if len(lines) != 5 {
		t.Errorf("%d lines of the audit log, want 5", len(lines))
	}
	for _, line := range lines {
		for _, want := range []string{`"action":"revoke"`, `"result":"done"`, `"why":"ticket 4711"`, `"issuer":"vneid"`, `"digest":"`, `"until":"`, `"by":"`, `"remote":"`, `"kind":"`} {
			if !strings.Contains(line, want) {
				t.Errorf("no %s in %s", want, line)
			}
		}
	}
	for _, id := range []string{byToken.ID, bySession.SessionID, bySubject.Subject, "portal", operatorToken, byToken.raw} {
		if strings.Contains(g.output(), id) {
			t.Errorf("the log has an identifier: %q", id)
		}
	}
	for _, crash := range []bool{true, false} {
		g = w.restart(t, g, crash, c)
		g.answersAll(t, all[:4], http.StatusUnauthorized)
		g.shows(t, spared).echo(t)
	}
	t.Logf("5 revoked by the command, %d lines of the audit log, 2 restarts", len(lines))
	g.stop(t)
}

func TestOnlyOperatorsRevoke(t *testing.T) {
	t.Parallel()
	w := newRevocationWorld(t)
	g := w.serveReady(t, revocationConfig{directory: newDirectory(t)})
	token, c := w.mint(t, nil), newCallers(t)
	body := fmt.Appendf(nil, `{"issuer":"vneid","jti":%q,"reason":"none"}`, token.ID)
	for _, bearer := range []string{"", "somebody-else-0123456789", token.raw} {
		a, err := c.call(g.admin+"/revocations", "application/json", bearer, body)
		if err != nil || a.status != http.StatusUnauthorized {
			t.Errorf("%d %s, %v", a.status, a.body, err)
		}
	}
	stranger := secretFile(t, []byte("somebody-else-0123456789"))
	if code, said := runBinary(t, "revoke", "--issuer", "vneid", "--jti", token.ID, "--reason", "none", "--admin", g.admin, "--token-file", stranger); code != 1 {
		t.Errorf("%d %s", code, said)
	}
	g.shows(t, token).echo(t)
	t.Log("4 refused")
	g.stop(t)
}

// Where the admin listener asks for client certificates, one does in place of a
// token.
func TestTheCommandRevokesWithACertificate(t *testing.T) {
	t.Parallel()
	servers, operators := newAuthority(t), newAuthority(t)
	server := servers.sign(t, x509.ExtKeyUsageServerAuth, net.IPv4(127, 0, 0, 1))
	operator, stranger := operators.sign(t, x509.ExtKeyUsageClientAuth), servers.sign(t, x509.ExtKeyUsageClientAuth)
	w := newRevocationWorld(t)
	g := w.serve(t, revocationConfig{directory: newDirectory(t), admin: fmt.Sprintf(
		"  tls: { cert_file: %q, key_file: %q, client_ca_file: %q }", server.certFile, server.keyFile, operators.file)})
	admin := strings.Replace(g.admin, "http:", "https:", 1)
	eventually(t, "ready", func() bool {
		code, _ := runBinary(t, "health", "--url", admin+"/readyz", "--ca-file", servers.file)
		return code == 0
	})
	token, spared := w.mint(t, nil), w.mint(t, nil)
	g.answersAll(t, []minted{token, spared}, http.StatusOK)
	revoke := func(more ...string) (int, string) {
		return runBinary(t, append([]string{"revoke", "--issuer", w.issuer.Issuer(), "--jti", token.ID, "--reason", "ticket 4712", "--admin", admin}, more...)...)
	}
	for name, args := range map[string][]string{
		"a stranger's certificate": {"--ca-file", servers.file, "--cert-file", stranger.certFile, "--key-file", stranger.keyFile},
		"a server of nobody's":     {"--ca-file", operators.file, "--cert-file", operator.certFile, "--key-file", operator.keyFile},
	} {
		if code, said := revoke(args...); code != 1 {
			t.Errorf("%s: %d %s", name, code, said)
		}
		g.shows(t, token).echo(t)
	}
	if code, said := revoke("--ca-file", servers.file, "--cert-file", operator.certFile, "--key-file", operator.keyFile); code != 0 {
		t.Fatalf("%d %s", code, said)
	}
	g.refuses(t, token)
	g.shows(t, spared).echo(t)
	lines := g.auditLines()
	done := 0
	for _, line := range lines {
		if strings.Contains(line, token.ID) {
			t.Errorf("an identifier in %s", line)
		}
		if strings.Contains(line, `"result":"done"`) {
			done++
		}
	}
	if done != 1 {
		t.Errorf("%q", lines)
	}
	t.Logf("1 revoked, 2 refused, %d lines of the audit log", len(lines))
	g.stop(t)
}
