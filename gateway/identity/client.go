package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// maxRedirects bounds how far an answer may send us on within its origin.
const maxRedirects = 3

// ClientConfig bounds one backend's answers.
type ClientConfig struct {
	// Timeout bounds a whole fetch, MaxBytes its answer.
	Timeout  time.Duration
	MaxBytes int64
	// CAFile holds PEM roots; "" means the system's.
	CAFile string
	// ClientCertFile and ClientKeyFile hold the PEM pair that is shown to the
	// backend; "" means none.
	ClientCertFile, ClientKeyFile string
	// ProxyURL is the HTTP proxy to go by; "" means none.
	ProxyURL string
}

// Client fetches bounded JSON documents. It is safe for concurrent use. It
// follows no proxy of the environment, no redirect to another origin, keeps no
// connection and decompresses nothing.
type Client struct {
	http     *http.Client
	timeout  time.Duration
	maxBytes int64
	proxied  bool
}

// NewClient reads the files that are named.
func NewClient(cfg ClientConfig) (*Client, error) {
	tlsConfig, err := clientTLS(cfg)
	if err != nil {
		return nil, err
	}
	var proxy func(*http.Request) (*url.URL, error)
	if cfg.ProxyURL != "" {
		address, err := url.Parse(cfg.ProxyURL)
		if err != nil || address.Host == "" {
			// Not quoted: it may hold a password.
			return nil, errors.New("proxy_url: not the URL of a proxy")
		}
		proxy = http.ProxyURL(address)
	}
	return &Client{
		timeout:  cfg.Timeout,
		maxBytes: cfg.MaxBytes,
		proxied:  proxy != nil,
		http: &http.Client{
			CheckRedirect: sameOrigin,
			Transport: &http.Transport{
				Proxy:                  proxy,
				DialContext:            (&net.Dialer{Timeout: cfg.Timeout}).DialContext,
				TLSClientConfig:        tlsConfig,
				DisableCompression:     true,
				MaxResponseHeaderBytes: 64 << 10,
				// Fetches are minutes apart: a kept connection would be closed
				// by then, and leave a goroutine behind until it is.
				DisableKeepAlives: true,
			},
		},
	}, nil
}

// clientTLS is how a backend is recognised, and the gateway by it.
func clientTLS(cfg ClientConfig) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.CAFile != "" {
		pem, err := readCAFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: %s holds no PEM certificate", cfg.CAFile)
		}
	}
	if cfg.ClientCertFile != "" {
		pair, err := tls.LoadX509KeyPair(cfg.ClientCertFile, cfg.ClientKeyFile)
		if err != nil {
			return nil, fmt.Errorf("client_cert_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func sameOrigin(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects || next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return ErrRedirect
	}
	return nil
}

// Get fetches one document, whole. It asks no breaker: whether an answer is any
// good is for the caller to say, who has the breaker around both. Errors are of
// this package's taxonomy, or context.Canceled.
func (c *Client) Get(ctx context.Context, address string) (Document, error) {
	return c.get(ctx, c.http, address, "application/json, application/jwk-set+json", "")
}

// GetType fetches one document that is not JSON, whole: mediaType is what it
// must be, in lower case and without parameters. allowed is asked about each
// address that a redirect leads to, which is of the same origin anyway. Errors
// are those of Get; a document of another type is ErrMalformed.
func (c *Client) GetType(
	ctx context.Context, address, mediaType string, allowed func(address *url.URL) bool,
) (Document, error) {
	following := *c.http
	following.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if !allowed(next.URL) {
			return ErrRedirect
		}
		return sameOrigin(next, via)
	}
	return c.get(ctx, &following, address, mediaType, mediaType)
}

// get fetches a document that must be of mediaType, "" meaning any.
func (c *Client) get(ctx context.Context, by *http.Client, address, accept, mediaType string) (Document, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Document{}, ErrUnreachable
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "vneid-gateway")
	resp, err := by.Do(req)
	if err != nil {
		return Document{}, transportError(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return Document{}, fmt.Errorf("%w: %d", ErrAbsent, resp.StatusCode)
	default:
		return Document{}, fmt.Errorf("%w: %d", ErrStatus, resp.StatusCode)
	}
	if mediaType != "" && !isType(resp.Header, mediaType) {
		return Document{}, ErrMalformed
	}
	if resp.ContentLength > c.maxBytes {
		return Document{}, ErrTooLarge
	}
	d := Document{}
	d.MaxAge, d.Aged = freshness(resp.Header, time.Now())
	d.Body, err = readBounded(resp.Body, c.maxBytes)
	return d, err
}

// isType reports whether an answer is of that media type, and not packed: no
// packing was asked for.
func isType(h http.Header, mediaType string) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	packing := h.Get("Content-Encoding")
	return err == nil && kind == mediaType && (packing == "" || packing == "identity")
}

// maxCAFileBytes bounds a file of roots.
const maxCAFileBytes = 1 << 20

func readCAFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f, maxCAFileBytes)
}

// readBounded is readAtMost for an answer of the backend.
func readBounded(r io.Reader, maxBytes int64) ([]byte, error) {
	data, err := readAtMost(r, maxBytes)
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return nil, transportError(err)
	}
	return data, err
}

// readAtMost reads all there is, or returns ErrTooLarge, or the reader's error.
func readAtMost(r io.Reader, maxBytes int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > maxBytes:
		return nil, ErrTooLarge
	}
	return data, nil
}

// loopback reports whether the address stays on this machine.
func loopback(address *url.URL) bool {
	host := address.Hostname()
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
