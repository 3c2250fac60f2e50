package foreign

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The accounts of the provider; they are also the names of its machine clients.
const (
	Citizen2     = "citizen2"     // A citizen with account level 2.
	Citizen1     = "citizen1"     // A citizen with account level 1.
	Organisation = "organisation" // An organisation, which has no account level.
)

const (
	portal         = "portal" // The client that people log in to.
	portalCallback = "https://portal.example/callback"
	requestTimeout = 10 * time.Second
	maxAnswer      = 1 << 20
	maxRedirects   = 10
)

// Algorithms returns the algorithms that the provider signs access tokens with.
func Algorithms() []string { return []string{"RS256", "PS256", "ES256", "EdDSA"} }

// Audience returns the "aud" of tokens that are signed with alg.
func Audience(alg string) string { return "tthc-" + strings.ToLower(alg) }

// AudienceOpaque is the "aud" of opaque tokens.
const AudienceOpaque = "tthc-" + opaque

// opaque is where another resource has its algorithm.
const opaque = "opaque"

func resource(alg string) string { return "https://tthc.example/" + alg }

// Token returns a JWT access token of [Citizen2] signed with alg, one of [Algorithms]; else the error is [ErrAnswer].
func (p *Provider) Token(ctx context.Context, alg string) (string, error) {
	return p.TokenFor(ctx, Citizen2, alg)
}

// TokenFor is [Provider.Token] for one of the accounts, by the client credentials grant of RFC 6749 section 4.4 with the
// resource indicator of RFC 8707: "sub" and "azp" both name the account.
func (p *Provider) TokenFor(ctx context.Context, account, alg string) (string, error) {
	client, done := newClient(nil)
	defer done()
	return p.redeem(ctx, client, account, url.Values{
		"grant_type": {"client_credentials"},
		"scope":      {"ho-so"},
		"resource":   {resource(alg)},
	})
}

// Opaque returns an opaque access token of one of the accounts, by a login: what it says is known to the introspection
// endpoint only, under the "aud" of [AudienceOpaque].
func (p *Provider) Opaque(ctx context.Context, account string) (string, error) {
	return p.Login(ctx, account, opaque)
}

// Login is [Provider.TokenFor] by the authorization code flow of OpenID Connect Core 1.0 section 3.1, as a person with a
// browser goes through it: "sub" names the account, "azp" the portal, "acr" is "2", and "sid" is the session's.
func (p *Provider) Login(ctx context.Context, account, alg string) (string, error) {
	s, err := p.NewSession(account)
	if err != nil {
		return "", err
	}
	defer s.Close()
	return s.Token(ctx, alg)
}

// follow goes from redirect to redirect until one leads to the portal.
func follow(ctx context.Context, client *http.Client, at string) (*url.URL, error) {
	for range maxRedirects {
		got, err := send(ctx, client, http.MethodGet, at, nil, nil)
		if err != nil {
			return nil, err
		}
		if got.location == nil {
			return nil, fmt.Errorf("%w: %s: %s", ErrAnswer, got.status, got.body)
		}
		next := got.location
		if strings.HasPrefix(next.String(), portalCallback+"?") {
			return next, nil
		}
		at = next.String()
	}
	return nil, fmt.Errorf("%w: more than %d redirects", ErrAnswer, maxRedirects)
}

// redeem asks the token endpoint as clientID.
func (p *Provider) redeem(ctx context.Context, client *http.Client, clientID string, form url.Values) (string, error) {
	got, err := send(ctx, client, http.MethodPost, p.Issuer+"/token", form, url.UserPassword(clientID, p.secret))
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(got.body, &answer); err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrAnswer, got.status, err)
	}
	if !got.ok || answer.TokenType != "Bearer" || answer.AccessToken == "" {
		return "", fmt.Errorf("%w: %s: %s %s", ErrAnswer, got.status, answer.Error, answer.Description)
	}
	return answer.AccessToken, nil
}

// newClient returns a client that follows no redirect, and a function that closes its connections.
func newClient(jar http.CookieJar) (*http.Client, func()) {
	transport := &http.Transport{}
	return &http.Client{
		Transport:     transport,
		Timeout:       requestTimeout,
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, transport.CloseIdleConnections
}

// reply is what the provider answered.
type reply struct {
	ok       bool
	status   string
	location *url.URL // nil where it redirects nowhere
	body     []byte
}

func send(ctx context.Context, client *http.Client, method, to string, form url.Values, as *url.Userinfo) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader([]byte(form.Encode())))
	if err != nil {
		return reply{}, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if as != nil {
		secret, _ := as.Password()
		request.SetBasicAuth(as.Username(), secret)
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, fmt.Errorf("asking the foreign provider: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return reply{}, fmt.Errorf("reading from the foreign provider: %w", err)
	}
	got := reply{ok: response.StatusCode == http.StatusOK, status: response.Status, body: body}
	if next, err := response.Location(); err == nil {
		got.location = next
	}
	return got, nil
}
