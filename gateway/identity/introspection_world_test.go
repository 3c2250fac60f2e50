package identity_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// oddSecret shows whether a secret is encoded before it is sent.
const oddSecret = "a secret, with 100% odd:characters+"

// startIssuer starts a backend that the client "gateway" may ask.
func startIssuer(t testing.TB, more ...backend.Client) *backend.Running {
	t.Helper()
	key, err := corpus.NewKey("EdDSA", "issuer-key")
	if err != nil {
		t.Fatal(err)
	}
	b, err := backend.Start(context.Background(), backend.Config{
		Keys: []*corpus.Key{key}, Clients: append(more, backend.Client{ID: "gateway", Secret: oddSecret}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func opaque(t testing.TB, b *backend.Running) string {
	t.Helper()
	tok, err := b.Opaque(backend.Citizen2)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func clientAuth(t testing.TB, cfg identity.ClientAuthConfig) *identity.ClientAuth {
	t.Helper()
	auth, err := identity.NewClientAuth(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// introspector completes cfg: "gateway" asks the backend's endpoint, for a minute at the longest.
func introspector(t testing.TB, url string, timeout time.Duration, cfg identity.IntrospectorConfig) *identity.Introspector {
	t.Helper()
	client, err := identity.NewClient(identity.ClientConfig{
		Timeout: timeout, MaxBytes: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Client = client
	if cfg.Breaker == nil {
		cfg.Breaker = identity.NewGuard(identity.GuardConfig{BreakAfter: 1000, BreakFor: time.Minute})
	}
	if cfg.URL == "" {
		cfg.URL = url + backend.IntrospectPath
	}
	if cfg.Auth == nil {
		cfg.Auth = clientAuth(t, identity.ClientAuthConfig{Method: identity.ClientSecretBasic, ClientID: "gateway", Secret: oddSecret})
	}
	if cfg.Concurrency == 0 {
		cfg.Concurrency = 16
	}
	i, err := identity.NewIntrospector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	return i
}

func opaqueVerifier(t testing.TB, issuer, audience string) *token.Verifier {
	t.Helper()
	v, err := token.NewVerifier(token.Profile{
		Issuer: issuer, Algorithms: []string{"EdDSA"}, Audience: []string{audience}, Leeway: 30 * time.Second,
		LevelClaim: "account_level",
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newVerdicts(t testing.TB) *cache.Verdicts {
	t.Helper()
	v, err := cache.NewVerdicts(cache.VerdictsConfig{MaxBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// introspections completes cfg: without a MaxAge, good answers are believed for a minute and refusals for ten seconds.
// It ends with the returned function.
func introspections(t testing.TB, cfg identity.IntrospectionsConfig) (*identity.Introspections, func()) {
	t.Helper()
	if cfg.MaxAge == 0 {
		cfg.MaxAge, cfg.InactiveAge = time.Minute, 10*time.Second
	}
	var own []*cache.Verdicts
	for _, c := range []**cache.Verdicts{&cfg.Good, &cfg.Refused} {
		if *c == nil {
			*c = newVerdicts(t)
			own = append(own, *c)
		}
	}
	n := identity.NewIntrospections(cfg)
	return n, func() {
		n.Close()
		for _, c := range own {
			c.Close()
		}
	}
}

// verdict decides about a token now.
func verdict(t testing.TB, n *identity.Introspections, tok string) (*cache.Verdict, error) {
	t.Helper()
	digest := cache.Digest([]byte(tok))
	return n.Verdict(t.Context(), []byte(tok), &digest, time.Now())
}

// silent fails where a text has any part of a token or secret that can be told from others.
func silent(t testing.TB, said, secret string) {
	t.Helper()
	for i := 0; i+8 <= len(secret); i++ {
		if strings.Contains(said, secret[i:i+8]) {
			t.Errorf("%q has a part of %q", said, secret)
			return
		}
	}
}

// jwks returns a public key as a key set brings it.
func jwks(t testing.TB) []*token.Key {
	t.Helper()
	key, err := corpus.NewKey("EdDSA", "jwt-key")
	if err != nil {
		t.Fatal(err)
	}
	keys, _, err := token.ParseKeySet(corpus.KeySetJSON(key), token.KeySetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
