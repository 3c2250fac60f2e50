package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// goodAnswer is what an issuer says about the token of goodClaims.
func goodAnswer() object {
	return goodClaims().with(object{"active": true, "token_type": "Bearer", "client_id": "portal"})
}

func TestShapeOfACompactJWSIsTwoDotsBetweenThreeSegments(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"a.b.c": true, "eyJ.eyJ.sig": true, "\x00.\xff.=": true,
		"": false, ".": false, "..": false, "a": false, "a.b": false, "a..c": false, ".b.c": false, "a.b.": false,
		"a.b.c.": false, ".a.b.c": false, "a.b.c.d": false, "a.b.c.d.e": false, strings.Repeat(".", 1000): false,
	} {
		if got := IsCompactJWS([]byte(raw)); got != want {
			t.Errorf("%.10q: %v", raw, got)
		}
	}
}

func TestAJOSEHeaderIsRecognisedHoweverBadlyItIsMade(t *testing.T) {
	t.Parallel()
	encode := base64.RawURLEncoding.EncodeToString
	header := encode([]byte(`{"alg":"ES256"}`))
	for raw, want := range map[string]bool{
		string(mint(t, "ES256", goodClaims())): true,
		header + ".!.!":                        true,
		header + "..":                          true,
		header:                                 true,
		base64.URLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + ".b.c":        true,
		base64.StdEncoding.EncodeToString([]byte(`{"alg":"???>>>"}`)) + ".b.c":      true,
		header[:10] + "\n" + header[10:] + ".b.c":                                   true,
		encode([]byte(" \n{}")) + ".b.c":                                            true,
		encode([]byte(`{"alg":"none","alg":"ES256"}`)) + ".b.c":                     true,
		encode([]byte("{\"kid\":\"\xff\"}")) + ".b.c":                               true,
		encode([]byte(strings.Repeat(`{"a":`, 50) + "1" + strings.Repeat("}", 50))): true,

		"":                            false,
		".":                           false,
		"a.b.c":                       false,
		"v4.local.xy":                 false,
		"portal.7b1f3c20-8b57.1a2b3c": false,
		"ey0123456789.b.c":            false, // a brace and a dash: no JSON
		encode([]byte(`{"alg":"ES256"`)) + ".b.c":     false,
		encode([]byte(`{"alg":"ES256"}x`)) + ".b.c":   false,
		encode([]byte(`["alg"]`)) + ".b.c":            false,
		encode([]byte(`"alg"`)) + ".b.c":              false,
		header + "*.b.c":                              false,
		strings.Repeat("e30.", MaxTokenBytes/4) + "e": false,
	} {
		if got := HasJOSEHeader([]byte(raw)); got != want {
			t.Errorf("%.40q: %v", raw, got)
		}
	}
}

