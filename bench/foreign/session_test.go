package foreign_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
)

// relyingParty takes logout tokens and answers with a status.
func relyingParty(t *testing.T, status int) (address string, tokens <-chan string) {
	t.Helper()
	posted := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%s %q", r.Method, r.Header.Get("Content-Type"))
		}
		posted <- r.PostFormValue("logout_token")
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/logout", posted
}

func session(t *testing.T, provider *foreign.Provider, account string) *foreign.Session {
	t.Helper()
	s, err := provider.NewSession(account)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func sid(t *testing.T, provider *foreign.Provider, keys map[string]publishedKey, s *foreign.Session, alg string) string {
	t.Helper()
	raw, err := s.Token(t.Context(), alg)
	if err != nil {
		t.Fatal(err)
	}
	said, _ := verify(t, provider, keys, alg, raw)["sid"].(string)
	return said
}

func TestALogoutIsToldToThePortalWithTheSidOfTheSessionsTokens(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	keys := publishedKeys(t, provider)
	address, tokens := relyingParty(t, http.StatusOK)
	if err := provider.SendLogouts(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	one, other := session(t, provider, foreign.Citizen2), session(t, provider, foreign.Citizen2)
	want := sid(t, provider, keys, one, "ES256")
	if again := sid(t, provider, keys, one, "EdDSA"); again != want || want == "" {
		t.Fatalf("one session, two sids: %q, %q", want, again)
	}
	if another := sid(t, provider, keys, other, "ES256"); another == want || another == "" {
		t.Fatalf("two sessions, one sid: %q", another)
	}
	if err := one.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(<-tokens, claims, func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		return keys[kid].public, nil
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(provider.Issuer), jwt.WithAudience(foreign.LogoutAudience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	if err != nil {
		t.Fatal(err)
	}
	events, _ := claims["events"].(map[string]any)
	if _, ok := events["http://schemas.openid.net/event/backchannel-logout"]; !ok || token.Header["typ"] != "logout+jwt" {
		t.Errorf("%v %v", token.Header, claims)
	}
	if claims["sid"] != want || claims["sub"] != foreign.Citizen2 || claims["jti"] == nil {
		t.Errorf("%v", claims)
	}
	if n, err := provider.Logouts(t.Context()); err != nil || n != (foreign.Logouts{Told: 1}) {
		t.Errorf("%+v, %v", n, err)
	}
	if err := one.End(t.Context()); err != nil || len(tokens) > 0 {
		t.Errorf("ended once more: %v, %d told", err, len(tokens))
	}
}

func TestALogoutThatIsRefusedIsCountedAndSoIsNoOther(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	silent := session(t, provider, foreign.Citizen1)
	if _, err := silent.Token(t.Context(), "ES256"); err != nil {
		t.Fatal(err)
	}
	if err := silent.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := provider.Logouts(t.Context()); err != nil || n != (foreign.Logouts{}) {
		t.Errorf("nobody asked to be told: %+v, %v", n, err)
	}
	address, tokens := relyingParty(t, http.StatusServiceUnavailable)
	if err := provider.SendLogouts(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	s := session(t, provider, foreign.Citizen1)
	// A rotation forgets neither the session nor where to tell.
	if _, err := s.Token(t.Context(), "ES256"); err != nil {
		t.Fatal(err)
	}
	if err := provider.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := provider.Logouts(t.Context()); err != nil || n != (foreign.Logouts{Untold: 1}) {
		t.Errorf("%+v, %v", n, err)
	}
	if raw := <-tokens; strings.Count(raw, ".") != 2 {
		t.Errorf("%q", raw)
	}
}
