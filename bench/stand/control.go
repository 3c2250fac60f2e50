package stand

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// Control is an issuer that takes orders over HTTP: see [backend.ControlPath]. It does not change, and may be shared.
type Control struct {
	// URL is http://host:port of the issuer.
	URL string
	// Client carries the orders. Optional. Defaults to http.DefaultClient.
	Client *http.Client
}

// Fault has the issuer answer wrongly, as "POST /control/fault" with these parameters does; {"kind": {"none"}} ends it.
func (c Control) Fault(ctx context.Context, order url.Values) error {
	return c.order(ctx, "fault", order)
}

// AddKey publishes a fresh key of an algorithm: the first step of a rotation.
func (c Control) AddKey(ctx context.Context, kid, algorithm string) error {
	return c.order(ctx, "keys", url.Values{"do": {"add"}, "kid": {kid}, "alg": {algorithm}})
}

// SignWith has the issuer sign with a published key: the second step.
func (c Control) SignWith(ctx context.Context, kid string) error {
	return c.order(ctx, "keys", url.Values{"do": {"sign"}, "kid": {kid}})
}

// PublishKey publishes the public half of a key that the caller signs with.
func (c Control) PublishKey(ctx context.Context, key corpus.JWK) error {
	raw, err := json.Marshal(key)
	if err != nil {
		return err
	}
	return c.order(ctx, "keys", url.Values{"do": {"publish"}, "jwk": {string(raw)}})
}

// RemoveKey withdraws a key: the last step.
func (c Control) RemoveKey(ctx context.Context, kid string) error {
	return c.order(ctx, "keys", url.Values{"do": {"remove"}, "kid": {kid}})
}

func (c Control) order(ctx context.Context, what string, order url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+backend.ControlPath+what,
		strings.NewReader(order.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := c.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the issuer takes no orders: %w", err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the issuer takes no orders: %w", err)
	}
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("%w: the issuer does not %s: %d %s", ErrOrder, what, resp.StatusCode, strings.Join(strings.Fields(string(said)), " "))
	}
	return nil
}
