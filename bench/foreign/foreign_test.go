package foreign_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTokensOfEveryAlgorithmVerifyUnderThePublishedKeys(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	keys := publishedKeys(t, provider)
	for _, alg := range foreign.Algorithms() {
		raw, err := provider.Token(t.Context(), alg)
		if err != nil {
			t.Fatal(err)
		}
		claims := verify(t, provider, keys, alg, raw)
		for name, want := range map[string]any{
			"sub": "citizen2", "azp": "citizen2", "client_id": "citizen2", "acr": "1",
			"account_type": "1", "account_level": 2.0, "preferred_username": "000000000002", "auth_time": claims["iat"],
		} {
			if claims[name] != want {
				t.Errorf("%s: %s is %v, want %v", alg, name, claims[name], want)
			}
		}
	}
}

func TestALoginGivesATokenOfThePerson(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	keys := publishedKeys(t, provider)
	levels := map[string]any{foreign.Citizen2: 2.0, foreign.Citizen1: 1.0, foreign.Organisation: nil}
	for account, level := range levels {
		raw, err := provider.Login(t.Context(), account, "ES256")
		if err != nil {
			t.Fatal(err)
		}
		claims := verify(t, provider, keys, "ES256", raw)
		if claims["sub"] != account || claims["azp"] != "portal" || claims["acr"] != "2" || claims["account_level"] != level {
			t.Errorf("%s: %v", account, claims)
		}
		if authTime, ok := claims["auth_time"].(float64); !ok || authTime > claims["iat"].(float64) {
			t.Errorf("auth_time %v, iat %v", claims["auth_time"], claims["iat"])
		}
	}
}

func TestWhatTheProviderDoesNotKnowIsAnError(t *testing.T) {
	t.Parallel()
	provider := start(t, t.Context())
	if _, err := provider.Token(t.Context(), "HS256"); !errors.Is(err, foreign.ErrAnswer) {
		t.Errorf("an unknown algorithm gives %v", err)
	}
	if _, err := provider.TokenFor(t.Context(), "nobody", "ES256"); !errors.Is(err, foreign.ErrAnswer) {
		t.Errorf("an unknown client gives %v", err)
	}
	if _, err := provider.Login(t.Context(), "nobody", "ES256"); !errors.Is(err, foreign.ErrAnswer) {
		t.Errorf("an unknown person gives %v", err)
	}
}

func TestTheProviderEndsWithItsContextOrWhenClosed(t *testing.T) {
	t.Parallel()
	closed := start(t, t.Context())
	if err := closed.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := start(t, ctx)
	cancel()
	if err := cancelled.Close(); err != nil {
		t.Errorf("closing after its context ended: %v", err)
	}
	for _, provider := range []*foreign.Provider{closed, cancelled} {
		if _, err := provider.Token(t.Context(), "ES256"); err == nil || errors.Is(err, foreign.ErrAnswer) {
			t.Errorf("it still answers: %v", err)
		}
	}
}

func TestAProviderThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := foreign.Available(dir); !errors.Is(err, foreign.ErrUnavailable) {
		t.Errorf("available in an empty folder: %v", err)
	}
	if _, err := foreign.Start(t.Context(), dir); !errors.Is(err, foreign.ErrUnavailable) {
		t.Errorf("started in an empty folder: %v", err)
	}
	need(t)
	if err := os.MkdirAll(filepath.Join(dir, "node_modules", "oidc-provider"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := foreign.Start(t.Context(), dir); !errors.Is(err, foreign.ErrStart) {
		t.Errorf("started without a program: %v", err)
	}
}

func TestTheLockFileNamesNoRegistry(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("provider", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Resolved, Integrity string }
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		t.Fatal(err)
	}
	if len(lock.Packages) < 2 {
		t.Fatalf("%d packages are locked", len(lock.Packages))
	}
	for name, entry := range lock.Packages {
		if entry.Resolved != "" || (name != "" && entry.Integrity == "") {
			t.Errorf("%q is resolved at %q with integrity %q", name, entry.Resolved, entry.Integrity)
		}
	}
}

// need skips where the provider is not installed, except in continuous integration, which installs it.
func need(t *testing.T) {
	t.Helper()
	if err := foreign.Available("provider"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func start(t *testing.T, ctx context.Context) *foreign.Provider {
	t.Helper()
	need(t)
	provider, err := foreign.Start(ctx, "provider")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Close() })
	return provider
}

func verify(t *testing.T, provider *foreign.Provider, keys map[string]publishedKey, alg, raw string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(raw, claims, func(token *jwt.Token) (any, error) {
		if token.Header["typ"] != "at+jwt" {
			t.Errorf("typ %v", token.Header["typ"])
		}
		kid, _ := token.Header["kid"].(string)
		if key := keys[kid]; key.alg == alg {
			return key.public, nil
		}
		return nil, errors.New("no published key of that kid and algorithm")
	}, jwt.WithValidMethods([]string{alg}), jwt.WithIssuer(provider.Issuer), jwt.WithAudience(foreign.Audience(alg)),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	if err != nil {
		t.Fatalf("%s: %v", alg, err)
	}
	return claims
}

type publishedKey struct {
	alg    string
	public crypto.PublicKey
}

// publishedKeys goes from the issuer through discovery to its keys.
func publishedKeys(t *testing.T, provider *foreign.Provider) map[string]publishedKey {
	t.Helper()
	var document struct {
		Issuer string `json:"issuer"`
		KeySet string `json:"jwks_uri"`
	}
	getJSON(t, provider.Issuer+"/.well-known/openid-configuration", &document)
	if document.Issuer != provider.Issuer {
		t.Fatalf("discovery of %q says %q", provider.Issuer, document.Issuer)
	}
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	getJSON(t, document.KeySet, &set)
	keys := map[string]publishedKey{}
	for _, jwk := range set.Keys {
		if jwk["d"] != "" {
			t.Fatal("a private key is published")
		}
		keys[jwk["kid"]] = publishedKey{alg: jwk["alg"], public: publicKey(t, jwk)}
	}
	return keys
}

func publicKey(t *testing.T, jwk map[string]string) crypto.PublicKey {
	t.Helper()
	decode := func(name string) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(jwk[name])
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	switch jwk["kty"] {
	case "RSA":
		return &rsa.PublicKey{N: new(big.Int).SetBytes(decode("n")), E: int(new(big.Int).SetBytes(decode("e")).Int64())}
	case "EC":
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, decode("x")...), decode("y")...))
		if err != nil {
			t.Fatal(err)
		}
		return key
	case "OKP":
		return ed25519.PublicKey(decode("x"))
	}
	t.Fatalf("key type %q", jwk["kty"])
	return nil
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
