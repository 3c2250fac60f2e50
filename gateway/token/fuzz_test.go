package token

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// taxonomy is every sentinel that Parse, Verify, Introspected and Confirmed may wrap.
var taxonomy = []error{
	ErrTooLarge, ErrMalformed, ErrCritical, ErrAlgorithm, ErrType, ErrIssuer, ErrKeyUnknown, ErrKeyWithdrawn, ErrSignature,
	ErrExpired, ErrNotYetValid, ErrIssuedInFuture, ErrLifetime, ErrAudience, ErrClaimMissing, ErrClaimInvalid, ErrInactive,
}

// wrapsOne reports whether an error wraps exactly one sentinel.
func wrapsOne(err error) bool {
	wrapped := 0
	for _, sentinel := range taxonomy {
		if errors.Is(err, sentinel) {
			wrapped++
		}
	}
	return wrapped == 1
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "..", rfc7515HS256, rfc7515RS256, rfc7515ES256, rfc7515None, rfc7515ES512, "e30.e30.AA",
		string(unsigned(plainHeader, plainPayload)), string(unsigned(plainHeader, manyMembers(maxMembers))),
		string(unsigned(`{"alg":"RS256","crit":["b64"],"b64":false}`, plainPayload)), strings.Repeat(".", 300),
		string(unsigned(plainHeader, `{"iss":"i","x":`+nested(maxDepth-1)+`}`)),
	} {
		f.Add([]byte(seed))
	}
	v, key := verifier(f, goodProfile()), keyOf(f, "ES256")
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := string(raw)
		p, err := Parse(raw)
		if err == nil {
			if p.Issuer == "" || p.Algorithm() == "" || len(p.signature) == 0 || string(p.signingInput)+"." != before[:strings.LastIndexByte(before, '.')+1] {
				t.Fatalf("accepted with %+v", p)
			}
			// Nobody but the issuer makes a token that passes.
			if _, err = v.Verify(&p, onlyKey(key), testNow); err == nil {
				t.Fatal("forged")
			}
		}
		if !wrapsOne(err) {
			t.Fatalf("not of the taxonomy: %v", err)
		}
		// Whatever was refused for more than its form is a JWT to all.
		if !HasJOSEHeader(raw) && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
			t.Fatalf("no header, but %v", err)
		}
		if string(raw) != before {
			t.Fatal("the caller's bytes were changed")
		}
	})
}

// Whatever is accepted here is accepted by golang-jwt's own parser under the same options: no strictness of ours opens
// what theirs closes. The fuzzer writes header and payload; the signature is good.
func FuzzVerifyDifferential(f *testing.F) {
	good := goodClaims().json(f)
	header := goodHeader("EdDSA").json(f)
	for _, payload := range []string{
		good, strings.Replace(good, "1750000600", "1750000600.5", 1), strings.Replace(good, `"tthc"`, `["a","tthc"]`, 1),
		strings.Replace(good, `"tthc"`, `null`, 1), strings.Replace(good, `"nbf":`, `"nbf":0,"x":`, 1),
		strings.Replace(good, "iss", `\u0069ss`, 1), strings.Replace(good, `"exp"`, `"EXP"`, 1), `{}`, `null`,
		`{"x":1e999,` + good[1:], `{"x":[-1` + strings.Repeat("0", 309) + `],` + good[1:],
	} {
		f.Add([]byte(header), []byte(payload), int64(0), uint8(0))
		f.Add([]byte(header), []byte(payload), int64(600), uint8(3))
	}
	f.Add([]byte(` {"alg":"EdDSA","typ":"jwt","x":[{}]}`), []byte(good), int64(-60), uint8(200))
	private, key := signer("EdDSA"), keyOf(f, "EdDSA")
	f.Fuzz(func(t *testing.T, header, payload []byte, offset int64, leeway uint8) {
		if len(header)+len(payload) > 4096 {
			return
		}
		raw := signWith(t, "EdDSA", private, string(header), string(payload))
		now := time.Unix(epoch+offset%100_000, 0)
		p := goodProfile()
		p.Leeway = time.Duration(leeway) * time.Second
		got, err := verify(t, p, raw, onlyKey(key), now)
		if err != nil {
			if !wrapsOne(err) {
				t.Fatalf("not of the taxonomy: %v", err)
			}
			return
		}
		claims := jwt.MapClaims{}
		_, err = jwt.NewParser(
			jwt.WithValidMethods(p.Algorithms), jwt.WithIssuer(p.Issuer), jwt.WithAudience(p.Audience...),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(p.Leeway), jwt.WithStrictDecoding(),
			jwt.WithTimeFunc(func() time.Time { return now }),
		).ParseWithClaims(string(raw), claims, func(*jwt.Token) (any, error) { return key.Public(), nil })
		if err != nil {
			t.Fatalf("accepted here, refused by golang-jwt: %v\n%s\n%s", err, header, payload)
		}
		subject, err := claims.GetSubject()
		if err != nil || subject != got.Claims.Subject {
			t.Fatalf("subject is %q here, %q there (%v)", got.Claims.Subject, subject, err)
		}
		if exp, err := claims.GetExpirationTime(); err != nil || exp.Unix() != got.Claims.ExpiresAt {
			t.Fatalf("exp is %d here, %v there (%v)", got.Claims.ExpiresAt, exp, err)
		}
		if err := got.Claims.ValidAt(now, p.Leeway); err != nil {
			t.Fatalf("verified, but at the same moment %v", err)
		}
	})
}

func FuzzParseKeySet(f *testing.F) {
	for _, s := range testSigners() {
		f.Add(keySet(f, jwkOf(s.Public())), false)
		f.Add(keySet(f, jwkOf(s.Public()).with(object{"kid": "a"}), jwkOf(s.Public()).with(object{"kid": "a"})), true)
	}
	f.Add([]byte(`{"keys":null}`), false)
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AA"},{"kty":"RSA","n":"AQAB","e":"AQ"},1,null,{"kty":"OKP","crv":"Ed25519","x":""}]}`), true)
	f.Fuzz(func(t *testing.T, data []byte, exponents bool) {
		keys, skipped, err := ParseKeySet(data, KeySetOptions{AllowOtherExponents: exponents})
		if err != nil {
			if !errors.Is(err, ErrKeySet) || keys != nil {
				t.Fatalf("%d keys, %v", len(keys), err)
			}
			return
		}
		if len(keys) == 0 || len(keys)+len(skipped) > MaxKeys {
			t.Fatalf("%d keys, %d skipped", len(keys), len(skipped))
		}
		seen := map[[2]string]bool{}
		for _, k := range keys {
			if len(k.algorithms) == 0 || k.Withdrawn() || len(k.ID()) > MaxStringBytes {
				t.Fatalf("unfit key %q", k.ID())
			}
			for _, a := range k.algorithms {
				if !a.fits(k.Public()) {
					t.Fatalf("%s does not fit its key", a.name)
				}
				at := [2]string{k.ID(), a.name}
				if seen[at] {
					t.Fatalf("two keys for %v", at)
				}
				seen[at] = true
				// No key may let a signature of zeros pass, nor make the verification panic.
				p := Parsed{algorithm: a, signingInput: data, signature: make([]byte, a.signatureSize(k.Public()))}
				if err := p.provedBy(k); err == nil {
					t.Fatalf("%s: a signature of zeros passes", a.name)
				}
			}
		}
		if !slices.IsSortedFunc(skipped, func(a, b SkippedKey) int { return a.Index - b.Index }) {
			t.Fatalf("skipped out of order: %v", skipped)
		}
	})
}
