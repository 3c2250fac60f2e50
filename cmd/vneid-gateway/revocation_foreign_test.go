package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
)

// loggedIn is a browser at the foreign provider and an access token that it got.
type loggedIn struct {
	*foreign.Session
	token string
}

func logIn(t *testing.T, provider *foreign.Provider, account string) loggedIn {
	t.Helper()
	s, err := provider.NewSession(account)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	token, err := s.Token(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	return loggedIn{s, token}
}

// logoutConfig is a gateway that the provider tells of logouts.
func logoutConfig(t *testing.T, provider *foreign.Provider, directory, receiver string) string {
	t.Helper()
	config := foreignConfig(t, provider, "discovery: true", "", foreign.Audience("ES256"))
	config = strings.Replace(config, "sites:\n", fmt.Sprintf("    revocation: { logout: { audience: [%s] } }\nsites:\n", foreign.LogoutAudience), 1)
	return config + fmt.Sprintf("revocation: { directory: %q, receiver: { address: %q } }\n", directory, receiver)
}

// OpenID Connect Back-Channel Logout 1.0, from a provider that nobody here wrote.
func TestALogoutAtAForeignProviderEndsThatSessionOnTheNextRequest(t *testing.T) {
	t.Parallel()
	provider := startProvider(t)
	receiver, directory := reserve(t), newDirectory(t)
	config := logoutConfig(t, provider, directory, receiver)
	g := serve(t, config)
	g.awaitReady(t)
	if err := provider.SendLogouts(t.Context(), "http://"+receiver+"/logout/foreign"); err != nil {
		t.Fatal(err)
	}
	const sessions = 3
	var ended []loggedIn
	spared := logIn(t, provider, foreign.Citizen2)
	g.ask(t, spared.token).echo(t)
	for range sessions {
		s := logIn(t, provider, foreign.Citizen2)
		again, err := s.Token(t.Context(), "ES256") // a second token of the same session
		if err != nil {
			t.Fatal(err)
		}
		g.ask(t, s.token).echo(t)
		if err := s.End(t.Context()); err != nil {
			t.Fatal(err)
		}
		ended = append(ended, s, loggedIn{s.Session, again})
		for _, token := range []string{s.token, again} {
			g.ask(t, token).refusedWith(t, http.StatusUnauthorized, "token_revoked")
		}
		g.ask(t, spared.token).echo(t)
	}
	if told, err := provider.Logouts(t.Context()); err != nil || told != (foreign.Logouts{Told: sessions}) {
		t.Errorf("the provider counts %+v, %v", told, err)
	}
	if n := g.metric(t, `vneid_gateway_revocations_accepted_total{source="logout"}`); n != sessions {
		t.Errorf("%v accepted, want %d", n, sessions)
	}
	kill(t, g)
	g = serve(t, config)
	g.awaitReady(t)
	for _, s := range ended {
		g.ask(t, s.token).refusedWith(t, http.StatusUnauthorized, "token_revoked")
	}
	g.ask(t, spared.token).echo(t)
	t.Logf("%d logouts ended %d tokens, 1 crash; 1 session of the same person goes on", sessions, len(ended))
	g.stop(t)
}

func TestALogoutUnderAKeyThatAForeignProviderJustMadeIsTaken(t *testing.T) {
	t.Parallel()
	provider := startProvider(t)
	receiver := reserve(t)
	g := serve(t, logoutConfig(t, provider, newDirectory(t), receiver))
	g.awaitReady(t)
	if err := provider.SendLogouts(t.Context(), "http://"+receiver+"/logout/foreign"); err != nil {
		t.Fatal(err)
	}
	s := logIn(t, provider, foreign.Citizen1)
	g.ask(t, s.token).echo(t)
	if err := provider.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.ask(t, s.token).refusedWith(t, http.StatusUnauthorized, "token_revoked")
	if told, err := provider.Logouts(t.Context()); err != nil || told != (foreign.Logouts{Told: 1}) {
		t.Errorf("the provider counts %+v, %v", told, err)
	}
	t.Log("1 logout, under a key that the gateway had to look for")
	g.stop(t)
}
