package token

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// One test for each section of RFC 8725, JSON Web Token Best Current Practices, section 3.

// Section 3.1: perform algorithm verification. Every algorithm in the header against every type of key: only the
// algorithm that the key is bound to verifies, and only by a signature that is truly the key's.
func TestRFC8725_3_1_AlgorithmIsTheKeysNotTheHeaders(t *testing.T) {
	t.Parallel()
	for _, keyAlg := range SupportedAlgorithms() {
		for _, headerAlg := range SupportedAlgorithms() {
			t.Run(headerAlg+" under a key for "+keyAlg, func(t *testing.T) {
				t.Parallel()
				// The key is offered whatever the header says, so that nothing but its binding is in the way.
				raw := sign(t, headerAlg, goodHeader(headerAlg).json(t), goodClaims().json(t))
				_, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, keyAlg)), testNow)
				var want error
				if headerAlg != keyAlg {
					want = ErrAlgorithm
				}
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			})
		}
	}
}

func TestRFC8725_3_1_KeyWithoutAlgorithmServesItsTypeOnly(t *testing.T) {
	t.Parallel()
	for curve, s := range testSigners() {
		key := readKey(t, jwkOf(s.Public()))
		for _, alg := range SupportedAlgorithms() {
			_, err := verify(t, goodProfile(), mint(t, alg, goodClaims()), onlyKey(key), testNow)
			var want error
			if curveOf[alg] != curve {
				want = ErrAlgorithm
			}
			if !errors.Is(err, want) {
				t.Errorf("%s under a key of %s: got %v, want %v", alg, curve, err, want)
			}
		}
	}
}

func TestRFC8725_3_1_AlgorithmMustBeTheIssuers(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.Algorithms = []string{"PS256", "ES384"}
	for _, alg := range SupportedAlgorithms() {
		_, err := verify(t, p, mint(t, alg, goodClaims()), onlyKey(keyOf(t, alg)), testNow)
		var want error
		if alg != "PS256" && alg != "ES384" {
			want = ErrAlgorithm
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", alg, err, want)
		}
	}
}

// The classic: a public key, as the verifier has it, used as the secret of an HMAC.
func TestRFC8725_3_1_PublicKeyIsNoSecret(t *testing.T) {
	t.Parallel()
	der, err := x509.MarshalPKIXPublicKey(testSigners()["RSA"].Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"HS256", "HS384", "HS512"} {
		for _, secret := range [][]byte{der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), {}} {
			raw := signWith(t, alg, secret, goodHeader(alg).json(t), goodClaims().json(t))
			if _, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "RS256")), testNow); !errors.Is(err, ErrAlgorithm) {
				t.Errorf("%s: got %v", alg, err)
			}
		}
	}
}

// Section 3.2: use appropriate algorithms. No "none", in no spelling, and no profile can ask for it.
func TestRFC8725_3_2_NoneIsNoAlgorithm(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "RS1", "HS256"} {
		for _, signature := range []string{"", ".", ".AA"} {
			raw := unsigned(object{"alg": alg, "kid": "k-RS256"}.json(t), goodClaims().json(t))
			raw = append(raw[:len(raw)-len(".c2ln")], signature...)
			if _, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "RS256")), testNow); err == nil {
				t.Errorf("alg %q, signature %q: passed", alg, signature)
			}
		}
		p := goodProfile()
		p.Algorithms = []string{alg}
		if _, err := NewVerifier(p); !errors.Is(err, ErrProfile) {
			t.Errorf("profile with %q: %v", alg, err)
		}
		if _, _, err := ParseKeySet(keySet(t, rsaJWK().with(object{"alg": alg + "x"})), KeySetOptions{}); !errors.Is(err, ErrKeySet) {
			t.Errorf("key for %q: %v", alg+"x", err)
		}
	}
}

// Section 3.3: validate all cryptographic operations: one token, one signature, all of it must hold.
func TestRFC8725_3_3_EveryBitOfTheTokenIsProved(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		raw := mint(t, alg, goodClaims())
		key, v := keyOf(t, alg), verifier(t, goodProfile())
		step := 1
		if testing.Short() || alg == "ES256" {
			step = 7
		}
		for i := 0; i < len(raw); i += step {
			forged := []byte(string(raw))
			for _, other := range []byte("Aw-.") {
				if forged[i] = other; other == raw[i] {
					continue
				}
				p, err := Parse(forged)
				if err != nil {
					continue
				}
				if _, err := v.Verify(&p, onlyKey(key), testNow); err == nil {
					t.Fatalf("%s: passed with byte %d changed", alg, i)
				}
			}
		}
	}
}

