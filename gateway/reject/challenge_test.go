package reject_test

import (
	"errors"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

func challenge(t testing.TB, ref reject.Refusal) string {
	t.Helper()
	return string(write(t, ref, "").Response.Header.Peek("WWW-Authenticate"))
}

func TestChallengesAreWellFormed(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^Bearer realm="[a-z-]+"(, [a-z_]+="[\x20-\x21\x23-\x5B\x5D-\x7E]+")*$`)
	for _, c := range reject.Codes() {
		got := challenge(t, reject.Refusal{Code: c, Site: hanoi(t), Decision: decision(c)})
		switch {
		case !c.Challenges():
			if got != "" {
				t.Errorf("%v: challenge %q where none is due", c, got)
			}
			continue
		case !form.MatchString(got):
			t.Errorf("%v: challenge %q", c, got)
		}
		if e := c.BearerError(); e != "" && !strings.HasPrefix(got, `Bearer realm="hanoi", error="`+e+`", error_description="`) {
			t.Errorf("%v: challenge %q lacks its error", c, got)
		}
		if (c.Status() == 401) && got == "" {
			t.Errorf("%v: 401 without challenge (RFC 9110 section 11.6.1)", c)
		}
	}
}

func TestMissingCredentialGetsABareChallenge(t *testing.T) {
	t.Parallel()
	if got := challenge(t, reject.Refusal{Code: reject.CredentialMissing, Site: hanoi(t)}); got != `Bearer realm="hanoi"` {
		t.Errorf("challenge %q", got)
	}
	if got := challenge(t, reject.Refusal{Code: reject.CredentialMissing}); got != `Bearer realm="vneid-gateway"` {
		t.Errorf("challenge without site %q", got)
	}
}

func TestStepUpChallengeNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	ref := reject.Refusal{Code: reject.AuthenticationInsufficient, Decision: decision(reject.AuthenticationInsufficient)}
	if got := challenge(t, ref); !strings.HasSuffix(got, `, acr_values="loa2 loa3", max_age="900"`) {
		t.Errorf("challenge %q", got)
	}
	if p := problemOf(t, ref); p.ACRValues != "loa2 loa3" || p.MaxAge != 900 {
		t.Errorf("problem %+v", p)
	}
	ref.Decision.ACRValues = "a\"b\\c\r\nd\u0111"
	if got := challenge(t, ref); !strings.HasSuffix(got, `, acr_values="abcd", max_age="900"`) {
		t.Errorf("a hostile value got through: %q", got)
	}
}

func TestRealmCannotBreakOutOfItsQuotes(t *testing.T) {
	t.Parallel()
	s, err := reject.NewSite("a\"b\\c\r\nX: y", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := challenge(t, reject.Refusal{Code: reject.CredentialMissing, Site: s}); got != `Bearer realm="abcX: y"` {
		t.Errorf("challenge %q", got)
	}
}

func TestLoginURLIsCheckedAndEscaped(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"javascript:alert(1)", "//evil.example", "///evil.example", "login", "ftp://a/b", "https://", "https://user:pw@host/", "data:text/html,x",
		"https://a/" + strings.Repeat("x", 2048), "https://a/%zz", "https://a/\x00",
	} {
		if _, err := reject.NewSite("hanoi", bad); !errors.Is(err, reject.ErrLoginURL) {
			t.Errorf("%q: error %v, want ErrLoginURL", bad, err)
		}
	}
	for _, good := range []string{"/login", "https://login.example.vn/?a=1&b=<\"'>", "http://127.0.0.1:9000/login"} {
		s, err := reject.NewSite("hanoi", good)
		if err != nil {
			t.Errorf("%q: %v", good, err)
			continue
		}
		ref := reject.Refusal{Code: reject.TokenExpired, Site: s}
		if p := problemOf(t, ref); p.LoginURL != good {
			t.Errorf("%q: problem has %q", good, p.LoginURL)
		}
		page := string(write(t, ref, acceptPage).Response.Body())
		found := regexp.MustCompile(`href="([^"]*)"( *)>(Đăng nhập|Log in)<`).FindAllStringSubmatch(page, -1)
		if len(found) != 2 || html.UnescapeString(found[0][1]) != good || strings.ContainsAny(found[0][1], "<>'") {
			t.Errorf("%q: page links to %q", good, found)
		}
	}
}

func TestLoginIsOfferedOnlyWhereItHelps(t *testing.T) {
	t.Parallel()
	for _, c := range reject.Codes() {
		p := problemOf(t, reject.Refusal{Code: c, Site: hanoi(t)})
		if got := p.LoginURL != ""; got != c.Challenges() {
			t.Errorf("%v: login offered: %v", c, got)
		}
	}
}
