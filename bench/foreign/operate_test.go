package foreign_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
)

func TestAnOpaqueTokenIsIntrospectedByEitherWayOfAuthentication(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	levels := map[string]any{foreign.Citizen2: 2.0, foreign.Citizen1: 1.0, foreign.Organisation: nil}
	for account, level := range levels {
		token, err := provider.Opaque(t.Context(), account)
		if err != nil || strings.Contains(token, ".") {
			t.Fatalf("%q, %v", token, err)
		}
		for way, ask := range ways() {
			status, got := ask(t, provider, token)
			if status != http.StatusOK {
				t.Errorf("%s: %d", way, status)
			}
			for name, want := range map[string]any{
				"active": true, "iss": provider.Issuer, "sub": account, "aud": foreign.AudienceOpaque, "client_id": "portal",
				"azp": "portal", "token_type": "Bearer", "account_level": level, "acr": "2",
			} {
				if got[name] != want {
					t.Errorf("%s by %s: %s is %v, want %v", account, way, name, got[name], want)
				}
			}
			if exp, ok := got["exp"].(float64); !ok || exp <= float64(time.Now().Unix()) {
				t.Errorf("exp %v", got["exp"])
			}
		}
	}
}

func TestIntrospectionNeedsTheRightClient(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	token, err := provider.Opaque(t.Context(), foreign.Citizen2)
	if err != nil {
		t.Fatal(err)
	}
	in := provider.Introspection()
	for name, as := range map[string]*url.Userinfo{
		"nobody": nil, "wrong secret": url.UserPassword(in.ClientID, "wrong"), "unknown": url.UserPassword("x", in.ClientSecret),
	} {
		if status, got := introspect(t, in.Endpoint, url.Values{"token": {token}}, as); status == http.StatusOK || got["active"] != nil {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
	// The provider knows the portal, but tells it nothing.
	status, got := introspect(t, in.Endpoint, url.Values{"token": {token}}, url.UserPassword("portal", in.ClientSecret))
	if status != http.StatusOK || got["active"] != false {
		t.Errorf("portal: %d %v", status, got)
	}
}

func TestAnOpaqueTokenIsInactiveOnceRevoked(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	token, err := provider.Opaque(t.Context(), foreign.Citizen2)
	if err != nil {
		t.Fatal(err)
	}
	if err := provider.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	for way, ask := range ways() {
		if status, got := ask(t, provider, token); status != http.StatusOK || len(got) != 1 || got["active"] != false {
			t.Errorf("%s: %d %v", way, status, got)
		}
	}
	compact, err := provider.Token(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	if err := provider.Revoke(t.Context(), compact); !errors.Is(err, foreign.ErrAnswer) {
		t.Errorf("revoking a JWT: %v", err)
	}
}

func TestARotationKeepsTheOldKeysUntilTheyAreDropped(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	first := publishedKeys(t, provider)
	old, err := provider.Token(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	opaque, err := provider.Opaque(t.Context(), foreign.Citizen2)
	if err != nil {
		t.Fatal(err)
	}
	if err := provider.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	both := publishedKeys(t, provider)
	verify(t, provider, both, "ES256", old)
	second := maps.Clone(both)
	maps.DeleteFunc(second, func(kid string, _ publishedKey) bool { _, was := first[kid]; return was })
	if len(both) != 8 || len(second) != 4 {
		t.Fatalf("published: %v", slices.Sorted(maps.Keys(both)))
	}
	for _, alg := range foreign.Algorithms() {
		raw, err := provider.Token(t.Context(), alg)
		if err != nil {
			t.Fatal(err)
		}
		verify(t, provider, second, alg, raw)
		if raw, err = provider.Login(t.Context(), foreign.Citizen1, alg); err != nil {
			t.Fatal(err)
		}
		verify(t, provider, second, alg, raw)
	}
	if err := provider.DropOld(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := publishedKeys(t, provider); !slices.Equal(slices.Sorted(maps.Keys(left)), slices.Sorted(maps.Keys(second))) {
		t.Errorf("published: %v", slices.Sorted(maps.Keys(left)))
	}
	for way, ask := range ways() {
		if _, got := ask(t, provider, opaque); got["active"] != true {
			t.Errorf("an opaque token from before, by %s: %v", way, got)
		}
	}
}

func TestOrdersNeedTheOperator(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	in := provider.Introspection()
	for _, as := range []*url.Userinfo{nil, url.UserPassword(in.ClientID, in.ClientSecret), url.UserPassword("operator", "wrong")} {
		if response, _ := post(t, provider.Issuer+"/control/rotate", nil, as); response.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %d", as, response.StatusCode)
		}
	}
	if keys := publishedKeys(t, provider); len(keys) != 4 {
		t.Errorf("%d keys", len(keys))
	}
}

// ways returns how a resource server asks.
func ways() map[string]func(*testing.T, *foreign.Provider, string) (int, map[string]any) {
	return map[string]func(*testing.T, *foreign.Provider, string) (int, map[string]any){
		"client_secret_basic": func(t *testing.T, p *foreign.Provider, token string) (int, map[string]any) {
			in := p.Introspection()
			return introspect(t, in.Endpoint, url.Values{"token": {token}}, url.UserPassword(in.ClientID, in.ClientSecret))
		},
		"private_key_jwt": func(t *testing.T, p *foreign.Provider, token string) (int, map[string]any) {
			in := p.Introspection()
			header, err := json.Marshal(map[string]string{"alg": in.Key.Algorithm(), "kid": in.Key.ID()})
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			payload, err := json.Marshal(map[string]any{
				"iss": in.KeyClientID, "sub": in.KeyClientID, "aud": p.Issuer,
				"jti": now.String() + token, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
			})
			if err != nil {
				t.Fatal(err)
			}
			assertion, err := in.Key.SignCompact(header, payload)
			if err != nil {
				t.Fatal(err)
			}
			return introspect(t, in.Endpoint, url.Values{
				"token": {token}, "client_id": {in.KeyClientID}, "client_assertion": {assertion},
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			}, nil)
		},
	}
}

func introspect(t *testing.T, endpoint string, form url.Values, as *url.Userinfo) (int, map[string]any) {
	t.Helper()
	response, body := post(t, endpoint, form, as)
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%d %s: %v", response.StatusCode, body, err)
	}
	return response.StatusCode, got
}

func post(t *testing.T, to string, form url.Values, as *url.Userinfo) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if as != nil {
		password, _ := as.Password()
		request.SetBasicAuth(as.Username(), password)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}