// What holds of a JWT's claims holds of the same members in an answer: the same verdict, and the same claims.
func TestAnAnswerIsReadAsAJWTWithTheSameClaims(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.Leeway, p.MaxLifetime = 5*time.Second, time.Hour
	key, v := keyOf(t, "EdDSA"), verifier(t, p)
	for name, changes := range map[string]object{
		"good":                   {},
		"exp within leeway":      {"exp": epoch - 4},
		"exp is now":             {"exp": epoch - 5},
		"exp 0":                  {"exp": 0},
		"exp null":               {"exp": json.RawMessage("null")},
		"exp text":               {"exp": "1750000600"},
		"exp with exponent":      {"exp": json.RawMessage("2e9")},
		"nbf ahead":              {"nbf": epoch + 6},
		"iat ahead":              {"iat": epoch + 6},
		"lifetime too long":      {"exp": epoch + 3600},
		"no aud":                 {"aud": nil},
		"aud of another":         {"aud": "other"},
		"aud by another case":    {"aud": nil, "AUD": testAudience},
		"one aud of several":     {"aud": []string{"x", testAudience}},
		"aud a number":           {"aud": 1},
		"aud of mixed types":     {"aud": []any{testAudience, 1}},
		"sub a number":           {"sub": 1},
		"sub with a line break":  {"sub": "a\nb"},
		"sub too long":           {"sub": strings.Repeat("s", MaxStringBytes+1)},
		"kind unmapped":          {"account_type": "9"},
		"kind absent":            {"account_type": nil},
		"organisation, no level": {"account_type": "2", "account_level": nil},
		"level unmapped":         {"account_level": "x"},
		"many members":           {"x": strings.Repeat("x", 1000)},
		"too deep":               {"x": json.RawMessage(nested(maxDepth))},
		"of another issuer":      {"iss": "https://other.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, wantErr := verify(t, p, mint(t, "EdDSA", goodClaims().with(changes)), onlyKey(key), testNow)
			answer := []byte(goodAnswer().with(object{"client_id": nil}).with(changes).json(t))
			got, err := v.Introspected(answer, time.Minute, testNow)
			clear(answer) // The claims must not refer to it.
			if wantErr != nil {
				if !wrapsOne(err) || err.Error() != wantErr.Error() {
					t.Fatalf("%v, but of a JWT %v", err, wantErr)
				}
				return
			}
			if err != nil || *got.Claims != *want.Claims || got.Key != nil {
				t.Errorf("%v, %+v, but of a JWT %+v", err, got.Claims, want.Claims)
			}
		})
	}
}

