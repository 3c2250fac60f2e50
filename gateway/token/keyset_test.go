package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
)

func rsaJWK() object { return jwkOf(testSigners()["RSA"].Public()).with(object{"kid": "r"}) }
func ecJWK() object  { return jwkOf(testSigners()["P-256"].Public()).with(object{"kid": "e"}) }
func edJWK() object  { return jwkOf(testSigners()["Ed25519"].Public()).with(object{"kid": "o"}) }

// modulusOf returns an odd modulus of so many bits: good in form, which is all that is looked at.
func modulusOf(bits int) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return b64.EncodeToString(n.Add(n, big.NewInt(3)).Bytes())
}

// Each fault loses the key that has it, for its own reason, and the good key beside it stays.
func TestFaultyKeyIsSkippedAlone(t *testing.T) {
	t.Parallel()
	r, e, o := rsaJWK(), ecJWK(), edJWK()
	flip := func(encoded any) string {
		raw, err := b64.DecodeString(encoded.(string))
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)-1] ^= 1
		return b64.EncodeToString(raw)
	}
	prefix := func(encoded any) string {
		raw, err := b64.DecodeString(encoded.(string))
		if err != nil {
			t.Fatal(err)
		}
		return b64.EncodeToString(append([]byte{0}, raw...))
	}
	edwards := func(hexText string) object {
		raw, err := hex.DecodeString(hexText)
		if err != nil {
			t.Fatal(err)
		}
		return o.with(object{"x": b64.EncodeToString(raw)})
	}
	cases := []struct {
		name string
		key  any
		want SkipReason
	}{
		{"null", nil, SkipMalformed},
		{"string", "key", SkipMalformed},
		{"array", []int{1}, SkipMalformed},
		{"duplicate member", jsonText(`{"kty":"RSA","kty":"EC"}`), SkipMalformed},
		{"kid number", r.with(object{"kid": 1}), SkipMalformed},
		{"kid too long", r.with(object{"kid": strings.Repeat("k", MaxStringBytes+1)}), SkipMalformed},
		{"kid with line break", r.with(object{"kid": "a\nb"}), SkipMalformed},
		{"n number", r.with(object{"n": 1}), SkipMalformed},
		{"key_ops string", r.with(object{"key_ops": "verify"}), SkipMalformed},
		{"key_ops of numbers", r.with(object{"key_ops": []int{1}}), SkipMalformed},
		{"no kty", r.with(object{"kty": nil}), SkipKeyType},
		{"kty in other case", r.with(object{"kty": "rsa"}), SkipKeyType},
		{"kty unknown", r.with(object{"kty": "AKP"}), SkipKeyType},
		{"oct", object{"kty": "oct", "k": "c2VjcmV0", "kid": "h", "alg": "HS256"}, SkipSymmetric},
		{"RSA with d", r.with(object{"d": "AQAB"}), SkipPrivate},
		{"RSA with p", r.with(object{"p": "AQAB"}), SkipPrivate},
		{"RSA with oth", r.with(object{"oth": []object{}}), SkipPrivate},
		{"EC with d", e.with(object{"d": "AQAB"}), SkipPrivate},
		{"OKP with d", o.with(object{"d": "AQAB"}), SkipPrivate},
		{"RSA with k", r.with(object{"k": "AQAB"}), SkipPrivate},
		{"use enc", r.with(object{"use": "enc"}), SkipUse},
		{"use in other case", r.with(object{"use": "SIG"}), SkipUse},
		{"key_ops sign", r.with(object{"key_ops": []string{"sign"}}), SkipOperations},
		{"key_ops empty", r.with(object{"key_ops": []string{}}), SkipOperations},
		{"alg HS256 on RSA", r.with(object{"alg": "HS256"}), SkipAlgorithm},
		{"alg none", r.with(object{"alg": "none"}), SkipAlgorithm},
		{"alg of encryption", r.with(object{"alg": "RSA-OAEP"}), SkipAlgorithm},
		{"alg ES256 on RSA", r.with(object{"alg": "ES256"}), SkipAlgorithm},
		{"alg RS256 on EC", e.with(object{"alg": "RS256"}), SkipAlgorithm},
		{"alg ES384 on P-256", e.with(object{"alg": "ES384"}), SkipAlgorithm},
		{"alg ES256 on Ed25519", o.with(object{"alg": "ES256"}), SkipAlgorithm},
		{"alg not allowed for the issuer", r.with(object{"alg": "RS512"}), SkipAlgorithm},
		{"no n", r.with(object{"n": nil}), SkipEncoding},
		{"n empty", r.with(object{"n": ""}), SkipEncoding},
		{"n padded", r.with(object{"n": r["n"].(string) + "=="}), SkipEncoding},
		{"n with line break", r.with(object{"n": r["n"].(string) + "\n"}), SkipEncoding},
		{"n with leading zero", r.with(object{"n": prefix(r["n"])}), SkipEncoding},
		{"e with leading zero", r.with(object{"e": "AAEAAQ"}), SkipEncoding},
		{"e 0", r.with(object{"e": "AA"}), SkipEncoding},
		{"e 1", r.with(object{"e": "AQ"}), SkipExponent},
		{"e 3", r.with(object{"e": "Aw"}), SkipExponent},
		{"e even", r.with(object{"e": "AQAA"}), SkipExponent},
		{"e huge", r.with(object{"e": "_____w"}), SkipExponent},
		{"e of 5 bytes", r.with(object{"e": "AQAAAAE"}), SkipExponent},
		{"modulus of 1024 bits", r.with(object{"n": modulusOf(1024)}), SkipModulus},
		{"modulus of 2047 bits", r.with(object{"n": modulusOf(2047)}), SkipModulus},
		{"modulus of 8193 bits", r.with(object{"n": modulusOf(8193)}), SkipModulus},
		{"modulus even", r.with(object{"n": b64.EncodeToString(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes())}), SkipModulus},
		{"crv of another kty", e.with(object{"crv": "Ed25519"}), SkipCurve},
		{"secp256k1", e.with(object{"crv": "secp256k1"}), SkipCurve},
		{"P-224", e.with(object{"crv": "P-224"}), SkipCurve},
		{"no crv", e.with(object{"crv": nil}), SkipCurve},
		{"X25519", o.with(object{"crv": "X25519"}), SkipCurve},
		{"Ed448", o.with(object{"crv": "Ed448"}), SkipCurve},
		{"point off the curve", e.with(object{"y": flip(e["y"])}), SkipPoint},
		{"point at infinity", e.with(object{"x": b64.EncodeToString(make([]byte, 32)), "y": b64.EncodeToString(make([]byte, 32))}), SkipPoint},
		{"coordinate beyond the field", e.with(object{"x": b64.EncodeToString(slices.Repeat([]byte{0xff}, 32))}), SkipPoint},
		{"coordinate too long", e.with(object{"x": prefix(e["x"])}), SkipEncoding},
		{"coordinate too short", e.with(object{"y": "AQAB"}), SkipEncoding},
		{"no y", e.with(object{"y": nil}), SkipEncoding},
		{"P-256 point as P-384", e.with(object{"crv": "P-384"}), SkipEncoding},
		{"Ed25519 too short", o.with(object{"x": "AQAB"}), SkipEncoding},
		{"Ed25519 neutral element", edwards("0100000000000000000000000000000000000000000000000000000000000000"), SkipPoint},
		{"Ed25519 order 2", edwards("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), SkipPoint},
		{"Ed25519 order 4", edwards("0000000000000000000000000000000000000000000000000000000000000000"), SkipPoint},
		{"Ed25519 order 4, negative", edwards("0000000000000000000000000000000000000000000000000000000000000080"), SkipPoint},
		{"Ed25519 order 8, first", edwards("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), SkipPoint},
		{"Ed25519 order 8, second", edwards("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"), SkipPoint},
		{"Ed25519 order 8, third", edwards("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), SkipPoint},
		{"Ed25519 order 8, fourth", edwards("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"), SkipPoint},
		{"Ed25519 y = p", edwards("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), SkipPoint},
		{"Ed25519 y = p + 1", edwards("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), SkipPoint},
		{"Ed25519 negative zero", edwards("0100000000000000000000000000000000000000000000000000000000000080"), SkipPoint},
		{"Ed25519 off the curve", edwards("0200000000000000000000000000000000000000000000000000000000000000"), SkipPoint},
	}
	opts := KeySetOptions{Algorithms: []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"}}
	good := jwkOf(testSigners()["P-384"].Public()).with(object{"kid": "good"})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			keys, skipped, err := ParseKeySet([]byte(object{"keys": []any{c.key, good}}.json(t)), opts)
			if err != nil {
				t.Fatalf("the good key was lost: %v, %v", err, skipped)
			}
			if len(keys) != 1 || keys[0].ID() != "good" {
				t.Errorf("kept %d keys", len(keys))
			}
			if len(skipped) != 1 || skipped[0].Index != 0 || skipped[0].Reason != c.want {
				t.Errorf("skipped %v, want %s", skipped, c.want)
			}
		})
	}
}

// RFC 8032 section 5.1.3: y >= p does not decode, even where y - p is that of a good point.
func TestEdwardsPointHasOneEncoding(t *testing.T) {
	t.Parallel()
	good := 0
	for k := byte(0); k <= 18; k++ {
		canonical := make([]byte, 32)
		canonical[0] = k
		if soundEdwardsPoint(canonical) {
			good++
		}
		other := slices.Repeat([]byte{0xff}, 32) // p = 2^255 - 19
		other[0], other[31] = 0xed+k, 0x7f
		if soundEdwardsPoint(other) {
			t.Errorf("y = p + %d is accepted", k)
		}
	}
	if good == 0 {
		t.Error("no y below 19 is accepted, which proves nothing")
	}
}

func TestGoodKeysAreKept(t *testing.T) {
	t.Parallel()
	r, e, o := rsaJWK(), ecJWK(), edJWK()
	for _, c := range []struct {
		name  string
		key   object
		opts  KeySetOptions
		serve []string
	}{
		{"RSA without alg", r, KeySetOptions{}, []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
		{"RSA without alg, two allowed", r, KeySetOptions{Algorithms: []string{"PS256", "ES256", "RS256"}}, []string{"RS256", "PS256"}},
		{"RSA with alg", r.with(object{"alg": "PS384"}), KeySetOptions{}, []string{"PS384"}},
		{"EC without alg", e, KeySetOptions{}, []string{"ES256"}},
		{"P-521", jwkOf(testSigners()["P-521"].Public()), KeySetOptions{}, []string{"ES512"}},
		{"Ed25519", o.with(object{"alg": "EdDSA", "use": "sig", "key_ops": []string{"sign", "verify"}}), KeySetOptions{}, []string{"EdDSA"}},
		{"without kid", r.with(object{"kid": nil, "alg": "RS256"}), KeySetOptions{}, []string{"RS256"}},
		{"unknown members", r.with(object{"alg": "RS256", "x5c": []string{"MIIB"}, "x_extra": object{"a": 1}, "D": "AQAB"}), KeySetOptions{}, []string{"RS256"}},
		{"exponent 3, allowed", r.with(object{"alg": "RS256", "e": "Aw"}), KeySetOptions{AllowOtherExponents: true}, []string{"RS256"}},
		{"exponent 2^31-1, allowed", r.with(object{"alg": "RS256", "e": "f____w"}), KeySetOptions{AllowOtherExponents: true}, []string{"RS256"}},
		{"modulus of 2048 bits", r.with(object{"alg": "RS256", "n": modulusOf(2048)}), KeySetOptions{}, []string{"RS256"}},
		{"modulus of 8192 bits", r.with(object{"alg": "RS256", "n": modulusOf(8192)}), KeySetOptions{}, []string{"RS256"}},
	} {
		keys, skipped, err := ParseKeySet(keySet(t, c.key), c.opts)
		if err != nil || len(skipped) != 0 || len(keys) != 1 {
			t.Errorf("%s: %v, %v", c.name, err, skipped)
			continue
		}
		if got := keys[0].Algorithms(); !slices.Equal(got, c.serve) {
			t.Errorf("%s: serves %v, want %v", c.name, got, c.serve)
		}
		for _, alg := range SupportedAlgorithms() {
			if keys[0].Serves(alg) != slices.Contains(c.serve, alg) {
				t.Errorf("%s: Serves(%s) is wrong", c.name, alg)
			}
		}
	}
}

func TestExponentsOneAndEvenAreNeverAllowed(t *testing.T) {
	t.Parallel()
	for _, e := range []string{"AQ", "Ag", "AQAA", "gAAAAQ", "_____w"} {
		_, skipped, err := ParseKeySet(keySet(t, rsaJWK().with(object{"e": e})), KeySetOptions{AllowOtherExponents: true})
		if !errors.Is(err, ErrKeySet) || len(skipped) != 1 || skipped[0].Reason != SkipExponent {
			t.Errorf("%s: got %v, %v", e, err, skipped)
		}
	}
}

func TestKeyStateIsThatOfTheJWK(t *testing.T) {
	t.Parallel()
	k := readKey(t, rsaJWK().with(object{"alg": "PS256"}))
	if k.ID() != "r" || k.Algorithm() != "PS256" || k.Type() != "RSA" || k.Withdrawn() {
		t.Errorf("got %q %q %q %v", k.ID(), k.Algorithm(), k.Type(), k.Withdrawn())
	}
	if !k.Public().(*rsa.PublicKey).Equal(testSigners()["RSA"].Public()) {
		t.Error("another RSA key")
	}
	if !readKey(t, ecJWK()).Public().(*ecdsa.PublicKey).Equal(testSigners()["P-256"].Public()) {
		t.Error("another EC key")
	}
	if !readKey(t, edJWK()).Public().(ed25519.PublicKey).Equal(testSigners()["Ed25519"].Public()) {
		t.Error("another Ed25519 key")
	}
}

func TestThumbprintIsThatOfRFC7638(t *testing.T) {
	t.Parallel()
	// RFC 7638 section 3.1.
	k := readKey(t, object{
		"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
		"n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
	})
	got := k.Thumbprint()
	if text := b64.EncodeToString(got[:]); text != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Errorf("RSA: %s", text)
	}
	// RFC 8037 appendix A.3.
	got = readKey(t, object{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}).Thumbprint()
	if text := b64.EncodeToString(got[:]); text != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("OKP: %s", text)
	}
}

func TestAmbiguousKeysAreSkipped(t *testing.T) {
	t.Parallel()
	r, e, o := rsaJWK(), ecJWK(), edJWK()
	other := r.with(object{"n": modulusOf(2048)})
	type skips map[int]SkipReason
	for _, c := range []struct {
		name string
		keys []object
		want skips
	}{
		{"different kids", []object{r, other.with(object{"kid": "r2"}), e, o}, skips{}},
		{"same kid, different kty", []object{r.with(object{"kid": "k"}), e.with(object{"kid": "k"}), o.with(object{"kid": "k"})}, skips{}},
		{"same kid and key, different alg", []object{r.with(object{"alg": "RS256"}), r.with(object{"alg": "PS256"})}, skips{}},
		{"same key twice", []object{r, r, e}, skips{1: SkipDuplicate}},
		{"same kid, different keys", []object{r, other, e}, skips{0: SkipDuplicate, 1: SkipDuplicate}},
		{"same kid, overlapping alg", []object{r, other.with(object{"alg": "RS256"}), e}, skips{0: SkipDuplicate, 1: SkipDuplicate}},
		{"same kid three times", []object{r, other, r, e}, skips{0: SkipDuplicate, 1: SkipDuplicate, 2: SkipDuplicate}},
		{"no kid, one of each kty", []object{r.with(object{"kid": nil}), e.with(object{"kid": nil}), o.with(object{"kid": nil})}, skips{}},
		{"no kid twice", []object{r.with(object{"kid": nil}), other.with(object{"kid": nil}), e}, skips{0: SkipNoID, 1: SkipNoID}},
		{"no kid beside one with", []object{r, other.with(object{"kid": nil}), e}, skips{1: SkipNoID}},
		{"no kid before one with", []object{other.with(object{"kid": nil}), r, e}, skips{0: SkipNoID}},
		{"no kid beside one for encryption", []object{r.with(object{"kid": nil}), other.with(object{"kid": nil, "use": "enc"})}, skips{1: SkipUse}},
	} {
		keys, skipped, err := ParseKeySet(keySet(t, c.keys...), KeySetOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		got := skips{}
		for _, s := range skipped {
			got[s.Index] = s.Reason
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) || len(keys) != len(c.keys)-len(c.want) {
			t.Errorf("%s: skipped %v, want %v; kept %d", c.name, got, c.want, len(keys))
		}
	}
}

// Whatever comes instead of a key set must be an error, lest it wipe a good set.
func TestUnusableKeySetIsAnError(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		keys := make([]object, n)
		for i := range keys {
			keys[i] = ecJWK().with(object{"kid": fmt.Sprint(i)})
		}
		return string(keySet(t, keys...))
	}
	good := string(keySet(t, ecJWK()))
	key := ecJWK().json(t)
	for name, text := range map[string]string{
		"empty":                  "",
		"null":                   `null`,
		"array":                  `[` + key + `]`,
		"page":                   `<html>`,
		"no keys":                `{}`,
		"keys null":              `{"keys":null}`,
		"keys empty":             `{"keys":[]}`,
		"keys object":            `{"keys":` + key + `}`,
		"keys string":            `{"keys":"x"}`,
		"keys in other case":     `{"Keys":[` + key + `]}`,
		"keys twice":             `{"keys":[` + key + `],"keys":[` + key + `]}`,
		"keys twice, escaped":    `{"keys":[` + key + `],"\u006beys":[]}`,
		"data after it":          good + `{}`,
		"cut off":                good[:len(good)-1],
		"cut off in the array":   good[:len(good)-2],
		"invalid UTF-8":          `{"x":"` + "\xff" + `","keys":[` + key + `]}`,
		"no usable key":          `{"keys":[{"kty":"oct","k":"AA"}]}`,
		"too many keys":          many(MaxKeys + 1),
		"too many bytes":         `{"keys":[` + key + `]` + strings.Repeat(" ", MaxKeySetBytes) + `}`,
		"nested without end":     `{"keys":` + strings.Repeat("[", 20_000),
		"nested very deep":       `{"keys":[` + key + `],"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
		"key nested in an array": `{"keys":[[` + key + `]]}`,
	} {
		if keys, _, err := ParseKeySet([]byte(text), KeySetOptions{}); !errors.Is(err, ErrKeySet) || keys != nil {
			t.Errorf("%s: got %d keys, %v", name, len(keys), err)
		}
	}
	if keys, _, err := ParseKeySet([]byte(many(MaxKeys)), KeySetOptions{}); err != nil || len(keys) != MaxKeys {
		t.Errorf("most keys: got %d, %v", len(keys), err)
	}
}
