package identity_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestOpaqueTokensOfTheBackendAreJudged(t *testing.T) {
	t.Parallel()
	b := startIssuer(t)
	asker := introspector(t, b.URL(), time.Minute, identity.IntrospectorConfig{})
	refused := newVerdicts(t)
	defer refused.Close()
	n, end := introspections(t, identity.IntrospectionsConfig{
		Asker: asker, Verifier: opaqueVerifier(t, b.Issuer(), b.Audience()), Refused: refused,
	})
	defer end()
	tok := opaque(t, b)
	v, err := verdict(t, n, tok)
	if err != nil || v.Claims.Expand().Level != 2 || v.Claims.Expand().Issuer != b.Issuer() || v.Claims.Expand().Subject == "" || v.Key != nil {
		t.Fatalf("%+v, %v", v, err)
	}
	for name, bad := range map[string]string{"unknown": "AAAAAAAAAAAAAAAA", "cut": tok[:len(tok)-1], "longer": tok + "A"} {
		if _, err := verdict(t, n, bad); !errors.Is(err, token.ErrInactive) {
			t.Errorf("%s: %v", name, err)
		}
	}
	revoked := opaque(t, b)
	if err := b.Revoke(revoked); err != nil {
		t.Fatal(err)
	}
	if _, err := verdict(t, n, revoked); !errors.Is(err, token.ErrInactive) {
		t.Errorf("revoked: %v", err)
	}
	b.SetFault(backend.WrongIssuer())
	if _, err := verdict(t, n, opaque(t, b)); !errors.Is(err, token.ErrIssuer) {
		t.Errorf("wrong issuer: %v", err)
	}
	b.SetFault(backend.Status(500))
	if _, err := verdict(t, n, opaque(t, b)); !errors.Is(err, identity.ErrIntrospection) {
		t.Errorf("500: %v", err)
	}
}

// startForeign starts the provider that this project did not write, or skips where it is not installed.
func startForeign(t *testing.T) *foreign.Provider {
	t.Helper()
	dir := filepath.Join("..", "..", "bench", "foreign", "provider")
	if err := foreign.Available(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	p, err := foreign.Start(ctx, dir)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		cancel()
	})
	return p
}

func TestOpaqueTokensOfAForeignIssuerAreJudged(t *testing.T) {
	t.Parallel()
	p := startForeign(t)
	endpoint := p.Introspection()
	for name, cfg := range map[string]identity.ClientAuthConfig{
		"by secret": {Method: identity.ClientSecretBasic, ClientID: endpoint.ClientID, Secret: endpoint.ClientSecret},
		"by key": {
			Method: identity.PrivateKeyJWT, ClientID: endpoint.KeyClientID, PrivateKey: private(t, endpoint.Key),
			PrivateKeyID: endpoint.Key.ID(), Audience: p.Issuer,
		},
	} {
		asker := introspector(t, "", time.Minute, identity.IntrospectorConfig{URL: endpoint.Endpoint, Auth: clientAuth(t, cfg)})
		n, end := introspections(t, identity.IntrospectionsConfig{
			Asker: asker, Verifier: opaqueVerifier(t, p.Issuer, foreign.AudienceOpaque),
		})
		tok, err := p.Opaque(t.Context(), foreign.Citizen2)
		if err != nil {
			t.Fatal(err)
		}
		v, err := verdict(t, n, tok)
		if err != nil || v.Claims.Expand().Subject != foreign.Citizen2 || v.Claims.Expand().Level != 2 || v.Claims.Expand().ACR != "2" || token.IsCompactJWS([]byte(tok)) {
			t.Fatalf("%s: %+v, %v", name, v, err)
		}
		narrow, endNarrow := introspections(t, identity.IntrospectionsConfig{
			Asker: asker, Verifier: opaqueVerifier(t, p.Issuer, "another"),
		})
		if _, err := verdict(t, narrow, tok); !errors.Is(err, token.ErrAudience) {
			t.Errorf("%s: for another: %v", name, err)
		}
		endNarrow()
		if _, err := verdict(t, n, "unknown-token"); !errors.Is(err, token.ErrInactive) {
			t.Errorf("%s: unknown: %v", name, err)
		}
		if err := p.Revoke(t.Context(), tok); err != nil {
			t.Fatal(err)
		}
		// The answer of a moment ago is believed no longer once it is a minute old.
		digest := cache.Digest([]byte(tok))
		if _, err := n.Verdict(t.Context(), []byte(tok), &digest, time.Now().Add(time.Minute)); !errors.Is(err, token.ErrInactive) {
			t.Errorf("%s: revoked: %v", name, err)
		}
		end()
	}
	wrong := introspector(t, "", time.Minute, identity.IntrospectorConfig{
		URL:  endpoint.Endpoint,
		Auth: clientAuth(t, identity.ClientAuthConfig{Method: identity.ClientSecretBasic, ClientID: endpoint.ClientID, Secret: "wrong"}),
	})
	if _, err := wrong.Ask(t.Context(), "unknown-token", false); !errors.Is(err, identity.ErrClientRejected) {
		t.Errorf("wrong secret: %v", err)
	}
}
