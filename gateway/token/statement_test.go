package token

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const testEvents = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"

// setRules are those of Security Event Tokens.
func setRules() StatementRules {
	return StatementRules{Types: []string{"secevent+jwt"}, Audience: []string{testAudience}, Require: []string{"jti", "events"}}
}

// goodSET are the claims of a statement that setRules accept at testNow. It has all that an access token needs.
func goodSET() object {
	return object{
		"iss": testIssuer, "aud": []string{"other", testAudience}, "jti": "e-1", "iat": epoch - 5, "exp": epoch + 600,
		"events": object{testEvents: object{"subject": object{"format": "iss_sub", "iss": testIssuer, "sub": "s-1"}}},
	}
}

func setHeader(alg string) object {
	return object{"alg": alg, "kid": "k-" + alg, "typ": "secevent+jwt"}
}

// state takes a statement the whole way under ES256.
func state(tb testing.TB, rules StatementRules, header, claims object) (Statement, error) {
	tb.Helper()
	raw := sign(tb, "ES256", header.json(tb), claims.json(tb))
	return verifier(tb, goodProfile()).Statement(raw, onlyKey(keyOf(tb, "ES256")), rules, testNow)
}

func TestStatementThatPassesTellsWhatItSays(t *testing.T) {
	t.Parallel()
	for _, alg := range SupportedAlgorithms() {
		key := keyOf(t, alg)
		raw := sign(t, alg, setHeader(alg).with(object{"typ": "Application/SecEvent+JWT"}).json(t),
			goodSET().with(object{"sub": "s-1", "toe": epoch - 7.5}).json(t))
		s, err := verifier(t, goodProfile()).Statement(raw, onlyKey(key), setRules(), testNow)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		clear(raw) // The statement must not refer to it.
		if s.Type != "secevent+jwt" || s.Issuer != testIssuer || s.TokenID != "e-1" || s.Subject != "s-1" ||
			s.IssuedAt != epoch-5 || s.ExpiresAt != epoch+600 || s.Key != key {
			t.Errorf("%s: %+v", alg, s)
		}
		if toe, err := s.Date("toe"); err != nil || toe != epoch-7 {
			t.Errorf("toe: %d, %v", toe, err)
		}
		if !bytes.Contains(s.Claim("events"), []byte(testEvents)) || s.Claim("Events") != nil {
			t.Errorf("events: %s", s.Claim("events"))
		}
		if _, err := s.Text("events"); !errors.Is(err, ErrClaimInvalid) {
			t.Errorf("an object as text: %v", err)
		}
		if _, err := s.Date("jti"); !errors.Is(err, ErrClaimInvalid) {
			t.Errorf("a text as date: %v", err)
		}
	}
}