func TestRFC8725_3_3_SignatureLengthIsExact(t *testing.T) {
	t.Parallel()
	for _, alg := range SupportedAlgorithms() {
		raw := string(mint(t, alg, goodClaims()))
		dot := strings.LastIndexByte(raw, '.')
		signature, err := b64.DecodeString(raw[dot+1:])
		if err != nil {
			t.Fatal(err)
		}
		half := len(signature) / 2
		for name, changed := range map[string][]byte{
			"one byte less":      signature[:len(signature)-1],
			"one byte more":      append([]byte(string(signature)), 0),
			"leading zero":       append([]byte{0}, signature...),
			"half":               signature[:half],
			"twice":              append([]byte(string(signature)), signature...),
			"zeros in each half": append(append([]byte{0}, signature[:half]...), append([]byte{0}, signature[half:]...)...),
			"all zero":           make([]byte, len(signature)),
			"one byte":           {1},
		} {
			forged := raw[:dot+1] + b64.EncodeToString(changed)
			if _, err := verify(t, goodProfile(), []byte(forged), onlyKey(keyOf(t, alg)), testNow); !errors.Is(err, ErrSignature) {
				t.Errorf("%s, %s: got %v", alg, name, err)
			}
		}
	}
}

// RFC 7518 section 3.5: the salt of PS256 is 32 bytes; golang-jwt by itself takes any length.
func TestRFC8725_3_3_SaltLengthIsExact(t *testing.T) {
	t.Parallel()
	shortSalt := *jwt.SigningMethodPS256
	options := *shortSalt.Options
	options.SaltLength = 20
	shortSalt.Options = &options
	input := b64.EncodeToString([]byte(goodHeader("PS256").json(t))) + "." + b64.EncodeToString([]byte(goodClaims().json(t)))
	signature, err := shortSalt.Sign(input, signer("PS256"))
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte(input + "." + b64.EncodeToString(signature))
	if _, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "PS256")), testNow); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v", err)
	}
}

// Section 3.4: validate cryptographic inputs: points are on their curves.
func TestRFC8725_3_4_PointsAreOnTheirCurves(t *testing.T) {
	t.Parallel()
	for _, curve := range []string{"P-256", "P-384", "P-521"} {
		key := jwkOf(testSigners()[curve].Public())
		x := key["x"]
		key["x"], key["y"] = key["y"], x
		_, skipped, err := ParseKeySet(keySet(t, key), KeySetOptions{})
		if !errors.Is(err, ErrKeySet) || len(skipped) != 1 || skipped[0].Reason != SkipPoint {
			t.Errorf("%s: %v, %v", curve, err, skipped)
		}
	}
}

// Section 3.5: ensure cryptographic keys have sufficient entropy.
func TestRFC8725_3_5_SmallAndWeakKeysAreNotLoaded(t *testing.T) {
	t.Parallel()
	for reason, change := range map[SkipReason]object{
		SkipModulus:  {"n": modulusOf(1024)},
		SkipExponent: {"e": "AQ"},
	} {
		_, skipped, err := ParseKeySet(keySet(t, rsaJWK().with(change)), KeySetOptions{})
		if !errors.Is(err, ErrKeySet) || len(skipped) != 1 || skipped[0].Reason != reason {
			t.Errorf("%s: %v, %v", reason, err, skipped)
		}
	}
	_, skipped, _ := ParseKeySet(keySet(t, object{"kty": "oct", "k": "cGFzc3dvcmQ", "alg": "HS256"}), KeySetOptions{})
	if len(skipped) != 1 || skipped[0].Reason != SkipSymmetric {
		t.Errorf("a password as key: %v", skipped)
	}
}

// Section 3.6: avoid compression of encryption inputs.
func TestRFC8725_3_6_CompressedAndEncryptedTokensAreRefused(t *testing.T) {
	t.Parallel()
	for _, header := range []object{
		{"alg": "RS256", "zip": "DEF"},
		{"alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF"},
		{"alg": "dir", "enc": "A256GCM"},
	} {
		if _, err := Parse(unsigned(header.json(t), goodClaims().json(t))); !errors.Is(err, ErrCritical) {
			t.Errorf("%v: got %v", header, err)
		}
	}
	if _, err := Parse([]byte("e30.e30.e30.e30.e30")); !errors.Is(err, ErrMalformed) {
		t.Errorf("five segments: got %v", err)
	}
}

