package logout_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
)

// Section 2.6, each step by itself.
func TestWhatIsNoLogoutTokenIsRefused(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for name, tc := range map[string]struct {
		change claims
		want   logout.Outcome
	}{
		"another issuer":               {claims{"iss": issuer + "/"}, logout.Issuer},
		"no issuer":                    {claims{"iss": nil}, logout.Claims},
		"another audience":             {claims{"aud": "another"}, logout.Audience},
		"an access token's audience":   {claims{"aud": "api"}, logout.Audience},
		"ours among the audiences":     {claims{"aud": []string{"another", clientID}}, logout.Accepted},
		"no audience":                  {claims{"aud": nil}, logout.Claims},
		"no iat":                       {claims{"iat": nil}, logout.Claims},
		"iat at the leeway":            {claims{"iat": at(leeway)}, logout.Accepted},
		"iat beyond the leeway":        {claims{"iat": at(leeway + time.Second)}, logout.Early},
		"no exp":                       {claims{"exp": nil}, logout.Claims},
		"exp within the leeway":        {claims{"exp": at(time.Second - leeway)}, logout.Accepted},
		"exp at the leeway":            {claims{"exp": at(-leeway)}, logout.Expired},
		"nbf to come":                  {claims{"nbf": at(time.Hour)}, logout.Early},
		"no jti":                       {claims{"jti": nil}, logout.Claims},
		"an empty jti":                 {claims{"jti": ""}, logout.Claims},
		"a jti that is a number":       {claims{"jti": 1}, logout.Claims},
		"neither sub nor sid":          {claims{"sub": nil, "sid": nil}, logout.Nobody},
		"both empty":                   {claims{"sub": "", "sid": ""}, logout.Nobody},
		"a sid that is a number":       {claims{"sid": 1}, logout.Claims},
		"a sid that is too long":       {claims{"sid": strings.Repeat("x", 5000)}, logout.Claims},
		"no events":                    {claims{"events": nil}, logout.Claims},
		"no event":                     {claims{"events": claims{}}, logout.Event},
		"another event":                {claims{"events": claims{event + "s": claims{}}}, logout.Event},
		"an event that is null":        {claims{"events": claims{event: nil}}, logout.Event},
		"an event that is true":        {claims{"events": claims{event: true}}, logout.Event},
		"an event that is an array":    {claims{"events": claims{event: []int{}}}, logout.Event},
		"events that are an array":     {claims{"events": []string{event}}, logout.Claims},
		"an event with members":        {claims{"events": claims{event: claims{"x": 1}}}, logout.Accepted},
		"an event beside":              {claims{"events": claims{event: claims{}, "revoke_offline_access": true}}, logout.Accepted},
		"a nonce":                      {claims{"nonce": "n-0S6_WzA2Mj"}, logout.Nonce},
		"an empty nonce":               {claims{"nonce": ""}, logout.Nonce},
		"claims that nobody knows":     {claims{"trace_id": "x", "typ": "Logout"}, logout.Accepted},
		"an iat that lies long before": {claims{"iat": at(-24 * time.Hour)}, logout.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			got := w.logOut(tc.change)
			w.want(logout.Stats{}, tc.want)
			if good := tc.want == logout.Accepted; (got.Code == http.StatusOK) != good || (len(w.intake.taken()) > 0) != good {
				t.Errorf("%d %s", got.Code, got.Body)
			} else if !good && (got.Code != 400 || !strings.HasPrefix(got.Body.String(), `{"error":"invalid_request","error_description":"`)) {
				t.Errorf("%d %s", got.Code, got.Body)
			}
		})
	}
}

func TestNonceThatIsNullIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	header := `{"alg":"EdDSA","kid":"issuer-key","typ":"logout+jwt"}`
	payload := `{"iss":"` + issuer + `","aud":"tthc","iat":1751371200,"exp":1751371320,"jti":"x","sub":"y","nonce":null,` +
		`"events":{"` + event + `":{}}}`
	signed, err := w.signer.SignCompact([]byte(header), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	w.post(form(signed))
	w.want(logout.Stats{}, logout.Nonce)
}

func TestTypeIsLogoutUnlessUntypedTokensAreAllowed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typ             string
		strict, lenient logout.Outcome
	}{
		{"logout+jwt", logout.Accepted, logout.Accepted},
		{"application/logout+jwt", logout.Accepted, logout.Accepted},
		{"LOGOUT+JWT", logout.Accepted, logout.Accepted},
		{"JWT", logout.Type, logout.Accepted},
		{"", logout.Type, logout.Accepted},
		{"at+jwt", logout.Type, logout.Type},
		{"secevent+jwt", logout.Type, logout.Type},
	} {
		for untyped, want := range map[bool]logout.Outcome{false: tc.strict, true: tc.lenient} {
			w := newWorld(t, func(c *logout.Config) { c.AllowUntyped = untyped })
			w.post(form(w.sign(tc.typ, w.good())))
			w.want(logout.Stats{}, want)
		}
	}
}

func TestMaxAgeBoundsIat(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		age  time.Duration
		want logout.Outcome
	}{{time.Hour + leeway, logout.Accepted}, {time.Hour + leeway + time.Second, logout.Expired}} {
		w := newWorld(t, func(c *logout.Config) { c.MaxAge = time.Hour })
		w.logOut(claims{"iat": noon.Add(-tc.age).Unix()})
		w.want(logout.Stats{}, tc.want)
	}
}

func TestOnlyAKeyOfTheIssuerProvesALogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	stranger, err := corpus.NewKey("EdDSA", "issuer-key")
	if err != nil {
		t.Fatal(err)
	}
	other, err := corpus.NewKey("EdDSA", "other-key")
	if err != nil {
		t.Fatal(err)
	}
	weak, err := corpus.NewKey("ES256", "issuer-key")
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key *corpus.Key) string {
		signed, err := corpus.Token{Type: "logout+jwt", Claims: w.good()}.Sign(key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	good := w.sign("logout+jwt", w.good())
	_, rest, _ := strings.Cut(good, ".")
	payload, _, _ := strings.Cut(rest, ".")
	_, rest, _ = strings.Cut(w.sign("logout+jwt", w.good(claims{"sid": "another"})), ".")
	otherPayload, _, _ := strings.Cut(rest, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"logout+jwt"}`)) + "." + payload + "."
	for name, tc := range map[string]struct {
		raw  string
		want logout.Outcome
	}{
		"another key of that kid":      {sign(stranger), logout.Signature},
		"another kid":                  {sign(other), logout.KeyUnknown},
		"an algorithm of no use":       {sign(weak), logout.Algorithm},
		"alg none":                     {none, logout.Algorithm},
		"alg none with some signature": {none + "AAAA", logout.Algorithm},
		"without signature":            {good[:strings.LastIndexByte(good, '.')+1], logout.Malformed},
		"an encrypted token":           {"e30.AAAA.AAAA.AAAA.AAAA", logout.Malformed},
		"no token":                     {"x", logout.Malformed},
		"a token that is far too long": {strings.Repeat("A", 30<<10), logout.Malformed},
		"another's claims":             {strings.Replace(good, payload, otherPayload, 1), logout.Signature},
	} {
		before := w.Stats()
		got := w.post(form(tc.raw))
		if w.Stats().Requests[tc.want] != before.Requests[tc.want]+1 {
			t.Errorf("%s: %s", name, got.Body)
		}
		if got.Code != http.StatusBadRequest || w.intake.calls > 0 {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
	w.keys.key.Withdraw()
	before := w.Stats()
	w.post(form(good))
	w.want(before, logout.KeyUnknown)
}