func TestStatementIsRefusedByTheFirstRuleThatItBreaks(t *testing.T) {
	t.Parallel()
	header := setHeader("ES256")
	for name, c := range map[string]struct {
		header, claims object
		rules          func(*StatementRules)
		want           error
	}{
		"good":                           {},
		"no expiry":                      {claims: object{"exp": nil}},
		"no expiry where it is required": {claims: object{"exp": nil}, rules: func(r *StatementRules) { r.ExpiryRequired = true }, want: ErrClaimMissing},
		"expired":                        {claims: object{"exp": epoch}, want: ErrExpired},
		"expiry of zero":                 {claims: object{"exp": 0}, want: ErrExpired},
		"expiry that is no number":       {claims: object{"exp": "1750000600"}, want: ErrClaimInvalid},
		"expiry that is null":            {claims: object{"exp": any(nullJSON{})}, want: ErrClaimInvalid},
		"not yet valid":                  {claims: object{"nbf": epoch + 1}, want: ErrNotYetValid},
		"valid as of now":                {claims: object{"nbf": epoch}},
		"no iat":                         {claims: object{"iat": nil}, want: ErrClaimMissing},
		"iat that is null":               {claims: object{"iat": any(nullJSON{})}, want: ErrClaimInvalid},
		"iat in the future":              {claims: object{"iat": epoch + 1}, want: ErrIssuedInFuture},
		"iat in part in the future":      {claims: object{"iat": epoch + 0.5}, want: ErrIssuedInFuture},
		"as old as may be":               {claims: object{"iat": epoch - 60}, rules: func(r *StatementRules) { r.MaxAge = time.Minute }},
		"too old":                        {claims: object{"iat": epoch - 61}, rules: func(r *StatementRules) { r.MaxAge = time.Minute }, want: ErrExpired},
		"another's":                      {claims: object{"iss": testIssuer + "/"}, want: ErrIssuer},
		"nobody's":                       {claims: object{"iss": nil}, want: ErrClaimMissing},
		"for others":                     {claims: object{"aud": []string{"other"}}, want: ErrAudience},
		"for nobody":                     {claims: object{"aud": nil}, want: ErrAudience},
		"for whom it may concern":        {claims: object{"aud": nil}, rules: func(r *StatementRules) { r.Audience = nil }},
		"audience that is no text":       {claims: object{"aud": []any{testAudience, 1}}, want: ErrClaimInvalid},
		"audience in azp only":           {claims: object{"aud": nil, "azp": testAudience}, want: ErrAudience},
		"no jti":                         {claims: object{"jti": nil}, want: ErrClaimMissing},
		"jti of no length":               {claims: object{"jti": ""}, want: ErrClaimMissing},
		"jti that is null":               {claims: object{"jti": any(nullJSON{})}, want: ErrClaimMissing},
		"jti that is not required":       {claims: object{"jti": nil}, rules: func(r *StatementRules) { r.Require = nil }},
		"jti that is no text":            {claims: object{"jti": 1}, want: ErrClaimInvalid},
		"jti that is too long":           {claims: object{"jti": strings.Repeat("j", MaxStringBytes+1)}, want: ErrClaimInvalid},
		"sub with a control character":   {claims: object{"sub": "s\n"}, want: ErrClaimInvalid},
		"no events":                      {claims: object{"events": nil}, want: ErrClaimMissing},
		"events that are a list":         {claims: object{"events": []string{testEvents}}, want: ErrClaimInvalid},
		"another type":                   {header: object{"typ": "logout+jwt"}, want: ErrType},
		"no type":                        {header: object{"typ": nil}, want: ErrType},
		"an access token's type":         {header: object{"typ": "at+jwt"}, want: ErrType},
		"crit":                           {header: object{"crit": []string{"b64"}}, want: ErrCritical},
		"b64":                            {header: object{"b64": true}, want: ErrCritical},
		"zip":                            {header: object{"zip": "DEF"}, want: ErrCritical},
		"none":                           {header: object{"alg": "none"}, want: ErrAlgorithm},
		"HMAC":                           {header: object{"alg": "HS256"}, want: ErrAlgorithm},
		"another algorithm than the key": {header: object{"alg": "ES384"}, want: ErrAlgorithm},
		"too large":                      {rules: func(r *StatementRules) { r.MaxBytes = 300 }, want: ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := setRules()
			if c.rules != nil {
				c.rules(&rules)
			}
			if _, err := state(t, rules, header.with(c.header), goodSET().with(c.claims)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			} else if err != nil && !wrapsOne(err) {
				t.Errorf("not of the taxonomy: %v", err)
			}
		})
	}
}

// nullJSON is a null that object.with does not take for a removal.
type nullJSON struct{}

func (nullJSON) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

