package token

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// claimCase is a token with the good claims changed, and its refusal.
type claimCase struct {
	name    string
	changes object
	want    error
}

func runClaimCases(t *testing.T, p Profile, cases []claimCase) {
	t.Helper()
	key := keyOf(t, "EdDSA")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			raw := mint(t, "EdDSA", goodClaims().with(c.changes))
			if _, err := verify(t, p, raw, onlyKey(key), testNow); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestDatesAreComparedExactly(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.Leeway = 5 * time.Second
	runClaimCases(t, p, []claimCase{
		{"exp one second inside the leeway", object{"exp": epoch - 4}, nil},
		{"exp plus leeway is now", object{"exp": epoch - 5}, ErrExpired},
		{"exp fraction is dropped", object{"exp": float64(epoch-5) + 0.5}, ErrExpired},
		{"exp long past", object{"exp": 1}, ErrExpired},
		{"nbf less leeway is now", object{"nbf": epoch + 5}, nil},
		{"nbf less leeway is in a second", object{"nbf": epoch + 6}, ErrNotYetValid},
		{"nbf fraction is a second", object{"nbf": float64(epoch+5) + 0.5}, ErrNotYetValid},
		{"no nbf", object{"nbf": nil}, nil},
		{"nbf 0 is absent", object{"nbf": 0}, nil},
		{"iat less leeway is now", object{"iat": epoch + 5}, nil},
		{"iat in the future", object{"iat": epoch + 6}, ErrIssuedInFuture},
		{"no iat", object{"iat": nil}, nil},
		{"no exp", object{"exp": nil}, ErrClaimMissing},
		{"exp 0 is absent", object{"exp": 0}, ErrClaimMissing},
		{"expired and not yet valid", object{"exp": epoch - 5, "nbf": epoch + 6}, ErrExpired},
	})
}

func TestDatesAreComparedBelowTheSecond(t *testing.T) {
	t.Parallel()
	key := keyOf(t, "EdDSA")
	raw := mint(t, "EdDSA", goodClaims().with(object{"exp": epoch + 1, "nbf": epoch}))
	for _, c := range []struct {
		name string
		now  time.Time
		want error
	}{
		{"last moment before nbf", testNow.Add(-1), ErrNotYetValid},
		{"nbf", testNow, nil},
		{"last moment before exp", testNow.Add(time.Second - 1), nil},
		{"exp", testNow.Add(time.Second), ErrExpired},
	} {
		_, err := verify(t, goodProfile(), raw, onlyKey(key), c.now)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

// What a cache asks on a hit and what Verify asked on the miss must never differ.
func TestValidAtAgreesWithVerify(t *testing.T) {
	t.Parallel()
	key := keyOf(t, "EdDSA")
	for _, leeway := range []time.Duration{0, time.Second, 1500 * time.Millisecond, MaxLeeway} {
		p := goodProfile()
		p.Leeway = leeway
		v := verifier(t, p)
		parsed, err := Parse(mint(t, "EdDSA", goodClaims().with(object{"exp": epoch + 10, "nbf": epoch - 10})))
		if err != nil {
			t.Fatal(err)
		}
		claims := &Claims{ExpiresAt: epoch + 10, NotBefore: epoch - 10}
		for _, edge := range []time.Time{testNow.Add(10*time.Second + leeway), testNow.Add(-10*time.Second - leeway), testNow} {
			for _, step := range []time.Duration{-time.Second, -1, 0, 1, time.Second} {
				now := edge.Add(step)
				_, whole := v.Verify(&parsed, onlyKey(key), now)
				if errors.Is(whole, ErrIssuedInFuture) {
					continue
				}
				if again := claims.ValidAt(now, leeway); !errors.Is(whole, again) {
					t.Errorf("leeway %v, now %v: Verify says %v, ValidAt says %v", leeway, now.Sub(testNow), whole, again)
				}
			}
		}
	}
}

func TestDatesAreStrictNumbers(t *testing.T) {
	t.Parallel()
	key := keyOf(t, "EdDSA")
	for _, claim := range []string{"exp", "nbf", "iat", "auth_time"} {
		for _, value := range []string{
			`"1750000000"`, `null`, `true`, `[]`, `{}`, `-1`, `-0`, `1.75e9`, `1E9`, `1750000000.5e1`,
			`9007199254740993`, `18446744073709551616`, `1e300`, `99999999999999999999999999`,
		} {
			payload := strings.Replace(goodClaims().with(object{claim: "HERE"}).json(t), `"HERE"`, value, 1)
			raw := sign(t, "EdDSA", goodHeader("EdDSA").json(t), payload)
			if _, err := verify(t, goodProfile(), raw, onlyKey(key), testNow); !errors.Is(err, ErrClaimInvalid) {
				t.Errorf("%s %s: got %v", claim, value, err)
			}
		}
	}
	raw := mint(t, "EdDSA", goodClaims().with(object{"exp": int64(maxDate)}))
	if _, err := verify(t, goodProfile(), raw, onlyKey(key), testNow); err != nil {
		t.Errorf("largest date: %v", err)
	}
}

func TestLifetimeIsBounded(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.MaxLifetime = 11 * time.Minute
	runClaimCases(t, p, []claimCase{
		{"longest", nil, nil},
		{"one second more", object{"exp": epoch + 601}, ErrLifetime},
		{"largest date", object{"exp": int64(maxDate)}, ErrLifetime},
		{"longest, without iat", object{"iat": nil, "exp": epoch + 660}, nil},
		{"one second more, without iat", object{"iat": nil, "exp": epoch + 661}, ErrLifetime},
	})
}

func TestAudience(t *testing.T) {
	t.Parallel()
	t.Run("in aud", func(t *testing.T) {
		t.Parallel()
		runClaimCases(t, goodProfile(), []claimCase{
			{"string", nil, nil},
			{"in an array", object{"aud": []string{"other", testAudience}}, nil},
			{"another", object{"aud": "other"}, ErrAudience},
			{"another, ours in another case of the name", object{"aud": "other", "AUD": testAudience}, ErrAudience},
			{"others", object{"aud": []string{"other", "another"}}, ErrAudience},
			{"prefix", object{"aud": testAudience + "/"}, ErrAudience},
			{"other case", object{"aud": strings.ToUpper(testAudience)}, ErrAudience},
			{"only azp", object{"aud": "account", "azp": testAudience}, ErrAudience},
			{"none", object{"aud": nil}, ErrClaimMissing},
			{"empty array", object{"aud": []string{}}, ErrClaimMissing},
			{"empty string", object{"aud": ""}, ErrClaimMissing},
			{"empty strings", object{"aud": []string{"", ""}}, ErrAudience},
			{"only in another case", object{"aud": nil, "AUD": testAudience}, ErrClaimMissing},
			{"number", object{"aud": 1}, ErrClaimInvalid},
			{"object", object{"aud": object{"a": testAudience}}, ErrClaimInvalid},
			{"number beside ours", object{"aud": []any{testAudience, 1}}, ErrClaimInvalid},
			{"array in an array", object{"aud": []any{[]string{testAudience}}}, ErrClaimInvalid},
			{"control character beside ours", object{"aud": []string{testAudience, "a\x7f"}}, ErrClaimInvalid},
		})
	})
	t.Run("in aud or azp", func(t *testing.T) {
		t.Parallel()
		p := goodProfile()
		p.AudienceClaims = []string{"aud", "azp"}
		runClaimCases(t, p, []claimCase{
			{"in aud", nil, nil},
			{"in azp", object{"aud": "account", "azp": testAudience}, nil},
			{"in azp without aud", object{"aud": nil, "azp": testAudience}, nil},
			{"in client_id", object{"aud": "account", "client_id": testAudience}, ErrAudience},
			{"in an array of azp", object{"aud": "account", "azp": []string{testAudience}}, ErrClaimInvalid},
			{"in neither", object{"aud": "account"}, ErrAudience},
		})
	})
	t.Run("unchecked", func(t *testing.T) {
		t.Parallel()
		p := goodProfile()
		p.Audience, p.AudienceUnchecked = nil, true
		runClaimCases(t, p, []claimCase{{"another", object{"aud": "other"}, nil}, {"none", object{"aud": nil}, nil}})
	})
}

func TestStringClaimsAreBounded(t *testing.T) {
	t.Parallel()
	for _, claim := range []string{"sub", "jti", "sid", "azp", "client_id", "acr"} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			runClaimCases(t, goodProfile(), []claimCase{
				{"absent", object{claim: nil}, nil},
				{"empty", object{claim: ""}, nil},
				{"longest", object{claim: strings.Repeat("ố", MaxStringBytes/3)}, nil},
				{"too long", object{claim: strings.Repeat("a", MaxStringBytes+1)}, ErrClaimInvalid},
				{"line break", object{claim: "a\r\nX-VNeID-Subject: b"}, ErrClaimInvalid},
				{"null character", object{claim: "a\x00"}, ErrClaimInvalid},
				{"C1 control character", object{claim: "a\u0085"}, ErrClaimInvalid},
				{"number", object{claim: 1}, ErrClaimInvalid},
				{"array", object{claim: []string{"a"}}, ErrClaimInvalid},
			})
		})
	}
}

