package logout_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
)

func TestRequestIsAFormWithOneToken(t *testing.T) {
	t.Parallel()
	const kind = "application/x-www-form-urlencoded"
	for name, tc := range map[string]struct {
		types  []string
		change func(token string) string
		want   logout.Outcome
	}{
		"as it should be":        {[]string{kind}, form, logout.Accepted},
		"with a charset":         {[]string{kind + ";charset=utf-8"}, form, logout.Accepted},
		"in capitals":            {[]string{"Application/X-WWW-Form-URLEncoded"}, form, logout.Accepted},
		"with another parameter": {[]string{kind}, func(s string) string { return "a=b&" + form(s) }, logout.Accepted},
		"without a type":         {nil, form, logout.Request},
		"with two types":         {[]string{kind, kind}, form, logout.Request},
		"as JSON":                {[]string{"application/json"}, form, logout.Request},
		"as a type that is none": {[]string{kind + ";" + "="}, form, logout.Request},
		"twice":                  {[]string{kind}, func(s string) string { return form(s) + "&" + form(s) }, logout.Request},
		"without a token":        {[]string{kind}, func(string) string { return "token=x" }, logout.Request},
		"empty":                  {[]string{kind}, func(string) string { return "" }, logout.Request},
		"with an empty token":    {[]string{kind}, func(string) string { return "logout_token=" }, logout.Request},
		"with bad escapes":       {[]string{kind}, func(s string) string { return form(s) + "&a=%zz" }, logout.Request},
		"of more than 32 KiB":    {[]string{kind}, func(s string) string { return form(s) + "&a=" + strings.Repeat("b", 32<<10) }, logout.Request},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			body := tc.change(w.sign("logout+jwt", w.good()))
			request := httptest.NewRequest(http.MethodPost, "/logout", strings.NewReader(body))
			request.Header["Content-Type"] = tc.types
			got := httptest.NewRecorder()
			w.ServeHTTP(got, request)
			w.want(logout.Stats{}, tc.want)
			if status := map[bool]int{true: 200, false: 400}[tc.want == logout.Accepted]; got.Code != status {
				t.Errorf("%d %s", got.Code, got.Body)
			}
		})
	}
}

func TestTokenInTheQueryIsNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	request := httptest.NewRequest(http.MethodPost, "/logout?"+form(w.sign("logout+jwt", w.good())), nil)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w.ServeHTTP(httptest.NewRecorder(), request)
	w.want(logout.Stats{}, logout.Request)
}

func TestOtherMethodsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	got := httptest.NewRecorder()
	w.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/logout", nil))
	if got.Code != 405 || got.Header().Get("Allow") != "POST" || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	w.want(logout.Stats{}, logout.Method)
}

func TestNothingThatWasSentIsLoggedOrAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *logout.Config) { c.RetryAfter = time.Second })
	secret := "citizen-of-nowhere"
	private := claims{"sub": secret, "sid": secret + "-session", "jti": secret + "-id", "email": secret}
	w.intake.fails = revocation.ErrFull
	var said strings.Builder
	for _, change := range []claims{
		nil, {"aud": secret}, {"nonce": secret}, {"events": claims{secret: claims{}}}, {"iss": secret}, {"exp": 1}, {"sid": []string{secret}},
	} {
		raw := w.sign("logout+jwt", w.good(private, change))
		said.WriteString(w.post(form(raw)).Body.String())
		said.WriteString(w.post("a=" + url.QueryEscape(secret)).Body.String())
		if _, rest, _ := strings.Cut(raw, "."); strings.Contains(said.String()+w.log.String(), rest[:20]) {
			t.Error("a token is told")
		}
	}
	said.WriteString(w.log.String())
	if strings.Contains(said.String(), secret) || strings.Contains(said.String(), issuer) {
		t.Error(said.String())
	}
	if !strings.Contains(w.log.String(), "issuer=vneid reason=request remote=192.0.2.1") {
		t.Error(w.log.String())
	}
}

func TestLinesOfTheLogAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		for range 50 {
			w.post("")
		}
		if n := strings.Count(w.log.String(), "\n"); n != 10 {
			t.Errorf("%d lines", n)
		}
		time.Sleep(time.Second) // The bubble's clock.
		w.post("")
		if !strings.Contains(w.log.String(), "omitted=40") {
			t.Error(w.log.String())
		}
	})
}
