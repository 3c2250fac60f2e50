package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The world of the tests: one issuer, one audience, one moment.
const (
	testIssuer   = "https://issuer.example"
	testAudience = "tthc"
	epoch        = 1_750_000_000
)

var testNow = time.Unix(epoch, 0)

// object is a JSON object under construction.
type object map[string]any

// with returns a copy with changes: a nil value removes the member.
func (o object) with(changes object) object {
	o = maps.Clone(o)
	for name, value := range changes {
		if value == nil {
			delete(o, name)
			continue
		}
		o[name] = value
	}
	return o
}

func (o object) json(tb testing.TB) string {
	tb.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// goodClaims are those of a token that the test profile accepts at testNow.
func goodClaims() object {
	return object{
		"iss": testIssuer, "aud": testAudience, "sub": "s-1", "jti": "t-1", "sid": "n-1", "azp": "portal", "acr": "loa2",
		"exp": epoch + 600, "iat": epoch - 60, "nbf": epoch - 60, "auth_time": epoch - 90,
		"account_type": "1", "account_level": 2,
	}
}

func goodHeader(alg string) object { return object{"alg": alg, "kid": "k-" + alg, "typ": "at+jwt"} }

// testSigners are one key of each type and curve, made once.
var testSigners = sync.OnceValue(func() map[string]crypto.Signer {
	must := func(s crypto.Signer, err error) crypto.Signer {
		if err != nil {
			panic(err)
		}
		return s
	}
	ec := func(c elliptic.Curve) crypto.Signer {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		return must(k, err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	rsaKey := must(r, err)
	_, e, err := ed25519.GenerateKey(rand.Reader)
	return map[string]crypto.Signer{
		"RSA": rsaKey, "P-256": ec(elliptic.P256()), "P-384": ec(elliptic.P384()), "P-521": ec(elliptic.P521()),
		"Ed25519": must(e, err),
	}
})

var curveOf = map[string]string{
	"RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
	"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519",
}

func signer(alg string) crypto.Signer { return testSigners()[curveOf[alg]] }

var b64 = base64.RawURLEncoding

// jwkOf writes a public key as a JWK without kid, alg and use.
func jwkOf(public crypto.PublicKey) object {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return object{"kty": "RSA", "n": b64.EncodeToString(k.N.Bytes()), "e": b64.EncodeToString(big.NewInt(int64(k.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			panic(err)
		}
		half := len(point) / 2
		return object{
			"kty": "EC", "crv": k.Curve.Params().Name,
			"x": b64.EncodeToString(point[1 : 1+half]), "y": b64.EncodeToString(point[1+half:]),
		}
	case ed25519.PublicKey:
		return object{"kty": "OKP", "crv": "Ed25519", "x": b64.EncodeToString(k)}
	}
	panic("BUG: key type")
}

// keySet writes a JWK Set.
func keySet(tb testing.TB, keys ...object) []byte {
	tb.Helper()
	return []byte(object{"keys": keys}.json(tb))
}

// keyOf is the test issuer's Key for alg, read from a JWK as any other.
func keyOf(tb testing.TB, alg string) *Key {
	tb.Helper()
	return readKey(tb, jwkOf(signer(alg).Public()).with(object{"kid": "k-" + alg, "alg": alg, "use": "sig"}))
}

func readKey(tb testing.TB, key object) *Key {
	tb.Helper()
	keys, skipped, err := ParseKeySet(keySet(tb, key), KeySetOptions{})
	if err != nil {
		tb.Fatalf("%v: %v", err, skipped)
	}
	return keys[0]
}

// sign makes a compact JWS of any header and payload text.
func sign(tb testing.TB, alg, header, payload string) []byte {
	tb.Helper()
	return signWith(tb, alg, signer(alg), header, payload)
}

func signWith(tb testing.TB, alg string, key any, header, payload string) []byte {
	tb.Helper()
	input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	signature, err := jwt.GetSigningMethod(alg).Sign(input, key)
	if err != nil {
		tb.Fatal(err)
	}
	return []byte(input + "." + b64.EncodeToString(signature))
}

// mint makes a token of the test issuer.
func mint(tb testing.TB, alg string, claims object) []byte {
	tb.Helper()
	return sign(tb, alg, goodHeader(alg).json(tb), claims.json(tb))
}

// keyFunc is a KeySource made of a function.
type keyFunc func(kid, alg string) (*Key, error)

func (f keyFunc) Key(kid, alg string) (*Key, error) { return f(kid, alg) }

// onlyKey offers one key to every token, so that only the binding of the key itself protects it.
func onlyKey(k *Key) KeySource {
	return keyFunc(func(string, string) (*Key, error) { return k, nil })
}

func goodProfile() Profile {
	return Profile{
		Issuer: testIssuer, Algorithms: SupportedAlgorithms(), Audience: []string{testAudience},
		KindClaim: "account_type", KindMap: map[string]Kind{"1": KindCitizen, "2": KindOrganisation, "true": KindOfficer},
		LevelClaim: "account_level",
	}
}

func verifier(tb testing.TB, p Profile) *Verifier {
	tb.Helper()
	v, err := NewVerifier(p)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// verify takes a token the whole way, as the gateway does.
func verify(tb testing.TB, p Profile, raw []byte, keys KeySource, now time.Time) (Verified, error) {
	tb.Helper()
	parsed, err := Parse(raw)
	if err != nil {
		return Verified{}, err
	}
	return verifier(tb, p).Verify(&parsed, keys, now)
}