func TestClientIsAzpElseClientID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		changes object
		want    string
	}{
		{object{"azp": "a", "client_id": "c"}, "a"},
		{object{"azp": nil, "client_id": "c"}, "c"},
		{object{"azp": "", "client_id": "c"}, "c"},
		{object{"azp": nil}, ""},
	} {
		got, err := verify(t, goodProfile(), mint(t, "EdDSA", goodClaims().with(c.changes)), onlyKey(keyOf(t, "EdDSA")), testNow)
		if err != nil || got.Claims.ClientID != c.want {
			t.Errorf("%v: got %+v, %v", c.changes, got.Claims, err)
		}
	}
}

func TestKindAndLevelAreMapped(t *testing.T) {
	t.Parallel()
	mapped := goodProfile()
	mapped.KindDefault = KindForeigner
	mapped.LevelMap = map[string]uint8{"LoA2": 2, "1": 1}
	plain := goodProfile()
	plain.KindMap = nil
	none := goodProfile()
	none.KindClaim, none.LevelClaim, none.KindDefault = "", "", KindEnterprise
	for _, c := range []struct {
		name    string
		profile Profile
		changes object
		want    Claims // its four last fields
	}{
		{"mapped", mapped, object{"account_level": "LoA2"}, Claims{Kind: KindCitizen, Level: 2}},
		{"numbers as written", mapped, object{"account_type": 2, "account_level": 1}, Claims{Kind: KindOrganisation, Level: 1}},
		{"boolean", mapped, object{"account_type": true, "account_level": nil}, Claims{Kind: KindOfficer}},
		{"absent: default", mapped, object{"account_type": nil, "account_level": nil}, Claims{Kind: KindForeigner}},
		{"unmapped: unknown, never the default", mapped, object{"account_type": "9", "account_level": "9"}, Claims{KindUnmapped: true, LevelUnmapped: true}},
		{"null is not absent", mapped, object{"account_type": any(jsonNull{}), "account_level": any(jsonNull{})}, Claims{KindUnmapped: true, LevelUnmapped: true}},
		{"array", mapped, object{"account_type": []string{"1"}, "account_level": []int{1}}, Claims{KindUnmapped: true, LevelUnmapped: true}},
		{"decimal is not the integer", mapped, object{"account_type": jsonText("1.0"), "account_level": jsonText("1.0")}, Claims{KindUnmapped: true, LevelUnmapped: true}},
		{"names without a map", plain, object{"account_type": "enterprise", "account_level": "2"}, Claims{Kind: KindEnterprise, Level: 2}},
		{"unknown name", plain, object{"account_type": "Citizen", "account_level": "256"}, Claims{KindUnmapped: true, LevelUnmapped: true}},
		{"negative level", plain, object{"account_type": "officer", "account_level": -1}, Claims{Kind: KindOfficer, LevelUnmapped: true}},
		{"no claims configured", none, nil, Claims{Kind: KindEnterprise}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := verify(t, c.profile, mint(t, "EdDSA", goodClaims().with(c.changes)), onlyKey(keyOf(t, "EdDSA")), testNow)
			if err != nil {
				t.Fatal(err)
			}
			four := Claims{
				Kind: got.Claims.Kind, Level: got.Claims.Level,
				KindUnmapped: got.Claims.KindUnmapped, LevelUnmapped: got.Claims.LevelUnmapped,
			}
			if four != c.want {
				t.Errorf("got %+v, want %+v", four, c.want)
			}
		})
	}
}

// jsonText is written into JSON as it is.
type jsonText string

func (t jsonText) MarshalJSON() ([]byte, error) { return []byte(t), nil }

type jsonNull struct{}

func (jsonNull) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

func TestKindNames(t *testing.T) {
	t.Parallel()
	for k := KindUnknown; k <= KindOfficer; k++ {
		if got, err := ParseKind(k.String()); got != k || err != nil {
			t.Errorf("%v reads as %v, %v", k, got, err)
		}
	}
	if Kind(200).String() != "unknown" {
		t.Error("a kind beyond the list has a name")
	}
	if _, err := ParseKind("Citizen"); !errors.Is(err, ErrClaimInvalid) {
		t.Error("case is ignored")
	}
}