// Section 3.7: use UTF-8.
func TestRFC8725_3_7_OnlyUTF8(t *testing.T) {
	t.Parallel()
	key := onlyKey(keyOf(t, "EdDSA"))
	utf16 := "\xff\xfe{\x00}\x00"
	for name, c := range map[string]struct{ header, payload string }{
		"UTF-16 header":        {utf16, goodClaims().json(t)},
		"UTF-16 payload":       {goodHeader("EdDSA").json(t), utf16},
		"invalid in a string":  {goodHeader("EdDSA").json(t), strings.Replace(goodClaims().json(t), "s-1", "s-\xe1\xbb", 1)},
		"overlong encoding":    {goodHeader("EdDSA").json(t), strings.Replace(goodClaims().json(t), "s-1", "s-\xc0\xaf", 1)},
		"encoded surrogate":    {goodHeader("EdDSA").json(t), strings.Replace(goodClaims().json(t), "s-1", "s-\xed\xa0\x80", 1)},
		"lone surrogate":       {goodHeader("EdDSA").json(t), strings.Replace(goodClaims().json(t), "s-1", `s-\udead`, 1)},
		"in a claim not used":  {goodHeader("EdDSA").json(t), strings.Replace(goodClaims().json(t), "{", "{\"x\":\"\xff\",", 1)},
		"in a header not used": {strings.Replace(goodHeader("EdDSA").json(t), "{", "{\"x\":\"\xff\",", 1), goodClaims().json(t)},
	} {
		if _, err := verify(t, goodProfile(), sign(t, "EdDSA", c.header, c.payload), key, testNow); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	raw := mint(t, "EdDSA", goodClaims().with(object{"sub": "Nguyễn-𠀀"}))
	if got, err := verify(t, goodProfile(), raw, key, testNow); err != nil || got.Claims.Subject != "Nguyễn-𠀀" {
		t.Errorf("valid UTF-8: %v", err)
	}
}

// Section 3.8: validate issuer and subject.
func TestRFC8725_3_8_IssuerIsComparedExactly(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{
		"https://other.example", testIssuer + "/", testIssuer + ".", "HTTPS://issuer.example", "https://ISSUER.example",
		testIssuer + ":443", " " + testIssuer, testIssuer + "?", "https://iſſuer.example", testIssuer[:len(testIssuer)-1],
	} {
		raw := mint(t, "ES256", goodClaims().with(object{"iss": issuer}))
		if _, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "ES256")), testNow); !errors.Is(err, ErrIssuer) {
			t.Errorf("%q: got %v", issuer, err)
		}
	}
}

// The keys must be the issuer's own: the same token under another issuer's key of the same kid fails.
func TestRFC8725_3_8_KeysBelongToTheIssuer(t *testing.T) {
	t.Parallel()
	others := readKey(t, rfc7515P256Key.with(object{"kid": "k-ES256", "alg": "ES256"}))
	if _, err := verify(t, goodProfile(), mint(t, "ES256", goodClaims()), onlyKey(others), testNow); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v", err)
	}
}

// Section 3.9: use and validate audience.
func TestRFC8725_3_9_AudienceIsOurs(t *testing.T) {
	t.Parallel()
	runClaimCases(t, goodProfile(), []claimCase{
		{"ours", nil, nil},
		{"another's", object{"aud": "https://other.example"}, ErrAudience},
		{"nobody's", object{"aud": nil}, ErrClaimMissing},
	})
	p := goodProfile()
	p.Audience = nil
	if _, err := NewVerifier(p); !errors.Is(err, ErrProfile) {
		t.Errorf("a profile without audience: %v", err)
	}
}

