package token

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// unsigned makes a token of sound form whose signature is no signature.
func unsigned(header, payload string) []byte {
	return []byte(b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload)) + ".c2ln")
}

const (
	plainHeader  = `{"alg":"ES256"}`
	plainPayload = `{"iss":"https://issuer.example"}`
)

func TestParseReadsWhatTheCallerChoosesBy(t *testing.T) {
	t.Parallel()
	p, err := Parse(unsigned(`{"typ":"JWT","alg":"PS384","kid":"k\u002d1"}`, plainPayload))
	if err != nil {
		t.Fatal(err)
	}
	if p.Issuer != testIssuer || p.KeyID != "k-1" || p.Algorithm() != "PS384" {
		t.Errorf("got issuer %q, kid %q, alg %q", p.Issuer, p.KeyID, p.Algorithm())
	}
}

func TestParseRefusesWrongForm(t *testing.T) {
	t.Parallel()
	h, p := b64.EncodeToString([]byte(plainHeader)), b64.EncodeToString([]byte(plainPayload))
	good := h + "." + p + ".c2ln"
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatalf("the token that the cases vary: %v", err)
	}
	cases := []struct {
		name, raw string
		want      error
	}{
		{"empty", "", ErrMalformed},
		{"one segment", h, ErrMalformed},
		{"two segments", h + "." + p, ErrMalformed},
		{"four segments", good + ".c2ln", ErrMalformed},
		{"trailing dot", good + ".", ErrMalformed},
		{"five segments are a JWE", good + ".c2ln.c2ln", ErrMalformed},
		{"only dots", "..", ErrMalformed},
		{"empty header", "." + p + ".c2ln", ErrMalformed},
		{"empty payload", h + "..c2ln", ErrMalformed},
		{"empty signature", h + "." + p + ".", ErrMalformed},
		{"padding", good + "=", ErrMalformed},
		{"padded header", b64.EncodeToString([]byte(plainHeader+" ")) + "==." + p + ".c2ln", ErrMalformed},
		{"standard alphabet", h + "." + p + ".c2+n", ErrMalformed},
		{"slash", h + "." + p + ".c2/n", ErrMalformed},
		{"space before", " " + good, ErrMalformed},
		{"space after", good + " ", ErrMalformed},
		{"line feed inside the signature", h + "." + p + ".c2\nln", ErrMalformed},
		{"carriage return inside the payload", h + "." + p[:4] + "\r" + p[4:] + ".c2ln", ErrMalformed},
		{"line feed at the end", good + "\n", ErrMalformed},
		{"tab", h + "." + p + ".c2\tln", ErrMalformed},
		{"null byte", h + "." + p + ".c2\x00n", ErrMalformed},
		{"non-ASCII", h + "." + p + ".c2é", ErrMalformed},
		{"last bits zero", h + "." + p + ".c2k", nil},
		{"last bits not zero", h + "." + p + ".c2l", ErrMalformed},
		{"one character left over", h + "." + p + ".c2lnc", ErrMalformed},
		{"too large", strings.Repeat("A", MaxTokenBytes+1), ErrTooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse([]byte(c.raw)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestParseRefusesHeader(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, header string
		want         error
	}{
		{"good", plainHeader, nil},
		{"white space around", " \r\n\t" + plainHeader + "\n", nil},
		{"not an object", `["alg"]`, ErrMalformed},
		{"a string", `"alg"`, ErrMalformed},
		{"null", `null`, ErrMalformed},
		{"not JSON", `{"alg":"ES256"`, ErrMalformed},
		{"comma at the end", `{"alg":"ES256",}`, ErrMalformed},
		{"comment", `{"alg":"ES256"/**/}`, ErrMalformed},
		{"data after it", `{"alg":"ES256"}{}`, ErrMalformed},
		{"letter after it", `{"alg":"ES256"}x`, ErrMalformed},
		{"byte order mark", "\ufeff" + plainHeader, ErrMalformed},
		{"invalid UTF-8", "{\"alg\":\"ES256\",\"x\":\"\xff\"}", ErrMalformed},
		{"lone surrogate", `{"alg":"ES256","x":"\ud800"}`, ErrMalformed},
		{"duplicate alg", `{"alg":"ES256","alg":"ES256"}`, ErrMalformed},
		{"duplicate alg, escaped", `{"alg":"ES256","\u0061lg":"none"}`, ErrMalformed},
		{"duplicate in depth", `{"alg":"ES256","x":{"a":1,"a":1}}`, ErrMalformed},
		{"other case is another member", `{"alg":"ES256","ALG":"none"}`, nil},
		{"no alg", `{"typ":"JWT"}`, ErrMalformed},
		{"no alg but in other case", `{"Alg":"ES256"}`, ErrMalformed},
		{"alg null", `{"alg":null}`, ErrMalformed},
		{"alg number", `{"alg":1}`, ErrMalformed},
		{"alg array", `{"alg":["ES256"]}`, ErrMalformed},
		{"alg empty", `{"alg":""}`, ErrAlgorithm},
		{"alg none", `{"alg":"none"}`, ErrAlgorithm},
		{"alg None", `{"alg":"None"}`, ErrAlgorithm},
		{"alg NONE", `{"alg":"NONE"}`, ErrAlgorithm},
		{"alg in other case", `{"alg":"es256"}`, ErrAlgorithm},
		{"alg with space", `{"alg":"ES256 "}`, ErrAlgorithm},
		{"alg HS256", `{"alg":"HS256"}`, ErrAlgorithm},
		{"alg of encryption", `{"alg":"RSA-OAEP"}`, ErrAlgorithm},
		{"kid number", `{"alg":"ES256","kid":1}`, ErrMalformed},
		{"kid null", `{"alg":"ES256","kid":null}`, ErrMalformed},
		{"kid longest", `{"alg":"ES256","kid":"` + strings.Repeat("k", MaxStringBytes) + `"}`, nil},
		{"kid too long", `{"alg":"ES256","kid":"` + strings.Repeat("k", MaxStringBytes+1) + `"}`, ErrMalformed},
		{"kid with line break", `{"alg":"ES256","kid":"a\nb"}`, ErrMalformed},
		{"typ number", `{"alg":"ES256","typ":1}`, ErrMalformed},
		{"crit", `{"alg":"ES256","crit":["exp"],"exp":1}`, ErrCritical},
		{"crit empty", `{"alg":"ES256","crit":[]}`, ErrCritical},
		{"crit null", `{"alg":"ES256","crit":null}`, ErrCritical},
		{"crit, escaped", `{"alg":"ES256","\u0063rit":["x"]}`, ErrCritical},
		{"b64 false", `{"alg":"ES256","b64":false}`, ErrCritical},
		{"b64 true", `{"alg":"ES256","b64":true}`, ErrCritical},
		{"zip", `{"alg":"ES256","zip":"DEF"}`, ErrCritical},
		{"enc", `{"alg":"ES256","enc":"A128GCM"}`, ErrCritical},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse(unsigned(c.header, plainPayload)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth-1) + `[]` + strings.Repeat(`}`, depth-1)
}

func manyMembers(n int) string {
	var b strings.Builder
	b.WriteString(`{"iss":"i"`)
	for i := range n - 1 {
		fmt.Fprintf(&b, `,"m%d":0`, i)
	}
	return b.String() + "}"
}

func TestParseRefusesPayload(t *testing.T) {
	t.Parallel()
	array := func(n int) string { return `{"iss":"i","a":[` + strings.Repeat("0,", n-1) + `0]}` }
	cases := []struct {
		name, payload string
		want          error
	}{
		{"good", plainPayload, nil},
		{"escaped name", `{"\u0069ss":"https:\/\/issuer.example"}`, nil},
		{"not JSON", `foo`, ErrMalformed},
		{"an array", `[{"iss":"i"}]`, ErrMalformed},
		{"duplicate iss", `{"iss":"a","iss":"a"}`, ErrMalformed},
		{"duplicate aud, other case", `{"iss":"i","aud":"other","AUD":"ours"}`, nil},
		{"duplicate in depth", `{"iss":"i","x":[{"a":1,"\u0061":1}]}`, ErrMalformed},
		{"data after it", `{"iss":"i"} 1`, ErrMalformed},
		{"largest number", `{"iss":"i","x":1.7976931348623157e308}`, nil},
		{"number out of range", `{"iss":"i","x":1E309}`, ErrMalformed},
		{"number out of range in depth", `{"iss":"i","x":[{"y":-2e999}]}`, ErrMalformed},
		{"number out of range without exponent", `{"iss":"i","x":2` + strings.Repeat("0", 308) + `}`, ErrMalformed},
		{"number next to nought", `{"iss":"i","x":1e-999}`, nil},
		{"a second object", `{"iss":"i"}{"iss":"i"}`, ErrMalformed},
		{"NaN", `{"iss":"i","x":NaN}`, ErrMalformed},
		{"leading zero", `{"iss":"i","exp":01}`, ErrMalformed},
		{"invalid UTF-8 in a name", "{\"iss\":\"i\",\"\xc0\":1}", ErrMalformed},
		{"invalid UTF-8 in depth", "{\"iss\":\"i\",\"x\":[\"\xed\xa0\x80\"]}", ErrMalformed},
		{"raw control character", "{\"iss\":\"i\",\"x\":\"\n\"}", ErrMalformed},
		{"deepest", `{"iss":"i","x":` + nested(maxDepth-1) + `}`, nil},
		{"too deep", `{"iss":"i","x":` + nested(maxDepth) + `}`, ErrMalformed},
		{"unclosed, very deep", `{"iss":"i","x":` + strings.Repeat("[", 40_000), ErrMalformed},
		{"most members", manyMembers(maxMembers), nil},
		{"too many members", manyMembers(maxMembers + 1), ErrMalformed},
		{"most values", array(maxValues - 8), nil},
		{"too many values", array(maxValues), ErrMalformed},
		{"no iss", `{"sub":"s"}`, ErrClaimMissing},
		{"no iss but in other case", `{"Iss":"i"}`, ErrClaimMissing},
		{"no iss but with a long s", `{"iſſ":"i"}`, ErrClaimMissing},
		{"iss in depth", `{"x":{"iss":"i"}}`, ErrClaimMissing},
		{"iss empty", `{"iss":""}`, ErrClaimMissing},
		{"iss null", `{"iss":null}`, ErrClaimInvalid},
		{"iss array", `{"iss":["i"]}`, ErrClaimInvalid},
		{"iss too long", `{"iss":"` + strings.Repeat("i", MaxStringBytes+1) + `"}`, ErrClaimInvalid},
		{"iss with null character", `{"iss":"i\u0000"}`, ErrClaimInvalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse(unsigned(plainHeader, c.payload)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestParseLeavesTheCallersBytesAlone(t *testing.T) {
	t.Parallel()
	raw := mint(t, "ES256", goodClaims())
	before := bytes.Clone(raw)
	if _, err := verify(t, goodProfile(), raw, onlyKey(keyOf(t, "ES256")), testNow); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, before) {
		t.Error("the token was changed")
	}
}
