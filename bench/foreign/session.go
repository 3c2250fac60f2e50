package foreign

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Session is one browser of a person, with what the provider left in it. It is not for concurrent use.
type Session struct {
	provider *Provider
	account  string
	client   *http.Client
	done     func()
}

// NewSession returns a browser in which nobody is logged in yet: [Session.Token] logs the account in. The caller closes
// it.
func (p *Provider) NewSession(account string) (*Session, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client, done := newClient(jar)
	return &Session{provider: p, account: account, client: client, done: done}, nil
}

// Close closes the connections. The provider's session goes on.
func (s *Session) Close() { s.done() }

// Token logs in and returns an access token signed with alg, one of [Algorithms]; see [Provider.Login]. Tokens of one
// session bear the same "sid".
func (s *Session) Token(ctx context.Context, alg string) (string, error) {
	// RFC 7636 section 4.2.
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	state := rand.Text()
	at := s.provider.Issuer + "/auth?" + url.Values{
		"client_id":             {portal},
		"response_type":         {"code"},
		"redirect_uri":          {portalCallback},
		"scope":                 {"openid ho-so"},
		"resource":              {resource(alg)},
		"login_hint":            {s.account},
		"state":                 {state},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}.Encode()
	callback, err := follow(ctx, s.client, at)
	if err != nil {
		return "", err
	}
	query := callback.Query()
	if query.Get("state") != state || query.Get("code") == "" {
		return "", fmt.Errorf("%w: login as %q: %s %s", ErrAnswer, s.account, query.Get("error"), query.Get("error_description"))
	}
	return s.provider.redeem(ctx, s.client, portal, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {query.Get("code")},
		"redirect_uri":  {portalCallback},
		"code_verifier": {verifier},
		"resource":      {resource(alg)},
	})
}

// End logs the person out, by OpenID Connect RP-Initiated Logout 1.0. When it returns, the provider has told the portal,
// if [Provider.SendLogouts] was called, and has its answer: see [Provider.Logouts]. Where nobody is logged in it does
// nothing.
func (s *Session) End(ctx context.Context) error {
	end := s.provider.Issuer + "/session/end"
	page, err := send(ctx, s.client, http.MethodGet, end, nil, nil)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(page.body), `name="xsrf" value="`)
	secret, _, found := strings.Cut(rest, `"`)
	if !page.ok || !found {
		return fmt.Errorf("%w: asked for the logout page: %s: %s", ErrAnswer, page.status, page.body)
	}
	done, err := send(ctx, s.client, http.MethodPost, end+"/confirm", url.Values{"xsrf": {secret}, "logout": {"yes"}}, nil)
	if err != nil {
		return err
	}
	if done.location == nil || done.location.Path != "/session/end/success" {
		return fmt.Errorf("%w: confirmed the logout: %s: %s", ErrAnswer, done.status, done.body)
	}
	return nil
}