func TestLeewayHoldsForStatementsToo(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.Leeway = 10 * time.Second
	v, key := verifier(t, p), onlyKey(keyOf(t, "ES256"))
	rules := setRules()
	rules.MaxAge = time.Minute
	for _, c := range []struct {
		claims object
		want   error
	}{
		{object{"exp": epoch - 9}, nil},
		{object{"exp": epoch - 10}, ErrExpired},
		{object{"nbf": epoch + 10}, nil},
		{object{"nbf": epoch + 11}, ErrNotYetValid},
		{object{"iat": epoch + 10}, nil},
		{object{"iat": epoch + 11}, ErrIssuedInFuture},
		{object{"iat": epoch - 70}, nil},
		{object{"iat": epoch - 71}, ErrExpired},
	} {
		raw := sign(t, "ES256", setHeader("ES256").json(t), goodSET().with(c.claims).json(t))
		if _, err := v.Statement(raw, key, rules, testNow); !errors.Is(err, c.want) {
			t.Errorf("%v: got %v, want %v", c.claims, err, c.want)
		}
	}
}

func TestStatementNeverPassesAsAccessTokenNorTheOtherWayRound(t *testing.T) {
	t.Parallel()
	key := onlyKey(keyOf(t, "ES256"))
	// All that either of them needs, but for what makes a statement one.
	both := goodClaims().with(object{"iat": epoch - 5})
	events := object{"events": object{"http://schemas.openid.net/event/backchannel-logout": object{}}}
	logout := StatementRules{Types: []string{"logout+jwt", "JWT", ""}, Require: []string{"events"}}
	for _, typ := range []any{nil, "JWT", "at+jwt", "logout+jwt", "secevent+jwt", "statuslist+jwt"} {
		for name, claims := range map[string]object{"access token": both, "statement": both.with(events)} {
			raw := sign(t, "ES256", setHeader("ES256").with(object{"typ": typ}).json(t), claims.json(t))
			_, access := verify(t, goodProfile(), raw, key, testNow)
			for _, rules := range []StatementRules{setRules(), logout} {
				_, statement := verifier(t, goodProfile()).Statement(raw, key, rules, testNow)
				if access == nil && statement == nil {
					t.Errorf("%v, %s: passes as both", typ, name)
				}
			}
			if name == "statement" && !errors.Is(access, ErrType) {
				t.Errorf("%v: a statement as access token: %v", typ, access)
			}
		}
	}
	if _, err := state(t, logout, setHeader("ES256").with(object{"typ": nil}), both.with(events)); err != nil {
		t.Errorf("a logout token without typ: %v", err)
	}
}

func TestStatementRulesThatBlurTypesAreRefused(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.Types = []string{"at+jwt", "application/Token+JWT"}
	v := verifier(t, p)
	for name, rules := range map[string]StatementRules{
		"no types":                            {},
		"an access token's type":              {Types: []string{"at+jwt"}, Require: []string{"events"}},
		"one of the profile's":                {Types: []string{"token+jwt"}, Require: []string{"events"}},
		"none, without a claim of its own":    {Types: []string{""}, Require: []string{"jti"}},
		"JWT, without a claim of its own":     {Types: []string{"logout+jwt", "application/jwt"}},
		"too large":                           {Types: []string{"x+jwt"}, MaxBytes: MaxStatementBytes + 1},
		"negative size":                       {Types: []string{"x+jwt"}, MaxBytes: -1},
		"negative age":                        {Types: []string{"x+jwt"}, MaxAge: -1},
		"audiences of which there are none":   {Types: []string{"x+jwt"}, Audience: []string{}},
		"audience that any empty string fits": {Types: []string{"x+jwt"}, Audience: []string{""}},
	} {
		if err := v.Check(rules); !errors.Is(err, ErrProfile) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := v.Statement([]byte("a.b.c"), nil, rules, testNow); !errors.Is(err, ErrProfile) {
			t.Errorf("%s, not checked beforehand: %v", name, err)
		}
	}
}

