package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
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
}

// Client fetches bounded JSON documents. It is safe for concurrent use. It
// follows no proxy of the environment, no redirect to another origin, keeps no
// connection and decompresses nothing.
type Client struct {
	http     *http.Client
	timeout  time.Duration
	maxBytes int64
}

// NewClient reads the roots, if any are named.
func NewClient(cfg ClientConfig) (*Client, error) {
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.CAFile != "" {
		pem, err := readCAFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		tlsConfig.RootCAs = x509.NewCertPool()
		if !tlsConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: %s holds no PEM certificate", cfg.CAFile)
		}
	}
	return &Client{
		timeout:  cfg.Timeout,
		maxBytes: cfg.MaxBytes,
		http: &http.Client{
			CheckRedirect: sameOrigin,
			Transport: &http.Transport{
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

func sameOrigin(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects || next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return ErrRedirect
	}
	return nil
}

// Get fetches one document, whole. Errors are of this package's taxonomy.
func (c *Client) Get(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, ErrUnreachable
	}
	req.Header.Set("Accept", "application/json, application/jwk-set+json")
	req.Header.Set("User-Agent", "vneid-gateway")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, transportError(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %d", ErrStatus, resp.StatusCode)
	}
	if resp.ContentLength > c.maxBytes {
		return nil, ErrTooLarge
	}
	return readBounded(resp.Body, c.maxBytes)
}

// maxCAFileBytes bounds a file of roots.
const maxCAFileBytes = 1 << 20

func readCAFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readBounded(f, maxCAFileBytes)
}

func readBounded(r io.Reader, maxBytes int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	switch {
	case err != nil:
		return nil, transportError(err)
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
