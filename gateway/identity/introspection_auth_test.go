package identity_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// private returns a key's private half, as a file holds it.
func private(t testing.TB, key *corpus.Key) crypto.Signer {
	t.Helper()
	block, _ := pem.Decode(key.PrivatePEM())
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.(crypto.Signer)
}

func TestTheGatewayAuthenticatesInEachWayAndNoOtherIsTaken(t *testing.T) {
	t.Parallel()
	clients := []backend.Client{{ID: "a poster&co", Secret: oddSecret, Method: backend.SecretPost}}
	auths := map[string]identity.ClientAuthConfig{
		"basic": {Method: identity.ClientSecretBasic, ClientID: "gateway", Secret: oddSecret},
		"post":  {Method: identity.ClientSecretPost, ClientID: "a poster&co", Secret: oddSecret},
	}
	for _, alg := range []string{"RS256", "ES256", "ES384", "ES512", "EdDSA"} {
		key, err := corpus.NewKey(alg, "key-"+alg)
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, backend.Client{ID: "signer-" + alg, Key: key, Method: backend.PrivateKeyJWT})
		auths[alg] = identity.ClientAuthConfig{
			Method: identity.PrivateKeyJWT, ClientID: "signer-" + alg, PrivateKey: private(t, key), PrivateKeyID: key.ID(),
		}
	}
	b := startIssuer(t, clients...)
	tok := opaque(t, b)
	for name, cfg := range auths {
		cfg.Audience = b.Issuer()
		i := introspector(t, b.URL(), time.Minute, identity.IntrospectorConfig{Auth: clientAuth(t, cfg)})
		// Twice: an assertion is good for one call.
		for range 2 {
			if document, err := i.Ask(t.Context(), tok, false); err != nil || !strings.Contains(string(document), `"active":true`) {
				t.Errorf("%s: %s, %v", name, document, err)
			}
		}
	}
	other, err := corpus.NewKey("ES256", "key-ES256")
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]identity.ClientAuthConfig{
		"wrong secret":           {Method: identity.ClientSecretBasic, ClientID: "gateway", Secret: "wrong"},
		"wrong secret, posted":   {Method: identity.ClientSecretPost, ClientID: "a poster&co", Secret: "wrong"},
		"unknown":                {Method: identity.ClientSecretBasic, ClientID: "nobody", Secret: oddSecret},
		"not this client's way":  {Method: identity.ClientSecretBasic, ClientID: "a poster&co", Secret: oddSecret},
		"another's key":          {Method: identity.PrivateKeyJWT, ClientID: "signer-ES256", PrivateKey: private(t, other), Audience: b.Issuer()},
		"for another's audience": {Method: identity.PrivateKeyJWT, ClientID: "signer-EdDSA", PrivateKey: auths["EdDSA"].PrivateKey, Audience: "https://other.example"},
	} {
		i := introspector(t, b.URL(), time.Minute, identity.IntrospectorConfig{Auth: clientAuth(t, cfg)})
		_, err := i.Ask(t.Context(), tok, false)
		if !errors.Is(err, identity.ErrClientRejected) || identity.Reason(err) != "client_rejected" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RFC 7523 section 3, OpenID Connect Core 1.0 section 9.
func TestAnAssertionNamesOneAudienceLivesShortlyAndIsNeverTheSame(t *testing.T) {
	t.Parallel()
	key, err := corpus.NewKey("ES256", "k")
	if err != nil {
		t.Fatal(err)
	}
	forms := make(chan url.Values, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(raw))
		forms <- form
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"active":false}`)
	}))
	defer server.Close()
	i := introspector(t, server.URL, time.Minute, identity.IntrospectorConfig{Auth: clientAuth(t, identity.ClientAuthConfig{
		Method: identity.PrivateKeyJWT, ClientID: "gateway", PrivateKey: private(t, key), PrivateKeyID: "k", Audience: "https://issuer.example",
	})})
	seen := map[string]bool{}
	for range 2 {
		if _, err := i.Ask(t.Context(), "opaque", false); err != nil {
			t.Fatal(err)
		}
		form := <-forms
		claims := jwt.MapClaims{}
		parsed, err := jwt.ParseWithClaims(form.Get("client_assertion"), claims, func(*jwt.Token) (any, error) { return key.Public(), nil },
			jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
		if err != nil {
			t.Fatal(err)
		}
		exp, _ := claims["exp"].(float64)
		iat, _ := claims["iat"].(float64)
		jti, _ := claims["jti"].(string)
		if claims["iss"] != "gateway" || claims["sub"] != "gateway" || claims["aud"] != "https://issuer.example" || exp-iat != 60 ||
			len(jti) < 26 || seen[jti] || parsed.Header["kid"] != "k" || form.Get("client_id") != "gateway" {
			t.Errorf("%v", claims)
		}
		seen[jti] = true
	}
}

func TestUnusableCredentialsAreRefusedAndNoneAreShown(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]identity.ClientAuthConfig{
		"nothing":       {},
		"no method":     {ClientID: "gateway", Secret: oddSecret},
		"no client":     {Method: identity.ClientSecretBasic, Secret: oddSecret},
		"no secret":     {Method: identity.ClientSecretPost, ClientID: "gateway"},
		"no key":        {Method: identity.PrivateKeyJWT, ClientID: "gateway", Audience: "a"},
		"no audience":   {Method: identity.PrivateKeyJWT, ClientID: "gateway", PrivateKey: small},
		"small RSA key": {Method: identity.PrivateKeyJWT, ClientID: "gateway", Audience: "a", PrivateKey: small},
		"another way":   {Method: "tls_client_auth", ClientID: "gateway", Secret: oddSecret},
	} {
		if _, err := identity.NewClientAuth(cfg); !errors.Is(err, identity.ErrCredentials) {
			t.Errorf("%s: %v", name, err)
		} else {
			silent(t, err.Error(), oddSecret)
		}
	}
	for _, method := range []string{identity.ClientSecretBasic, identity.ClientSecretPost} {
		auth := clientAuth(t, identity.ClientAuthConfig{Method: method, ClientID: "gateway", Secret: oddSecret})
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			silent(t, fmt.Sprintf(verb, auth), oddSecret)
			silent(t, fmt.Sprintf(verb, *auth), oddSecret)
		}
	}
}
