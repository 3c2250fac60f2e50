package corpus_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const (
	issuer   = "https://sso.example.vn/realms/citizen"
	audience = "tthc"
)

var now = time.Unix(1_750_000_000, 0)

// sharedKey saves the tests that do not care for the algorithm the making of an RSA key.
var sharedKey = sync.OnceValue(func() *corpus.Key {
	key, err := corpus.NewKey("ES256", "kid-1")
	if err != nil {
		panic(err)
	}
	return key
})

func TestEveryAlgorithmVerifiesUnderItsPublishedKey(t *testing.T) {
	t.Parallel()
	for _, alg := range corpus.Algorithms() {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			key := must(corpus.NewKey(alg, "kid-"+alg))(t)
			raw := must(corpus.NewToken(issuer, audience, now).Sign(key))(t)
			public := fromJWK(t, key.PublicJWK())
			if !public.(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()) {
				t.Fatal("the published key is not the key's public half")
			}
			token, err := parse(raw, alg, public)
			if err != nil {
				t.Fatal(err)
			}
			if token.Header["kid"] != "kid-"+alg || token.Header["typ"] != "at+jwt" {
				t.Fatalf("header %v", token.Header)
			}
		})
	}
}

func TestAKeySetHoldsPublicPartsOnly(t *testing.T) {
	t.Parallel()
	rsaKey := must(corpus.NewRSAKey("RS256", "kid-2", 1024))(t)
	edKey := must(corpus.NewKey("EdDSA", "kid-3"))(t)
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(corpus.KeySetJSON(sharedKey(), rsaKey, edKey), &set); err != nil {
		t.Fatal(err)
	}
	want := []string{"alg crv kid kty use x y", "alg e kid kty n use", "alg crv kid kty use x"}
	for i, members := range want {
		for name := range strings.FieldsSeq(members) {
			if set.Keys[i][name] == "" {
				t.Errorf("key %d lacks %q", i, name)
			}
		}
		if len(set.Keys[i]) != len(strings.Fields(members)) {
			t.Errorf("key %d has members beyond %q: %d", i, members, len(set.Keys[i]))
		}
	}
	if got := string(corpus.KeySetJSON()); got != `{"keys":[]}` {
		t.Errorf("a set without keys is %s", got)
	}
}

func TestANameThatIsNoAlgorithmMakesNoKey(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"", "none", "HS256", "rs256", "Ed25519"} {
		if _, err := corpus.NewKey(alg, "kid"); !errors.Is(err, corpus.ErrAlgorithm) {
			t.Errorf("NewKey(%q): %v", alg, err)
		}
	}
	if _, err := corpus.NewRSAKey("ES256", "kid", 2048); !errors.Is(err, corpus.ErrAlgorithm) {
		t.Errorf("NewRSAKey of ES256: %v", err)
	}
}

