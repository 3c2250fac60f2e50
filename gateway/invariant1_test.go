package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// faulty returns a token with one of the corpus' faults.
func (r *rig) faulty(fault corpus.Fault) string {
	r.tb.Helper()
	raw, err := corpus.NewToken(r.backend.Issuer(), r.backend.Audience(), time.Now()).SignFaulty(testKeys()["ES256"], fault)
	if err != nil {
		r.tb.Fatal(err)
	}
	return raw
}

// verbatim signs header and claims as they are.
func (r *rig) verbatim(header, claims string) string {
	r.tb.Helper()
	raw, err := testKeys()["ES256"].SignCompact([]byte(header), []byte(claims))
	if err != nil {
		r.tb.Fatal(err)
	}
	return raw
}

// hmacWithPublicKey is the oldest confusion: a MAC whose secret everybody has.
func (r *rig) hmacWithPublicKey() string {
	r.tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(testKeys()["RS256"].Public())
	if err != nil {
		r.tb.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(`{"alg":"HS256","kid":"rs-1","typ":"JWT"}`)) + "." + encode([]byte(r.claims("")))
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(input))
	return input + "." + encode(mac.Sum(nil))
}

// claims returns good claims as JSON, with more members at the end.
func (r *rig) claims(more string) string {
	return fmt.Sprintf(`{"iss":%q,"aud":"tthc","sub":"s","exp":%d,"account_type":"1","account_level":2%s}`,
		r.backend.Issuer(), time.Now().Add(time.Hour).Unix(), more)
}

