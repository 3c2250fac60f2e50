package token

import (
	"fmt"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// benchToken is a token of about 900 bytes, as an identity backend mints them: many claims that nobody here reads.
func benchToken(tb testing.TB, alg string) []byte {
	tb.Helper()
	return mint(tb, alg, goodClaims().with(object{
		"scope": "openid profile email", "preferred_username": "000000000000", "email_verified": false, "typ": "Bearer",
		"realm_access":    object{"roles": []string{"offline_access", "uma_authorization", "default-roles"}},
		"resource_access": object{"account": object{"roles": []string{"manage-account", "view-profile"}}},
		"session_state":   "6f1c2ab0-0d5e-4c5f-9d2c-2f3b3c6c0b61",
	}))
}

// What a token costs that was not seen before: parse, claims, key, signature.
func BenchmarkVerifyMiss(b *testing.B) {
	for _, alg := range SupportedAlgorithms() {
		b.Run(alg, func(b *testing.B) {
			raw, keys, v := benchToken(b, alg), onlyKey(keyOf(b, alg)), verifier(b, goodProfile())
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				p, err := Parse(raw)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := v.Verify(&p, keys, testNow); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The same by golang-jwt alone, to compare with.
func BenchmarkGolangJWT(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		b.Run(alg, func(b *testing.B) {
			raw, key := string(benchToken(b, alg)), keyOf(b, alg).Public()
			parser := jwt.NewParser(jwt.WithValidMethods([]string{alg}), jwt.WithIssuer(testIssuer), jwt.WithAudience(testAudience),
				jwt.WithExpirationRequired(), jwt.WithTimeFunc(testNow.Local))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parser.Parse(raw, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	raw := benchToken(b, "ES256")
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// What is refused without cryptography.
func BenchmarkVerifyExpired(b *testing.B) {
	raw, keys, v := benchToken(b, "ES256"), onlyKey(keyOf(b, "ES256")), verifier(b, goodProfile())
	b.ReportAllocs()
	for b.Loop() {
		p, err := Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.Verify(&p, keys, testNow.Add(1e12)); err == nil {
			b.Fatal("passed")
		}
	}
}

func BenchmarkParseKeySet(b *testing.B) {
	var keys []object
	for i := range 8 {
		keys = append(keys, jwkOf(testSigners()["RSA"].Public()).with(object{"kid": fmt.Sprint(i)}))
	}
	text := keySet(b, keys...)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ParseKeySet(text, KeySetOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