func TestATokenStatesACitizenInTheDefaultShape(t *testing.T) {
	t.Parallel()
	claims := claimsOf(t, must(corpus.NewToken(issuer, audience, now).Sign(sharedKey()))(t))
	for name, want := range map[string]any{
		"iss": issuer, "aud": audience, "azp": audience, "acr": "1", "account_type": "1", "account_level": 2.0,
		"iat": 1_750_000_000.0, "nbf": 1_750_000_000.0, "auth_time": 1_750_000_000.0, "exp": 1_750_001_800.0,
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	for name, pattern := range map[string]string{
		"sub": uuidPattern, "jti": uuidPattern, "sid": uuidPattern, "preferred_username": `^000\d{9}$`,
	} {
		if value := fmt.Sprint(claims[name]); !regexp.MustCompile(pattern).MatchString(value) {
			t.Errorf("%s is %q", name, value)
		}
	}
}

const uuidPattern = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`

func TestClaimNamesAndOverridesDecideWhatIsWritten(t *testing.T) {
	t.Parallel()
	token := corpus.NewToken(issuer, audience, now).Organisation()
	token.Audience = []string{"a", "b"}
	token.Type = ""
	token.Names.AccountKind = "accountType"
	token.Claims = map[string]any{"acr": nil, "roles": "x"}
	token.Header = map[string]any{"crit": []string{"exp"}}
	raw := must(token.Sign(sharedKey()))(t)
	claims := claimsOf(t, raw)
	if claims["accountType"] != "2" || claims["roles"] != "x" || fmt.Sprint(claims["aud"]) != "[a b]" {
		t.Errorf("claims %v", claims)
	}
	for _, name := range []string{"account_type", "account_level", "preferred_username", "acr"} {
		if _, found := claims[name]; found {
			t.Errorf("%s is written", name)
		}
	}
	header := segment(t, raw, 0)
	if _, found := header["typ"]; found || header["crit"] == nil {
		t.Errorf("header %v", header)
	}
}

func TestPaddingReachesTheWantedSize(t *testing.T) {
	t.Parallel()
	token := corpus.NewToken(issuer, audience, now)
	token.Size = 0
	bare := len(must(token.Sign(sharedKey()))(t))
	for size := bare + 1; size < bare+200; size++ {
		token.Size = size
		got := len(must(token.Sign(sharedKey()))(t))
		if got < size || got > size+20 {
			t.Fatalf("a token of size %d has %d bytes", size, got)
		}
	}
}

func TestEachFaultIsTheOnlyThingWrong(t *testing.T) {
	t.Parallel()
	want := map[corpus.Fault]error{
		corpus.Expired:       jwt.ErrTokenExpired,
		corpus.NotYetValid:   jwt.ErrTokenNotValidYet,
		corpus.Forged:        jwt.ErrTokenSignatureInvalid,
		corpus.WrongAudience: jwt.ErrTokenInvalidAudience,
		corpus.WrongIssuer:   jwt.ErrTokenInvalidIssuer,
		corpus.AlgNone:       jwt.ErrTokenSignatureInvalid, // golang-jwt says so of an algorithm that is not allowed.
		corpus.UnknownKid:    errUnknownKid,
		corpus.Altered:       jwt.ErrTokenSignatureInvalid,
		corpus.Truncated:     jwt.ErrTokenSignatureInvalid,
	}
	token := corpus.NewToken(issuer, audience, now)
	for _, fault := range corpus.Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			raw := must(token.SignFaulty(sharedKey(), fault))(t)
			_, err := parse(raw, "ES256", sharedKey().Public())
			if want[fault] == nil || !errors.Is(err, want[fault]) {
				t.Fatalf("got %v, want %v", err, want[fault])
			}
			for name, other := range want {
				if name != fault && errors.Is(err, other) && !errors.Is(want[fault], other) {
					t.Errorf("it is also %v", other)
				}
			}
		})
	}
	if _, err := token.SignFaulty(sharedKey(), "no such fault"); !errors.Is(err, corpus.ErrFault) {
		t.Errorf("an unknown fault gives %v", err)
	}
	if token.Header != nil {
		t.Error("making faulty tokens changed the token they were made of")
	}
}

func TestABareTokenCanBeSignedAsItStands(t *testing.T) {
	t.Parallel()
	raw := must(sharedKey().SignCompact([]byte(`{"alg":"ES256","kid":"kid-1"}`), []byte(`{"aud":"other","aud":"tthc"}`)))(t)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	if err != nil || string(payload) != `{"aud":"other","aud":"tthc"}` {
		t.Fatalf("payload %s, %v", payload, err)
	}
	if _, err = parse(raw, "ES256", sharedKey().Public()); errors.Is(err, jwt.ErrTokenSignatureInvalid) {
		t.Fatal(err)
	}
}

var errUnknownKid = errors.New("unknown kid")

func parse(raw, alg string, public crypto.PublicKey) (*jwt.Token, error) {
	return jwt.Parse(raw, func(token *jwt.Token) (any, error) {
		if kid, _ := token.Header["kid"].(string); !strings.HasPrefix(kid, "kid-") {
			return nil, errUnknownKid
		}
		return public, nil
	},
		jwt.WithValidMethods([]string{alg}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return now }))
}

func fromJWK(t *testing.T, jwk corpus.JWK) crypto.PublicKey {
	t.Helper()
	decode := func(s string) []byte { return must(base64.RawURLEncoding.DecodeString(s))(t) }
	switch jwk.KeyType {
	case "RSA":
		return &rsa.PublicKey{N: new(big.Int).SetBytes(decode(jwk.Modulus)), E: int(new(big.Int).SetBytes(decode(jwk.Exponent)).Int64())}
	case "EC":
		curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[jwk.Curve]
		return must(ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, decode(jwk.X)...), decode(jwk.Y)...)))(t)
	case "OKP":
		return ed25519.PublicKey(decode(jwk.X))
	}
	t.Fatalf("key type %q", jwk.KeyType)
	return nil
}

func claimsOf(t *testing.T, raw string) map[string]any { return segment(t, raw, 1) }

func segment(t *testing.T, raw string, i int) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[i]))(t), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func must[V any](value V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestAPrivateKeyIsExportedAsPKCS8AndPublicHalvesAgree(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		key, err := corpus.NewKey(alg, "kid")
		if err != nil {
			t.Fatal(err)
		}
		block, rest := pem.Decode(key.PrivatePEM())
		if block == nil || block.Type != "PRIVATE KEY" || len(rest) > 0 {
			t.Fatalf("%s: %s", alg, key.PrivatePEM())
		}
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if signer, ok := private.(crypto.Signer); !ok || !reflect.DeepEqual(signer.Public(), key.Public()) {
			t.Errorf("%s: %T", alg, private)
		}
	}
}

func TestTheClaimSetIsWhatATokenSays(t *testing.T) {
	t.Parallel()
	token := corpus.NewToken("http://issuer.example", "tthc", time.Unix(1_800_000_000, 0))
	token.Claims = map[string]any{"further": "claim", "acr": nil}
	set := token.ClaimSet()
	for name, want := range map[string]any{
		"iss": "http://issuer.example", "aud": "tthc", "exp": int64(1_800_001_800), "account_level": 2, "further": "claim",
		"acr": nil, "padding": nil,
	} {
		if set[name] != want {
			t.Errorf("%s is %v, want %v", name, set[name], want)
		}
	}
}

func TestKeyIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"RS256", "PS384", "ES256", "ES512", "EdDSA"} {
		made, err := corpus.NewKey(alg, "a")
		if err != nil {
			t.Fatal(err)
		}
		read, err := corpus.ParseKey(alg, "a", made.PrivatePEM())
		if err != nil || read.PublicJWK() != made.PublicJWK() {
			t.Errorf("%s: %v", alg, err)
			continue
		}
		if twin, err := read.Twin(); err != nil || twin.PublicJWK() == made.PublicJWK() || twin.Algorithm() != alg {
			t.Errorf("%s: its twin: %v", alg, err)
		}
		for _, other := range corpus.Algorithms() {
			_, err := corpus.ParseKey(other, "a", made.PrivatePEM())
			// An RSA key serves all RS and PS algorithms.
			fits := other == alg || made.PublicJWK().KeyType == "RSA" && (other[0] == 'R' || other[0] == 'P')
			if fits != (err == nil) || err != nil && !errors.Is(err, corpus.ErrAlgorithm) {
				t.Errorf("%s as %s: %v", alg, other, err)
			}
		}
	}
	for _, broken := range []string{"", "secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"} {
		if _, err := corpus.ParseKey("EdDSA", "a", []byte(broken)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", broken, err)
		}
	}
}
