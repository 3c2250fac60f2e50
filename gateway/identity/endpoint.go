package identity

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"
)

// Endpoint is an address of a backend to which JSON documents are posted. It is
// safe for concurrent use. Redirects are not followed, not even to the same
// origin: they would take credentials along.
type Endpoint struct {
	client  *Client
	http    *http.Client
	address string
}

// NewEndpoint returns an endpoint that has no connection yet. It has the roots,
// the client certificate, the proxy and the bounds of client. The address is
// https, or on loopback or with allowPlainHTTP http; otherwise ErrMalformed or
// ErrInsecure.
func NewEndpoint(client *Client, address string, allowPlainHTTP bool) (*Endpoint, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		// Not quoted: it may hold a credential.
		return nil, fmt.Errorf("url: %w", ErrMalformed)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u) && !allowPlainHTTP):
		return nil, fmt.Errorf("url: %w", ErrInsecure)
	}
	transport := client.http.Transport.(*http.Transport).Clone()
	// Unlike fetches of key sets, posts follow closely upon one another.
	transport.DisableKeepAlives = false
	transport.MaxIdleConns = 1
	transport.IdleConnTimeout = idleConnection
	return &Endpoint{
		client:  client,
		address: address,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return ErrRedirect },
		},
	}, nil
}

// Post sends a JSON document and returns the JSON document that it is answered
// with, of valid syntax. header is what the request has beside the fields that
// Post sets; it is not kept. Like Client.Get it asks no breaker. Errors are of
// this package's taxonomy, ErrClientRejected among them, or context.Canceled.
func (e *Endpoint) Post(ctx context.Context, header http.Header, document []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, e.client.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.address, bytes.NewReader(document))
	if err != nil {
		return nil, ErrUnreachable
	}
	maps.Copy(req.Header, header)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "vneid-gateway")
	resp, err := e.http.Do(req)
	if err != nil {
		return nil, transportError(err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		return nil, fmt.Errorf("%w: %d", ErrClientRejected, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: %d", ErrStatus, resp.StatusCode)
	case resp.ContentLength > e.client.maxBytes:
		return nil, ErrTooLarge
	}
	answer, err := readBounded(resp.Body, e.client.maxBytes)
	if err != nil {
		return nil, err
	}
	// What is packed was not asked for.
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || resp.Header.Get("Content-Encoding") != "" ||
		!jsontext.Value(answer).IsValid() {
		return nil, ErrMalformed
	}
	return answer, nil
}

// Close closes the connections that are not in use.
func (e *Endpoint) Close() { e.http.CloseIdleConnections() }
