package token

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// withStatus is a good token's claims with a claim status of that text.
func withStatus(status string) object {
	return goodClaims().with(object{"status": jsontext.Value(status)})
}

// statusOf is what Verify keeps of a token with a claim status of that text.
func statusOf(t *testing.T, p Profile, status string) (StatusReference, error) {
	t.Helper()
	v, err := verify(t, p, mint(t, "ES256", withStatus(status)), onlyKey(keyOf(t, "ES256")), testNow)
	if err != nil {
		return StatusReference{}, err
	}
	return v.Claims.Status, nil
}

const listURI = "https://example.com/statuslists/1"

// Token Status List section 6.2: the example of a Referenced Token.
func TestStatusOfAReferencedTokenIsRead(t *testing.T) {
	t.Parallel()
	got, err := statusOf(t, goodProfile(), `{"status_list":{"idx":0,"uri":"`+listURI+`"}}`)
	if err != nil || !got.Present() || got.URI() != listURI || got.Index() != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestATokenWithoutStatusHasNone(t *testing.T) {
	t.Parallel()
	v, err := verify(t, goodProfile(), mint(t, "ES256", goodClaims()), onlyKey(keyOf(t, "ES256")), testNow)
	if err != nil {
		t.Fatal(err)
	}
	if s := v.Claims.Status; s.Present() || s.URI() != "" || s.Index() != 0 || s != (StatusReference{}) {
		t.Errorf("%+v", s)
	}
}

func TestStatusIsAcceptedInItsWholeRange(t *testing.T) {
	t.Parallel()
	list := func(idx, uri string) string {
		return fmt.Sprintf(`{"status_list":{"idx":%s,"uri":"%s"}}`, idx, uri)
	}
	for _, c := range []struct {
		status, uri string
		index       uint64
	}{
		{list("9007199254740992", listURI), listURI, 1 << 53},
		{list("1", "https://[2001:db8::1]:8443/l?page=1"), "https://[2001:db8::1]:8443/l?page=1", 1},
		{list("1", `https:\/\/example.com\/\u0061`), "https://example.com/a", 1},
		{`{"identifier_list":{},"status_list":{"x":[{}],"uri":"` + listURI + `","idx":7}}`, listURI, 7},
	} {
		got, err := statusOf(t, goodProfile(), c.status)
		if err != nil || got != NewStatusReference(c.uri, c.index) {
			t.Errorf("%s: %s %d, %v", c.status, got.URI(), got.Index(), err)
		}
	}
}

// Token Status List section 8.3: where a status cannot be looked up, the token is refused.
func TestAStatusThatCannotBeFollowedIsRefused(t *testing.T) {
	t.Parallel()
	entry := func(idx, uri string) string { return `{"status_list":{"idx":` + idx + `,"uri":` + uri + `}}` }
	good := `"` + listURI + `"`
	many := `{"status_list":{"idx":1,"uri":` + good
	for i := range maxMembers {
		many += fmt.Sprintf(`,"m%d":0`, i)
	}
	for _, status := range []string{
		`null`, `"VALID"`, `0`, `true`, `[]`, `{}`, `[{"status_list":{}}]`,
		`{"identifier_list":{"id":"1","uri":"https://example.com/1"}}`, // another mechanism, alone
		`{"Status_List":{"idx":1,"uri":` + good + `}}`,
		`{"status_list":null}`, `{"status_list":[]}`, `{"status_list":{}}`, `{"status_list":"1"}`,
		`{"status_list":{"idx":1}}`, `{"status_list":{"uri":` + good + `}}`,
		entry(`-1`, good), entry(`-0`, good), entry(`1.0`, good), entry(`1.5`, good), entry(`1e0`, good), entry(`"1"`, good),
		entry(`null`, good), entry(`9007199254740993`, good), entry(`18446744073709551616`, good), entry(`[1]`, good),
		entry(`1`, `null`), entry(`1`, `1`), entry(`1`, `""`), entry(`1`, `"/statuslists/1"`), entry(`1`, `"//example.com/1"`),
		entry(`1`, `"http://example.com/1"`), entry(`1`, `"file:///etc/passwd"`), entry(`1`, `"https:///1"`),
		entry(`1`, `"https://"`), entry(`1`, `"https://:443/1"`), entry(`1`, `"https:example.com/1"`),
		entry(`1`, `"https://user@example.com/1"`), entry(`1`, `"https://u:p@example.com/1"`),
		entry(`1`, `"https://example.com/1#2"`), entry(`1`, `"https://example.com/1#"`), entry(`1`, `"https://example.com/a b"`),
		entry(`1`, `"https://example.com/\u00e9"`), entry(`1`, `"https://example.com/\n"`), entry(`1`, `"https://example.com\\1"`),
		entry(`1`, `"https://example.com:port/1"`), entry(`1`, `"https://example.com/%zz"`), entry(`1`, `" `+listURI+`"`),
		entry(`1`, `"https://example.com/`+strings.Repeat("a", MaxStringBytes)+`"`),
		many + `}}`,
	} {
		if got, err := statusOf(t, goodProfile(), status); !errors.Is(err, ErrClaimInvalid) || !wrapsOne(err) {
			t.Errorf("%.80s: %+v, %v", status, got, err)
		}
	}
}

func TestAStatusListOverPlainHTTPNeedsItsProfile(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.StatusPlainHTTP = true
	for uri, want := range map[string]bool{
		"http://10.0.0.1/1": true, "https://10.0.0.1/1": true, "ftp://10.0.0.1/1": false, "http:///1": false,
	} {
		_, err := statusOf(t, p, `{"status_list":{"idx":1,"uri":"`+uri+`"}}`)
		if (err == nil) != want {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestAClaimOfThatNameThatIsNoStatusCanBeIgnored(t *testing.T) {
	t.Parallel()
	p := goodProfile()
	p.StatusIgnored = true
	for _, status := range []string{`"ACTIVE"`, `{}`, `{"status_list":{"idx":1,"uri":"` + listURI + `"}}`} {
		if got, err := statusOf(t, p, status); err != nil || got.Present() {
			t.Errorf("%s: %+v, %v", status, got, err)
		}
	}
}

func TestAnIntrospectedTokenHasItsStatusFromTheAnswer(t *testing.T) {
	t.Parallel()
	v := verifier(t, goodProfile())
	for _, status := range []string{`"active"`, `{"status_list":{"idx":1,"uri":"` + listURI + `"}}`} {
		answer := goodAnswer().with(object{"status": jsontext.Value(status)}).json(t)
		got, err := v.Introspected([]byte(answer), 0, testNow)
		if err != nil || got.Claims.Status.Present() {
			t.Errorf("%s: %+v, %v", status, got.Claims, err)
		}
	}
}

// An issuer that is asked about a JWT can shorten it, but not detach it from its list.
func TestConfirmingATokenKeepsItsStatus(t *testing.T) {
	t.Parallel()
	v := verifier(t, goodProfile())
	raw := mint(t, "ES256", withStatus(`{"status_list":{"idx":5,"uri":"`+listURI+`"}}`))
	verified, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "ES256")), testNow)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Confirmed(fmt.Appendf(nil, `{"active":true,"exp":%d}`, epoch+60), verified, testNow)
	if err != nil || got.Claims.ExpiresAt != epoch+60 || got.Claims.Status != NewStatusReference(listURI, 5) {
		t.Errorf("%+v, %v", got.Claims, err)
	}
}

// RFC 7519 section 4.1.1 makes iss optional, and Token Status List section 5.1 does not have it.
func TestAStatementWithoutIssuerNeedsItsRule(t *testing.T) {
	t.Parallel()
	v, key := verifier(t, goodProfile()), onlyKey(keyOf(t, "ES256"))
	header := goodHeader("ES256").with(object{"typ": "statuslist+jwt"}).json(t)
	rules := StatementRules{Types: []string{"statuslist+jwt"}, Require: []string{"status_list"}}
	for payload, want := range map[string]error{
		`{"iat":1750000000,"status_list":{}}`:                                nil,
		`{"iss":"https://issuer.example","iat":1750000000,"status_list":{}}`: nil,
		`{"iss":"https://other.example","iat":1750000000,"status_list":{}}`:  ErrIssuer,
		`{"iss":"","iat":1750000000,"status_list":{}}`:                       ErrClaimMissing,
		`{"iss":null,"iat":1750000000,"status_list":{}}`:                     ErrClaimInvalid,
	} {
		rules.IssuerOptional = true
		s, err := v.Statement(sign(t, "ES256", header, payload), key, rules, testNow)
		if !errors.Is(err, want) || err == nil && s.Issuer != testIssuer {
			t.Errorf("%s: %+v, %v", payload, s.Issuer, err)
		}
	}
	rules.IssuerOptional = false
	raw := sign(t, "ES256", header, `{"iat":1750000000,"status_list":{}}`)
	if _, err := v.Statement(raw, key, rules, testNow); !errors.Is(err, ErrClaimMissing) {
		t.Error(err)
	}
}

func FuzzStatus(f *testing.F) {
	for _, seed := range []string{
		`{"status_list":{"idx":0,"uri":"https://example.com/statuslists/1"}}`, `{"status_list":{"idx":1,"uri":"http://[::1]/%61"}}`,
		`{"status_list":{"idx":9007199254740993,"uri":"https://e/1"}}`, `{"x":{},"status_list":{}}`, `null`, `"VALID"`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, value []byte, plain bool) {
		// As Parse has passed it: one JSON value without duplicate names.
		if !jsontext.Value(value).IsValid() || strings.TrimSpace(string(value)) != string(value) {
			return
		}
		p := Profile{StatusPlainHTTP: plain}
		s, err := readStatus([]member{{[]byte("status"), value}}, &p)
		if err != nil {
			if !errors.Is(err, ErrClaimInvalid) || !wrapsOne(err) {
				t.Fatalf("not of the taxonomy: %v", err)
			}
			return
		}
		scheme, rest, _ := strings.Cut(s.uri, "://")
		if scheme = strings.ToLower(scheme); scheme != "https" && (scheme != "http" || !plain) {
			t.Fatalf("scheme of %q", s.uri)
		}
		if authority, _, _ := strings.Cut(rest, "/"); authority == "" || len(s.uri) > MaxStringBytes || s.index > maxStatusIndex {
			t.Fatalf("%q %d", s.uri, s.index)
		}
		if r := s.reference(); !r.Present() || r.URI() != s.uri || r.Index() != s.index {
			t.Fatalf("%+v", r)
		}
	})
}