func TestAnAnswerMustSayThatTheTokenIsActive(t *testing.T) {
	t.Parallel()
	v := verifier(t, goodProfile())
	good := goodAnswer().json(t)
	for name, c := range map[string]struct {
		answer string
		want   error
	}{
		"active":                {good, nil},
		"white space around":    {" \r\n" + good + "\t", nil},
		"inactive":              {`{"active":false}`, ErrInactive},
		"inactive, with claims": {goodAnswer().with(object{"active": false}).json(t), ErrInactive},
		"nothing said":          {goodAnswer().with(object{"active": nil}).json(t), ErrMalformed},
		"true as text":          {goodAnswer().with(object{"active": "true"}).json(t), ErrMalformed},
		"one":                   {goodAnswer().with(object{"active": 1}).json(t), ErrMalformed},
		"null":                  {goodAnswer().with(object{"active": json.RawMessage("null")}).json(t), ErrMalformed},
		"by another case":       {goodAnswer().with(object{"active": nil, "Active": true}).json(t), ErrMalformed},
		"said twice":            {`{"active":false,` + good[1:], ErrMalformed},
		"said twice, escaped":   {`{"\u0061ctive":false,` + good[1:], ErrMalformed},
		"in an array":           {"[" + good + "]", ErrMalformed},
		"two answers":           {good + good, ErrMalformed},
		"cut off":               {good[:len(good)-1], ErrMalformed},
		"empty":                 {"", ErrMalformed},
		"a page":                {"<!doctype html>", ErrMalformed},
		"not UTF-8":             {strings.Replace(good, `"s-1"`, "\"\xff\"", 1), ErrMalformed},
		"too long":              {good + strings.Repeat(" ", MaxTokenBytes), ErrTooLarge},
		"bearer in small":       {goodAnswer().with(object{"token_type": "bearer"}).json(t), nil},
		"no token_type":         {goodAnswer().with(object{"token_type": nil}).json(t), nil},
		"bound to a key":        {goodAnswer().with(object{"token_type": "DPoP"}).json(t), ErrType},
		"token_type empty":      {goodAnswer().with(object{"token_type": ""}).json(t), ErrType},
		"token_type a number":   {goodAnswer().with(object{"token_type": 1}).json(t), ErrClaimInvalid},
		"no iss":                {goodAnswer().with(object{"iss": nil}).json(t), nil},
		"iss empty":             {goodAnswer().with(object{"iss": ""}).json(t), ErrIssuer},
		"iss null":              {goodAnswer().with(object{"iss": json.RawMessage("null")}).json(t), ErrClaimInvalid},
	} {
		got, err := v.Introspected([]byte(c.answer), time.Minute, testNow)
		if !errors.Is(err, c.want) || err != nil && (!wrapsOne(err) || got.Claims != nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if err == nil && got.Claims.Issuer != testIssuer {
			t.Errorf("%s: issuer %q", name, got.Claims.Issuer)
		}
	}
}

func TestAnAnswerWithoutExpIsGoodForTheMaximumAge(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.MaxLifetime = 10 * time.Minute
	v := verifier(t, p)
	for name, c := range map[string]struct {
		changes object
		maxAge  time.Duration
		exp     int64
		want    error
	}{
		"a minute":          {object{"exp": nil}, time.Minute, epoch + 60, nil},
		"rounded down":      {object{"exp": nil}, 1500 * time.Millisecond, epoch + 1, nil},
		"no maximum age":    {object{"exp": nil}, 0, 0, ErrClaimMissing},
		"less than any exp": {object{"exp": nil}, time.Second - 1, 0, ErrClaimMissing},
		"exp comes first":   {object{"exp": epoch + 540}, time.Minute, epoch + 540, nil},
		"iat too long ago":  {object{"exp": nil, "iat": epoch - 600}, time.Minute, 0, ErrLifetime},
	} {
		got, err := v.Introspected([]byte(goodAnswer().with(c.changes).json(t)), c.maxAge, testNow)
		if !errors.Is(err, c.want) || err == nil && got.Claims.ExpiresAt != c.exp {
			t.Errorf("%s: %+v, %v", name, got.Claims, err)
		}
	}
}

func TestAudienceOfAnAnswerIsUncheckedOnlyWhereConfigured(t *testing.T) {
	t.Parallel()
	answer := []byte(goodAnswer().with(object{"aud": nil}).json(t))
	if _, err := verifier(t, goodProfile()).Introspected(answer, 0, testNow); !errors.Is(err, ErrClaimMissing) && !errors.Is(err, ErrAudience) {
		t.Errorf("checked: %v", err)
	}
	p := goodProfile()
	p.Audience, p.AudienceUnchecked = nil, true
	if _, err := verifier(t, p).Introspected(answer, 0, testNow); err != nil {
		t.Errorf("unchecked: %v", err)
	}
}

func TestConfirmationIsAboutTheSameTokenAndNeverExtendsIt(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.Leeway = 5 * time.Second
	v, key := verifier(t, p), keyOf(t, "EdDSA")
	local, err := verify(t, p, mint(t, "EdDSA", goodClaims()), onlyKey(key), testNow)
	if err != nil {
		t.Fatal(err)
	}
	before := *local.Claims
	for name, c := range map[string]struct {
		answer string
		exp    int64
		want   error
	}{
		"only active":           {`{"active":true}`, epoch + 600, nil},
		"all that it says":      {goodAnswer().json(t), epoch + 600, nil},
		"inactive":              {`{"active":false}`, 0, ErrInactive},
		"nothing":               {`{}`, 0, ErrMalformed},
		"another subject":       {`{"active":true,"sub":"s-2"}`, 0, ErrClaimInvalid},
		"an empty subject":      {`{"active":true,"sub":""}`, 0, ErrClaimInvalid},
		"another jti":           {`{"active":true,"jti":"t-2"}`, 0, ErrClaimInvalid},
		"a jti that is none":    {`{"active":true,"jti":1}`, 0, ErrClaimInvalid},
		"another issuer":        {`{"active":true,"iss":"https://other.example"}`, 0, ErrIssuer},
		"another type":          {`{"active":true,"token_type":"DPoP"}`, 0, ErrType},
		"an earlier exp":        {`{"active":true,"exp":1750000060}`, epoch + 60, nil},
		"a later exp":           {`{"active":true,"exp":1750009999}`, epoch + 600, nil},
		"an exp within leeway":  {`{"active":true,"exp":1749999996}`, epoch - 4, nil},
		"an exp that is past":   {`{"active":true,"exp":1749999995}`, 0, ErrExpired},
		"an exp of 0":           {`{"active":true,"exp":0}`, 0, ErrExpired},
		"an exp that is no exp": {`{"active":true,"exp":"x"}`, 0, ErrClaimInvalid},
	} {
		got, err := v.Confirmed([]byte(c.answer), local, testNow)
		if !errors.Is(err, c.want) || err != nil && !wrapsOne(err) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
			continue
		}
		if err != nil {
			continue
		}
		want := before
		want.ExpiresAt = c.exp
		if *got.Claims != want || got.Key != key {
			t.Errorf("%s: %+v", name, got.Claims)
		}
	}
	if *local.Claims != before {
		t.Error("what was verified before has changed")
	}
}