func TestInvariant1NothingUnverifiedPasses(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	good := r.token()
	const header = `{"alg":"ES256","kid":"es-1","typ":"at+jwt"}`
	cases := []struct {
		name   string
		fields []string
		status int
		code   string
	}{
		{"no credential", nil, 401, "credential_missing"},
		{"bearer without token", []string{"Authorization: Bearer"}, 400, "credential_malformed"},
		{"bearer with blanks", []string{"Authorization: Bearer   "}, 400, "credential_malformed"},
		{"bearer and a tab", []string{"Authorization: Bearer\t" + good}, 400, "credential_malformed"},
		{"bearer, a blank and a tab", []string{"Authorization: Bearer \t" + good}, 400, "credential_malformed"},
		{"authorization without value", []string{"Authorization:"}, 401, "credential_missing"},
		{"basic", []string{"Authorization: Basic dXNlcjpwYXNz"}, 401, "credential_missing"},
		{"the token alone", []string{"Authorization: " + good}, 401, "credential_missing"},
		{"another scheme with the token", []string{"Authorization: BearerX " + good}, 401, "credential_missing"},
		{"lower-case scheme, forged", []string{"authorization: bearer " + r.faulty(corpus.Forged)}, 401, "signature_invalid"},
		{"upper-case scheme, forged", []string{"AUTHORIZATION: BEARER " + r.faulty(corpus.Forged)}, 401, "signature_invalid"},
		{"two fields", []string{bearer(good), bearer(good)}, 400, "credentials_multiple"},
		{"two fields, one basic", []string{bearer(good), "Authorization: Basic dXNlcjpwYXNz"}, 400, "credentials_multiple"},
		{"two fields in other case", []string{bearer(good), "aUTHORIZATION: Bearer x"}, 400, "credentials_multiple"},
		{"header and cookie", []string{bearer(good), "Cookie: session=" + good}, 400, "credentials_multiple"},
		{"cookie twice in a field", []string{"Cookie: session=" + good + "; session=" + good}, 400, "credentials_multiple"},
		{"cookie in two fields", []string{"Cookie: session=" + good, "Cookie: session=" + good}, 400, "credentials_multiple"},
		{"cookie behind many fields", []string{"Cookie: a=1", "Cookie: b=1", "Cookie: c=1", "Cookie: d=1", "Cookie: session=" + good}, 400, "credentials_multiple"},
		{"cookie empty", []string{"Cookie: session="}, 401, "credential_missing"},
		{"cookie of another name", []string{"Cookie: Session=" + good + "; xsession=" + good}, 401, "credential_missing"},
		{"cookie forged", []string{"Cookie: session=" + r.faulty(corpus.Forged)}, 401, "signature_invalid"},
		{"comma-joined", []string{bearer(good) + ", Bearer " + good}, 400, "credential_malformed"},
		{"comma-joined without blank", []string{bearer(good) + "," + good}, 400, "credential_malformed"},
		{"two tokens", []string{bearer(good) + " " + good}, 400, "credential_malformed"},
		{"one byte beyond 8 KiB", []string{bearer(strings.Repeat("a", 8<<10+1))}, 400, "token_too_large"},
		{"8 KiB of nothing", []string{bearer(strings.Repeat("a", 8<<10))}, 401, "token_malformed"},
		{"cookie beyond 8 KiB", []string{"Cookie: session=" + strings.Repeat("a", 8<<10+1)}, 400, "token_too_large"},
		{"no token at all", []string{bearer("a.b.c")}, 401, "token_malformed"},
		{"dots only", []string{bearer(strings.Repeat(".", 8000))}, 401, "token_malformed"},
		{"padded", []string{bearer(good + "=")}, 401, "token_malformed"},
		{"in the query", nil, 401, "credential_missing"},
		{"truncated", []string{bearer(good[:len(good)-2])}, 401, "signature_invalid"},
		{"alg none", []string{bearer(r.faulty(corpus.AlgNone))}, 401, "token_algorithm_not_allowed"},
		{"MAC under the public key", []string{bearer(r.hmacWithPublicKey())}, 401, "token_algorithm_not_allowed"},
		{"alg of another key", []string{bearer(r.verbatim(`{"alg":"RS256","kid":"es-1","typ":"at+jwt"}`, r.claims("")))}, 401, "key_unknown"},
		{"forged", []string{bearer(r.faulty(corpus.Forged))}, 401, "signature_invalid"},
		{"expired", []string{bearer(r.faulty(corpus.Expired))}, 401, "token_expired"},
		{"not yet valid", []string{bearer(r.faulty(corpus.NotYetValid))}, 401, "token_not_yet_valid"},
		{"wrong audience", []string{bearer(r.faulty(corpus.WrongAudience))}, 401, "audience_mismatch"},
		{"wrong issuer", []string{bearer(r.faulty(corpus.WrongIssuer))}, 401, "issuer_unknown"},
		{"unknown kid", []string{bearer(r.faulty(corpus.UnknownKid))}, 401, "key_unknown"},
		{"duplicate claim", []string{bearer(r.verbatim(header, r.claims(`,"sub":"other"`)))}, 401, "token_malformed"},
		{"duplicate header member", []string{bearer(r.verbatim(`{"alg":"none",`+header[1:], r.claims("")))}, 401, "token_malformed"},
		{"logout token", []string{bearer(r.token(func(t *corpus.Token) { t.Type = "logout+jwt" }))}, 401, "token_type_not_allowed"},
		{"crit", []string{bearer(r.token(func(t *corpus.Token) { t.Header = map[string]any{"crit": []string{"b64"}} }))}, 401, "token_critical_header"},
		{"no exp", []string{bearer(r.token(func(t *corpus.Token) { t.Expires = time.Time{} }))}, 401, "claim_missing"},
		{"exp as a string", []string{bearer(r.token(func(t *corpus.Token) { t.Claims = map[string]any{"exp": "4102444800"} }))}, 401, "claim_invalid"},
		{"issued in the future", []string{bearer(r.token(func(t *corpus.Token) { t.IssuedAt = time.Now().Add(time.Hour) }))}, 401, "token_issued_in_future"},
		{"of an issuer of other sites", []string{bearer(r.legacyToken())}, 401, "issuer_not_accepted"},
	}
	for _, c := range cases {
		target := "/private/" + strings.ReplaceAll(c.name, " ", "-")
		if c.name == "in the query" {
			target += "?access_token=" + good
		}
		a := r.get(target, c.fields...)
		if a.status != c.status || a.code != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.name, a.status, a.code, c.status, c.code)
		}
		// RFC 9110 section 15.5.2.
		if c.status == 401 && a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no challenge", c.name)
		}
	}
	if n := r.reached(); n != 0 {
		t.Fatalf("%d requests reached the upstream: %q", n, r.upstream.Requests()[0].Lines())
	}
	// The control: what is right does pass.
	for _, field := range []string{bearer(good), "authorization: bEARER  " + good, "Cookie: a=b; session=" + good + "; c=d", "Cookie: session=\"" + good + "\""} {
		if a := r.get("/private/good", field); a.status != 200 {
			t.Errorf("%.20s…: %d %s", field, a.status, a.code)
		}
	}
}

func (r *rig) legacyToken() string {
	r.tb.Helper()
	raw, err := r.legacy.Token("citizen2", "")
	if err != nil {
		r.tb.Fatal(err)
	}
	return raw
}
