package foreign

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// The clients that may introspect tokens, and nothing else, and the one that may revoke them.
const (
	gateway    = "gateway"     // authenticates by client_secret_basic
	gatewayKey = "gateway-key" // authenticates by private_key_jwt
	operator   = "operator"
)

// LogoutAudience is the "aud" of logout tokens: the client that people log in to.
const LogoutAudience = portal

// Introspection is how a resource server asks the provider about a token: RFC 7662. The provider refuses to say anything
// about a JWT. Of an opaque token it says the claims that a JWT has, but for "jti".
type Introspection struct {
	// Endpoint is the URL to POST to.
	Endpoint string
	// ClientID and ClientSecret authenticate by client_secret_basic.
	ClientID, ClientSecret string
	// KeyClientID and Key authenticate by private_key_jwt, with the algorithm and kid of Key.
	KeyClientID string
	Key         *corpus.Key
}

// Introspection returns the credentials for the introspection endpoint.
func (p *Provider) Introspection() Introspection {
	return Introspection{
		Endpoint:     p.Issuer + "/token/introspection",
		ClientID:     gateway,
		ClientSecret: p.secret,
		KeyClientID:  gatewayKey,
		Key:          p.key,
	}
}

// Revoke revokes an opaque token, and with it all of its login: RFC 7009. The provider refuses to revoke a JWT: the
// error is [ErrAnswer].
func (p *Provider) Revoke(ctx context.Context, token string) error {
	return p.operate(ctx, "/token/revocation", url.Values{"token": {token}})
}

// Rotate makes new keys, which sign from now on. The keys before them are published still, those before these no longer.
// The kids of the second keys end in "-2", and so on.
func (p *Provider) Rotate(ctx context.Context) error {
	return p.operate(ctx, "/control/rotate", nil)
}

// DropOld publishes none but the keys that sign.
func (p *Provider) DropOld(ctx context.Context) error {
	return p.operate(ctx, "/control/drop-old", nil)
}

// SendLogouts has the provider POST a logout token to that URL whenever a session of the portal ends: OpenID Connect
// Back-Channel Logout 1.0. The token names session and subject, its "aud" is [LogoutAudience], and it is signed with
// RS256. The provider waits 2.5 seconds for an answer and does not try again.
func (p *Provider) SendLogouts(ctx context.Context, to string) error {
	return p.operate(ctx, "/control/logout-uri?"+url.Values{"to": {to}}.Encode(), nil)
}

// Logouts is how many logouts the provider told the portal, and how many it tried to but was answered anything else than
// 200 or 204, or nothing.
type Logouts struct{ Told, Untold int }

// Logouts returns the numbers since the provider started.
func (p *Provider) Logouts(ctx context.Context) (Logouts, error) {
	body, err := p.ask(ctx, "/control/logouts", nil)
	if err != nil {
		return Logouts{}, err
	}
	var n Logouts
	if err := json.Unmarshal(body, &n); err != nil {
		return Logouts{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return n, nil
}

// operate posts as the operator. Any answer but 200 is [ErrAnswer].
func (p *Provider) operate(ctx context.Context, path string, form url.Values) error {
	_, err := p.ask(ctx, path, form)
	return err
}

func (p *Provider) ask(ctx context.Context, path string, form url.Values) ([]byte, error) {
	client, done := newClient(nil)
	defer done()
	got, err := send(ctx, client, http.MethodPost, p.Issuer+path, form, url.UserPassword(operator, p.secret))
	if err != nil {
		return nil, err
	}
	if !got.ok {
		return nil, fmt.Errorf("%w: %s: %s", ErrAnswer, got.status, got.body)
	}
	return got.body, nil
}