// Whatever the answer: what is accepted was said to be active, for us, of this issuer and in force, as another JSON
// parser reads it.
func FuzzIntrospected(f *testing.F) {
	good := goodAnswer().json(f)
	for _, seed := range []string{
		good, `{"active":false}`, `{"active":true}`, `{}`, "", `{"active":true,` + good[1:], strings.Replace(good, `"exp"`, `"EXP"`, 1),
		strings.Replace(good, "active", `\u0061ctive`, 1), goodAnswer().with(object{"exp": nil}).json(f),
		goodAnswer().with(object{"aud": []any{"x", testAudience}, "iss": nil, "token_type": "bearer"}).json(f),
		goodAnswer().with(object{"token_type": "DPoP"}).json(f), `{"auth_time":174999e9910,` + good[1:], `{"active":true,"x":` + nested(maxDepth-1) + `}`,
	} {
		f.Add([]byte(seed), int64(0), uint8(0))
		f.Add([]byte(seed), int64(630), uint8(40))
	}
	key := keyOf(f, "EdDSA")
	f.Fuzz(func(t *testing.T, answer []byte, offset int64, leeway uint8) {
		p := goodProfile()
		p.Leeway = time.Duration(leeway) * time.Second
		v, now, before := verifier(t, p), time.Unix(epoch+offset%100_000, 0), string(answer)
		local := Verified{Claims: &Claims{Issuer: testIssuer, Subject: "s-1", TokenID: "t-1", ExpiresAt: now.Unix() + 60}, Key: key}
		confirmed, confirmErr := v.Confirmed(answer, local, now)
		got, err := v.Introspected(answer, time.Minute, now)
		if string(answer) != before {
			t.Fatal("the caller's bytes were changed")
		}
		if err != nil && (!wrapsOne(err) || got.Claims != nil) || confirmErr != nil && !wrapsOne(confirmErr) {
			t.Fatalf("not of the taxonomy: %v, %v", err, confirmErr)
		}
		if err != nil && confirmErr != nil {
			return
		}
		var said map[string]any
		if json.Unmarshal(answer, &said) != nil || said["active"] != true || said["iss"] != nil && said["iss"] != testIssuer {
			t.Fatalf("accepted: %s", answer)
		}
		if confirmErr == nil && (confirmed.Claims.ExpiresAt > local.Claims.ExpiresAt || confirmed.Claims.ValidAt(now, p.Leeway) != nil) {
			t.Fatalf("confirmed %+v: %s", confirmed.Claims, answer)
		}
		if err != nil {
			return
		}
		audience, _ := said["aud"].([]any)
		if said["aud"] != testAudience && !slices.Contains(audience, any(testAudience)) {
			t.Fatalf("accepted for another: %s", answer)
		}
		exp, told := said["exp"].(float64)
		if told && now.Sub(time.Unix(int64(exp), 0)) >= p.Leeway || !told && got.Claims.ExpiresAt != now.Unix()+60 {
			t.Fatalf("accepted at %d: %s", now.Unix(), answer)
		}
		if err := got.Claims.ValidAt(now, p.Leeway); err != nil {
			t.Fatalf("accepted, but at the same moment %v", err)
		}
	})
}
