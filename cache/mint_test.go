package cache

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testIssuer = "https://issuer.example"
	epoch      = 1_750_000_000
)

var testNow = time.Unix(epoch, 0)

// pair is a signing key and its JWK.
type pair struct {
	private crypto.Signer
	jwk     map[string]any
}

// newPair makes an Ed25519 key under that kid ("" for none).
func newPair(tb testing.TB, kid string) pair {
	tb.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(public)}
	if kid != "" {
		jwk["kid"] = kid
	}
	return pair{private, jwk}
}

// read reads the pairs' public keys as a key set, each time anew.
func read(tb testing.TB, pairs ...pair) []*token.Key {
	tb.Helper()
	jwks := make([]map[string]any, len(pairs))
	for i, p := range pairs {
		jwks[i] = p.jwk
	}
	text, err := json.Marshal(map[string]any{"keys": jwks})
	if err != nil {
		tb.Fatal(err)
	}
	keys, skipped, err := token.ParseKeySet(text, token.KeySetOptions{})
	if err != nil || len(skipped) > 0 {
		tb.Fatalf("%v, %v", err, skipped)
	}
	return keys
}

// mint makes a token for a subject that expires at exp.
func (p pair) mint(tb testing.TB, subject string, exp int64) []byte {
	tb.Helper()
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss": testIssuer, "sub": subject, "exp": exp, "jti": "5f0c8a52-6d0c-4c2e-9a7e-0f3a8d4b7c61",
		"sid": "c7a1f1c0-3c5b-4b7f-8f8e-5d2f6b1a9e44", "azp": "portal", "acr": "loa2",
	})
	if kid, ok := p.jwk["kid"]; ok {
		t.Header["kid"] = kid
	}
	raw, err := t.SignedString(p.private)
	if err != nil {
		tb.Fatal(err)
	}
	return []byte(raw)
}

func newVerifier(tb testing.TB) *token.Verifier {
	tb.Helper()
	v, err := token.NewVerifier(token.Profile{Issuer: testIssuer, Algorithms: []string{"EdDSA"}, AudienceUnchecked: true})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// verdict makes up what Verify would have returned for a subject.
func verdict(subject string, exp int64, key *token.Key) token.Verified {
	return token.Verified{Claims: &token.Claims{Issuer: testIssuer, Subject: subject, ExpiresAt: exp}, Key: key}
}

// newVerdicts starts a cache that ends with the test.
func newVerdicts(tb testing.TB, c VerdictsConfig) *Verdicts {
	tb.Helper()
	if c.MaxBytes == 0 {
		c.MaxBytes = 4 << 20
	}
	v, err := NewVerdicts(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(v.Close)
	return v
}

func tokenNumber(i int) []byte { return fmt.Appendf(nil, "header.payload-%d.signature", i) }