func TestStatementMayBeLargerThanATokenByItsRulesOnly(t *testing.T) {
	t.Parallel()
	v, key := verifier(t, goodProfile()), onlyKey(keyOf(t, "EdDSA"))
	list := strings.Repeat("A", 2<<20)
	raw := sign(t, "EdDSA", setHeader("EdDSA").with(object{"typ": "statuslist+jwt"}).json(t),
		object{"iss": testIssuer, "iat": epoch, "sub": "https://issuer.example/1", "status_list": object{"bits": 1, "lst": list}}.json(t))
	rules := StatementRules{Types: []string{"statuslist+jwt"}, Require: []string{"sub", "status_list"}, MaxBytes: len(raw)}
	s, err := v.Statement(raw, key, rules, testNow)
	if err != nil || !bytes.Contains(s.Claim("status_list"), []byte(list)) {
		t.Fatal(err)
	}
	rules.MaxBytes--
	if _, err := v.Statement(raw, key, rules, testNow); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
	rules.MaxBytes = 0
	if _, err := v.Statement(raw, key, rules, testNow); !errors.Is(err, ErrTooLarge) {
		t.Errorf("without a limit: %v", err)
	}
}

// What a statement of many megabytes may hold is as bounded in depth and number as a token of few kilobytes.
func TestStatementIsBoundedInDepthAndNumber(t *testing.T) {
	t.Parallel()
	rules := setRules()
	rules.MaxBytes = MaxStatementBytes
	for name, value := range map[string]string{
		"too deep":      nested(maxDepth),
		"too many":      "[" + strings.Repeat("0,", 1<<20) + "0]",
		"duplicates":    `{"a":1,"\u0061":2}`,
		"invalid UTF-8": "\"\xff\"",
	} {
		payload := strings.Replace(goodSET().json(t), `"jti"`, `"x":`+value+`,"jti"`, 1)
		raw := sign(t, "ES256", setHeader("ES256").json(t), payload)
		if _, err := verifier(t, goodProfile()).Statement(raw, onlyKey(keyOf(t, "ES256")), rules, testNow); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStatementIsProvedInEveryBitAndByLivingKeysOnly(t *testing.T) {
	t.Parallel()
	raw := sign(t, "ES256", setHeader("ES256").json(t), goodSET().json(t))
	v, key := verifier(t, goodProfile()), keyOf(t, "ES256")
	for i := 0; i < len(raw); i += 5 {
		forged := bytes.Clone(raw)
		forged[i] ^= 1
		if _, err := v.Statement(forged, onlyKey(key), setRules(), testNow); err == nil || !wrapsOne(err) {
			t.Fatalf("byte %d of %d changed: %v", i, len(raw), err)
		}
	}
	unavailable := errors.New("no keys yet")
	_, err := v.Statement(raw, keyFunc(func(string, string) (*Key, error) { return nil, unavailable }), setRules(), testNow)
	if !errors.Is(err, unavailable) {
		t.Errorf("the key source's own error: %v", err)
	}
	if _, err := v.Statement(raw, onlyKey(nil), setRules(), testNow); !errors.Is(err, ErrKeyUnknown) {
		t.Errorf("no key: %v", err)
	}
	key.Withdraw()
	if _, err := v.Statement(raw, onlyKey(key), setRules(), testNow); !errors.Is(err, ErrKeyWithdrawn) {
		t.Errorf("withdrawn key: %v", err)
	}
}

// The claims sets of RFC 8417 section 2.1, figures 1, 3 and 5, signed.
func TestRFC8417ExamplesAreStatements(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ issuer, audience, jti, claims string }{
		"figure 1, SCIM": {
			"https://scim.example.com", "https://scim.example.com/Feeds/5d7604516b1d08641d7676ee7", "4d3559ec67504aaba65d40b0363faad8",
			`{"iss":"https://scim.example.com","iat":1458496404,"jti":"4d3559ec67504aaba65d40b0363faad8",
			"aud":["https://scim.example.com/Feeds/98d52461fa5bbc879593b7754","https://scim.example.com/Feeds/5d7604516b1d08641d7676ee7"],
			"events":{"urn:ietf:params:scim:event:create":{"ref":"https://scim.example.com/Users/44f6142df96bd6ab61e7521d9",
			"attributes":["id","name","userName","password","emails"]}}}`,
		},
		"figure 3, logout token": {
			"https://server.example.com", "s6BhdRkqt3", "bWJq",
			`{"iss":"https://server.example.com","sub":"248289761001","aud":"s6BhdRkqt3","iat":1471566154,"jti":"bWJq",
			"sid":"08a5019c-17e1-4977-8f42-65a12843ea02","events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`,
		},
		"figure 5, RISC": {
			"https://idp.example.com/", "636C69656E745F6964", "756E69717565206964656E746966696572",
			`{"iss":"https://idp.example.com/","jti":"756E69717565206964656E746966696572","iat":1508184845,"aud":"636C69656E745F6964",
			"events":{"https://schemas.openid.net/secevent/risc/event-type/account-disabled":{"subject":{"subject_type":"iss-sub",
			"iss":"https://idp.example.com/","sub":"7375626A656374"},"reason":"hijacking"}}}`,
		},
	} {
		p := Profile{Issuer: c.issuer, Algorithms: []string{"ES256"}, AudienceUnchecked: true}
		rules := setRules()
		rules.Audience = []string{c.audience}
		raw := sign(t, "ES256", setHeader("ES256").json(t), c.claims)
		s, err := verifier(t, p).Statement(raw, onlyKey(keyOf(t, "ES256")), rules, time.Unix(1508184846, 0))
		if err != nil || s.TokenID != c.jti || s.ExpiresAt != 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// RFC 8417 section 2.4 shows its first example unsecured; RFC 8936 section 2.5 has such tokens in its examples.
func TestRFC8417UnsecuredExampleIsRefused(t *testing.T) {
	t.Parallel()
	const header = "eyJ0eXAiOiJzZWNldmVudCtqd3QiLCJhbGciOiJub25lIn0"
	claims := base64.RawURLEncoding.EncodeToString([]byte(goodSET().json(t)))
	for _, signature := range []string{"", "AA"} {
		raw := fmt.Appendf(nil, "%s.%s.%s", header, claims, signature)
		if _, err := verifier(t, goodProfile()).Statement(raw, onlyKey(keyOf(t, "ES256")), setRules(), testNow); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("signature %q: %v", signature, err)
		}
	}
}

func FuzzStatement(f *testing.F) {
	f.Add([]byte(setHeader("EdDSA").json(f)), []byte(goodSET().json(f)), int64(0))
	f.Add([]byte(goodHeader("EdDSA").json(f)), []byte(goodClaims().json(f)), int64(600))
	f.Add([]byte(`{"alg":"EdDSA"}`), []byte(goodSET().json(f)), int64(0))
	f.Add([]byte(`{"alg":"EdDSA","typ":"JWT"}`), []byte(goodSET().with(object{"events": []int{1}, "exp": nil}).json(f)), int64(0))
	private, key, v := signer("EdDSA"), keyOf(f, "EdDSA"), verifier(f, goodProfile())
	rules := setRules()
	rules.Types = []string{"secevent+jwt", "JWT", ""}
	f.Fuzz(func(t *testing.T, header, payload []byte, offset int64) {
		now := time.Unix(epoch+offset%100_000, 0)
		raw := signWith(t, "EdDSA", private, string(header), string(payload))
		s, err := v.Statement(raw, onlyKey(key), rules, now)
		if err != nil {
			if !wrapsOne(err) {
				t.Fatalf("not of the taxonomy: %v", err)
			}
			return
		}
		if s.TokenID == "" || s.Issuer != testIssuer || s.IssuedAt > now.Unix() || s.Claim("events")[0] != '{' ||
			s.Claim("exp") != nil && s.ExpiresAt <= now.Unix() {
			t.Fatalf("accepted with %+v", s)
		}
		if parsed, err := Parse(raw); err != nil {
			t.Fatalf("statement, but %v", err)
		} else if _, err := v.Verify(&parsed, onlyKey(key), now); err == nil {
			t.Fatal("passes as an access token, too")
		}
		raw[len(raw)-20] ^= 1
		if _, err := v.Statement(raw, onlyKey(key), rules, now); err == nil {
			t.Fatal("forged")
		}
	})
}
