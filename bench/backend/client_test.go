package backend_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestAClientAuthenticatesByItsSecretInOneWay(t *testing.T) {
	t.Parallel()
	b := startIntrospection(t, nil)
	escaped := url.QueryEscape(secret)
	for name, c := range map[string]struct {
		basic *url.Userinfo
		form  url.Values
		want  int
	}{
		"basic":                   {url.UserPassword("gateway", escaped), nil, 200},
		"basic, not encoded":      {url.UserPassword("gateway", secret), nil, 401},
		"basic, wrong secret":     {url.UserPassword("gateway", "wrong"), nil, 401},
		"basic, no secret":        {url.UserPassword("gateway", ""), nil, 401},
		"basic, unknown client":   {url.UserPassword("nobody", escaped), nil, 401},
		"basic, has no secret":    {url.UserPassword("signer", ""), nil, 401},
		"basic, another way":      {url.UserPassword("poster", escaped), nil, 401},
		"post":                    {nil, url.Values{"client_id": {"gateway"}, "client_secret": {secret}}, 200},
		"post, its only way":      {nil, url.Values{"client_id": {"poster"}, "client_secret": {secret}}, 200},
		"post, wrong secret":      {nil, url.Values{"client_id": {"gateway"}, "client_secret": {"wrong"}}, 401},
		"post, no client":         {nil, url.Values{"client_secret": {secret}}, 401},
		"post, two clients":       {nil, url.Values{"client_id": {"gateway", "x"}, "client_secret": {secret}}, 400},
		"nothing":                 {nil, nil, 401},
		"only an id":              {nil, url.Values{"client_id": {"gateway"}}, 401},
		"basic and post":          {url.UserPassword("gateway", escaped), url.Values{"client_secret": {secret}}, 400},
		"basic and an assertion":  {url.UserPassword("gateway", escaped), url.Values{"client_assertion": {"x"}}, 400},
		"a secret and assertion":  {nil, url.Values{"client_secret": {secret}, "client_assertion": {"x"}}, 400},
		"an assertion of no type": {nil, url.Values{"client_assertion": {"x"}}, 400},
	} {
		form := url.Values{"token": {"x"}}
		maps.Copy(form, c.form)
		request := newRequest(t, http.MethodPost, b.URL()+backend.IntrospectPath, form)
		if c.basic != nil {
			password, _ := c.basic.Password()
			request.SetBasicAuth(c.basic.Username(), password)
		}
		response, body := do(t, request)
		if response.StatusCode != c.want || (c.want == 401) != (response.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s: %d %v %s", name, response.StatusCode, response.Header, body)
		}
	}
}

func TestAClientAssertionHoldsOnceForThisServerInItsTime(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	b := startIntrospection(t, func() time.Time { return now })
	right := func(jti string) map[string]any {
		return map[string]any{"iss": "signer", "sub": "signer", "aud": b.Issuer(), "jti": jti, "exp": now.Unix() + 60, "iat": now.Unix()}
	}
	signed := func(key *corpus.Key, claims map[string]any) string {
		payload, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := key.SignCompact([]byte(`{"alg":"`+key.Algorithm()+`"}`), payload)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	with := func(name string, value any) string {
		claims := right("with " + name)
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
		return signed(keys()[0], claims)
	}
	twin, err := keys()[0].Twin()
	if err != nil {
		t.Fatal(err)
	}
	once := signed(keys()[0], right("once"))
	for _, c := range []struct {
		name, assertion, clientID string
		want                      int
	}{
		{"right", once, "", 200},
		{"used before", once, "", 401},
		{"with its client_id", signed(keys()[0], right("2")), "signer", 200},
		{"with another client_id", signed(keys()[0], right("3")), "gateway", 401},
		{"for the endpoint", with("aud", []string{"x", b.Issuer() + backend.IntrospectPath}), "", 200},
		{"for another server", with("aud", "https://another-issuer.example"), "", 401},
		{"for no server", with("aud", nil), "", 401},
		{"expired", with("exp", now.Unix()), "", 401},
		{"without end", with("exp", nil), "", 401},
		{"for too long", with("exp", now.Unix()+601), "", 401},
		{"from the future", with("nbf", now.Unix()+1), "", 401},
		{"without jti", with("jti", nil), "", 401},
		{"of another issuer", with("iss", "gateway"), "", 401},
		{"of an unknown client", with("sub", "nobody"), "", 401},
		{"of a client without key", with("sub", "gateway"), "", 401},
		{"signed by another key", signed(twin, right("4")), "", 401},
		{"signed with another algorithm", signed(keys()[1], right("5")), "", 401},
		{"rubbish", "x.y.z", "", 401},
		{"a refused one is not used up", signed(keys()[0], right("3")), "", 200},
	} {
		form := url.Values{
			"token": {"x"}, "client_assertion": {c.assertion},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		}
		if c.clientID != "" {
			form.Set("client_id", c.clientID)
		}
		response, body := do(t, newRequest(t, http.MethodPost, b.URL()+backend.IntrospectPath, form))
		if response.StatusCode != c.want {
			t.Errorf("%s: %d %s", c.name, response.StatusCode, body)
		}
	}
}

func FuzzNoCredentialsAreGuessed(f *testing.F) {
	b := backend.New(backend.Config{Clients: []backend.Client{{ID: "gateway", Secret: secret}, {ID: "signer", Key: keys()[0]}}})
	f.Add("Basic Z2F0ZXdheTp4", "token=x")
	f.Add("", "token=x&client_id=gateway&client_secret=%zz")
	f.Add("", "token=x&client_assertion=e30.e30.&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer")
	f.Fuzz(func(t *testing.T, authorization, body string) {
		request := newRequest(t, http.MethodPost, backend.IntrospectPath, url.Values{})
		request.Body = io.NopCloser(strings.NewReader(body))
		if authorization != "" {
			request.Header.Set("Authorization", authorization)
		}
		got := &answer{header: http.Header{}}
		b.ServeHTTP(got, request)
		if got.status != 400 && got.status != 401 || strings.Contains(got.String(), "active") {
			t.Errorf("%d %s", got.status, got.String())
		}
	})
}