// Section 3.10: do not trust received claims: what the header says about keys is not looked at, and kid is a name.
func TestRFC8725_3_10_TokenDoesNotBringItsOwnKey(t *testing.T) {
	t.Parallel()
	mine := readKey(t, rfc7515P256Key.with(object{"kid": "k-ES256", "alg": "ES256"}))
	for name, value := range map[string]any{
		"jwk": jwkOf(signer("ES256").Public()), "jku": "https://evil.example/jwks", "x5u": "https://evil.example/chain",
		"x5c": []string{"MIIB"}, "x5t": "AAAA", "x5t#S256": "AAAA",
	} {
		header := goodHeader("ES256").with(object{name: value}).json(t)
		raw := sign(t, "ES256", header, goodClaims().json(t))
		if _, err := verify(t, goodProfile(), raw, onlyKey(mine), testNow); !errors.Is(err, ErrSignature) {
			t.Errorf("%s, signed by the key it brings: got %v", name, err)
		}
		if _, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "ES256")), testNow); err != nil {
			t.Errorf("%s, signed by the issuer's key: got %v", name, err)
		}
	}
	for _, kid := range []string{"../../etc/passwd", "' OR 1=1 --", "https://evil.example", "k-ES256/", "K-ES256"} {
		asked := ""
		source := keyFunc(func(kid, _ string) (*Key, error) { asked = kid; return nil, ErrKeyUnknown })
		raw := sign(t, "ES256", goodHeader("ES256").with(object{"kid": kid}).json(t), goodClaims().json(t))
		if _, err := verify(t, goodProfile(), raw, source, testNow); !errors.Is(err, ErrKeyUnknown) || asked != kid {
			t.Errorf("kid %q: asked for %q, got %v", kid, asked, err)
		}
	}
}

// Section 3.11: use explicit typing, and 3.12: use mutually exclusive validation rules for different kinds of JWTs.
func TestRFC8725_3_11_TypeIsListed(t *testing.T) {
	t.Parallel()
	strict := goodProfile()
	strict.Types = []string{"application/at+jwt"}
	for _, c := range []struct {
		typ             any
		byDefault, only error // by default; where only at+jwt is allowed
	}{
		{"at+jwt", nil, nil},
		{"AT+JWT", nil, nil},
		{"application/at+jwt", nil, nil},
		{"Application/AT+jwt", nil, nil},
		{"JWT", nil, ErrType},
		{"jwt", nil, ErrType},
		{"application/jwt", nil, ErrType},
		{nil, nil, ErrType},
		{"", nil, ErrType},
		{"logout+jwt", ErrType, ErrType},
		{"secevent+jwt", ErrType, ErrType},
		{"dpop+jwt", ErrType, ErrType},
		{"statuslist+jwt", ErrType, ErrType},
		{"id_token+jwt", ErrType, ErrType},
		{"id+jwt", ErrType, ErrType},
		{"at+jwt ", ErrType, ErrType},
		{"xapplication/at+jwt", ErrType, ErrType},
		{"application/application/at+jwt", ErrType, ErrType},
		{"application/at+jwt/x", ErrType, ErrType},
		{"application/", ErrType, ErrType},
		{"text/at+jwt", ErrType, ErrType},
		{"at+ȷwt", ErrType, ErrType},
	} {
		raw := sign(t, "ES256", goodHeader("ES256").with(object{"typ": c.typ}).json(t), goodClaims().json(t))
		if _, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "ES256")), testNow); !errors.Is(err, c.byDefault) {
			t.Errorf("typ %v: got %v, want %v", c.typ, err, c.byDefault)
		}
		if _, err := verify(t, strict, raw, onlyKey(keyOf(t, "ES256")), testNow); !errors.Is(err, c.only) {
			t.Errorf("typ %v where only at+jwt is allowed: got %v, want %v", c.typ, err, c.only)
		}
	}
}

func TestRFC8725_3_11_TypeIsFoldedAsASCII(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"ſk+jwt", "sK+jwt"} {
		if typeAllowed([]string{"sk+jwt"}, []byte(typ)) {
			t.Errorf("%q stands for sk+jwt", typ)
		}
	}
	if !typeAllowed([]string{"sk+jwt"}, []byte("SK+JWT")) {
		t.Error("case is not ignored")
	}
}

// Section 3.12: a kind of JWT that shares issuer, keys and audience with access tokens is kept out by its typ.
func TestRFC8725_3_12_LogoutTokenIsNoAccessToken(t *testing.T) {
	t.Parallel()
	claims := goodClaims().with(object{"events": object{"http://schemas.openid.net/event/backchannel-logout": object{}}})
	raw := sign(t, "RS256", goodHeader("RS256").with(object{"typ": "logout+jwt"}).json(t), claims.json(t))
	if _, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "RS256")), testNow); !errors.Is(err, ErrType) {
		t.Errorf("got %v", err)
	}
}
