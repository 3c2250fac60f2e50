package token

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func TestVerifiedClaimsAreNormalised(t *testing.T) {
	t.Parallel()
	for _, alg := range SupportedAlgorithms() {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			key := keyOf(t, alg)
			got, err := verify(t, goodProfile(), mint(t, alg, goodClaims()), onlyKey(key), testNow)
			if err != nil {
				t.Fatal(err)
			}
			want := Claims{
				Issuer: testIssuer, Subject: "s-1", TokenID: "t-1", SessionID: "n-1", ClientID: "portal", ACR: "loa2",
				ExpiresAt: epoch + 600, NotBefore: epoch - 60, IssuedAt: epoch - 60, AuthTime: epoch - 90,
				Kind: KindCitizen, Level: 2,
			}
			if *got.Claims != want {
				t.Errorf("got %+v\nwant %+v", *got.Claims, want)
			}
			if got.Key != key {
				t.Error("the verdict names another key")
			}
		})
	}
}

func TestWithdrawnKeyVerifiesNothing(t *testing.T) {
	t.Parallel()
	key := keyOf(t, "ES256")
	raw := mint(t, "ES256", goodClaims())
	if _, err := verify(t, goodProfile(), raw, onlyKey(key), testNow); err != nil {
		t.Fatal(err)
	}
	key.Withdraw()
	if _, err := verify(t, goodProfile(), raw, onlyKey(key), testNow); !errors.Is(err, ErrKeyWithdrawn) {
		t.Errorf("got %v", err)
	}
}

// withdrawing is a signing method that accepts everything, while the key is being withdrawn.
type withdrawing struct {
	jwt.SigningMethod
	key *Key
}

func (w withdrawing) Verify(string, []byte, any) error {
	w.key.Withdraw()
	return nil
}

func TestKeyWithdrawnDuringVerificationVerifiesNothing(t *testing.T) {
	t.Parallel()
	key := keyOf(t, "EdDSA")
	a := &algorithm{name: "EdDSA", kty: "OKP", method: withdrawing{key: key}}
	key.algorithms = []*algorithm{a}
	p := Parsed{algorithm: a, signature: make([]byte, 64)}
	if err := p.provedBy(key); !errors.Is(err, ErrKeyWithdrawn) {
		t.Errorf("got %v", err)
	}
}

func TestKeySourceErrorsPassThrough(t *testing.T) {
	t.Parallel()
	gone := errors.New("backend gone")
	for _, want := range []error{ErrKeyUnknown, gone} {
		source := keyFunc(func(kid, alg string) (*Key, error) {
			if kid != "k-ES256" || alg != "ES256" {
				t.Errorf("asked for kid %q, alg %q", kid, alg)
			}
			return nil, want
		})
		if _, err := verify(t, goodProfile(), mint(t, "ES256", goodClaims()), source, testNow); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if _, err := verify(t, goodProfile(), mint(t, "ES256", goodClaims()), onlyKey(nil), testNow); !errors.Is(err, ErrKeyUnknown) {
		t.Errorf("no key and no error: got %v", err)
	}
}

// Whatever a token says of itself is refused before any key is asked for: it can cause neither cryptography nor fetches.
func TestNoKeyIsAskedForWithoutNeed(t *testing.T) {
	t.Parallel()
	source := keyFunc(func(string, string) (*Key, error) {
		t.Error("a key was asked for")
		return nil, ErrKeyUnknown
	})
	for _, changes := range []object{{"exp": epoch}, {"iss": "https://other.example"}, {"aud": "other"}, {"nbf": epoch + 1}, {"sub": "\n"}} {
		if _, err := verify(t, goodProfile(), mint(t, "ES256", goodClaims().with(changes)), source, testNow); err == nil {
			t.Errorf("%v passed", changes)
		}
	}
}

func TestZeroParsedIsRefused(t *testing.T) {
	t.Parallel()
	var p Parsed
	if p.Algorithm() != "" {
		t.Error("has an algorithm")
	}
	if _, err := verifier(t, goodProfile()).Verify(&p, onlyKey(keyOf(t, "ES256")), testNow); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v", err)
	}
}

func TestVerifierIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	v, key := verifier(t, goodProfile()), keyOf(t, "EdDSA")
	good, late := mint(t, "EdDSA", goodClaims()), mint(t, "EdDSA", goodClaims().with(object{"exp": epoch - 1}))
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			raw, want := good, error(nil)
			if i%2 == 1 {
				raw, want = late, ErrExpired
			}
			for range 50 {
				p, err := Parse(raw)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := v.Verify(&p, onlyKey(key), testNow); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			}
		})
	}
	group.Wait()
}

func TestProfileFaultsAreFound(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Profile){
		"no issuer":                  func(p *Profile) { p.Issuer = "" },
		"issuer too long":            func(p *Profile) { p.Issuer = strings.Repeat("i", MaxStringBytes+1) },
		"issuer with line break":     func(p *Profile) { p.Issuer = "a\n" },
		"no algorithms":              func(p *Profile) { p.Algorithms = nil },
		"HMAC":                       func(p *Profile) { p.Algorithms = []string{"RS256", "HS256"} },
		"none":                       func(p *Profile) { p.Algorithms = []string{"none"} },
		"no audience":                func(p *Profile) { p.Audience = nil },
		"empty audience":             func(p *Profile) { p.Audience = []string{""} },
		"audience not to be checked": func(p *Profile) { p.AudienceUnchecked = true },
		"audience claim unknown":     func(p *Profile) { p.AudienceClaims = []string{"sub"} },
		"no audience claims":         func(p *Profile) { p.AudienceClaims = []string{} },
		"no types":                   func(p *Profile) { p.Types = []string{} },
		"negative leeway":            func(p *Profile) { p.Leeway = -1 },
		"leeway beyond the limit":    func(p *Profile) { p.Leeway = MaxLeeway + 1 },
		"negative longest lifetime":  func(p *Profile) { p.MaxLifetime = -1 },
	} {
		p := goodProfile()
		change(&p)
		if _, err := NewVerifier(p); !errors.Is(err, ErrProfile) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestVerifierKeepsItsOwnProfile(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	v := verifier(t, p)
	p.Audience[0], p.Algorithms[0], p.KindMap["1"] = "x", "x", KindOfficer
	parsed, err := Parse(mint(t, "RS256", goodClaims()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Verify(&parsed, onlyKey(keyOf(t, "RS256")), testNow)
	if err != nil || got.Claims.Kind != KindCitizen {
		t.Errorf("got %+v, %v", got.Claims, err)
	}
	if v.Issuer() != testIssuer || v.Leeway() != 0 {
		t.Errorf("issuer %q, leeway %v", v.Issuer(), v.Leeway())
	}
}

// Invariant 9: errors end up in logs.
func TestErrorsNeverRepeatTheToken(t *testing.T) {
	t.Parallel()
	const secret = "079012345678"
	header := goodHeader("EdDSA")
	for name, raw := range map[string][]byte{
		"segment":     []byte(secret),
		"base64":      []byte(secret + "!." + secret + "." + secret),
		"header":      unsigned(`{"`+secret+`":"`+secret+`"`, plainPayload),
		"member":      unsigned(`{"`+secret+`":1,"`+secret+`":2}`, plainPayload),
		"alg":         unsigned(`{"alg":"`+secret+`"}`, plainPayload),
		"kid":         unsigned(`{"alg":"ES256","kid":"`+secret+`\n"}`, plainPayload),
		"payload":     unsigned(plainHeader, `{"iss":"`+secret+`",}`),
		"iss":         mint(t, "EdDSA", goodClaims().with(object{"iss": secret})),
		"iss control": mint(t, "EdDSA", goodClaims().with(object{"iss": secret + "\n"})),
		"sub":         mint(t, "EdDSA", goodClaims().with(object{"sub": secret + "\n"})),
		"exp":         mint(t, "EdDSA", goodClaims().with(object{"exp": secret})),
		"aud":         mint(t, "EdDSA", goodClaims().with(object{"aud": secret})),
		"typ":         sign(t, "EdDSA", header.with(object{"typ": secret}).json(t), goodClaims().json(t)),
		"signature":   append(mint(t, "EdDSA", goodClaims().with(object{"sub": secret}))[:200], "AAAA"...),
	} {
		_, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "EdDSA")), testNow)
		if err == nil {
			t.Errorf("%s: passed", name)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
