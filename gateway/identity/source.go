package identity

import (
	"context"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
)

// Source yields a key set document (RFC 7517 section 5). Fetch may block for
// as long as its bound of time; it is called by one goroutine at a time. Its
// errors are of this package's taxonomy.
type Source interface {
	Fetch(ctx context.Context) (Document, error)
}

// Watched is a Source that can be looked at so cheaply that it is fetched soon
// after it changed, instead of after the refresh interval.
type Watched interface {
	Source
	// Stat describes what Fetch would read now.
	Stat() (fs.FileInfo, error)
}

// URLSource fetches a key set from a fixed address.
type URLSource struct {
	Client *Client
	URL    string
}

// Fetch implements Source.
func (s URLSource) Fetch(ctx context.Context) (Document, error) { return s.Client.Get(ctx, s.URL) }

// FileSource reads a key set from disk, anew each time. It is Watched: a file
// that was replaced or written to is read again within seconds.
type FileSource struct {
	Path string
	// MaxBytes bounds the file.
	MaxBytes int64
}

// Fetch implements Source.
func (s FileSource) Fetch(context.Context) (Document, error) {
	// Opening a pipe would wait for its writer, without any bound.
	if info, err := s.Stat(); err != nil || !info.Mode().IsRegular() {
		return Document{}, ErrUnreachable
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return Document{}, ErrUnreachable
	}
	defer f.Close()
	body, err := readBounded(f, s.MaxBytes)
	return Document{Body: body}, err
}

// Stat implements Watched. A link is followed: mounted secrets are replaced by
// pointing one elsewhere.
func (s FileSource) Stat() (fs.FileInfo, error) { return os.Stat(s.Path) }

// DiscoverySource finds the address of the key set by OpenID Connect Discovery
// 1.0, each time: an issuer may move it. Both documents have the client's bounds
// each.
type DiscoverySource struct {
	Client *Client
	Issuer string
	// AllowPlainHTTP accepts a key set address that is plain http and not on
	// loopback. Through a proxy no address is.
	AllowPlainHTTP bool
}

// Fetch implements Source.
func (s DiscoverySource) Fetch(ctx context.Context) (Document, error) {
	// Discovery 1.0 section 4: the path is appended after any trailing slash
	// was removed.
	document, err := s.Client.Get(ctx, strings.TrimSuffix(s.Issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return Document{}, err
	}
	var metadata struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(document.Body, &metadata); err != nil {
		return Document{}, ErrMalformed
	}
	// Discovery 1.0 section 4.3: the issuer must be exactly the one asked.
	if metadata.Issuer != s.Issuer {
		return Document{}, ErrIssuerMismatch
	}
	address, err := url.Parse(metadata.JWKSURI)
	if err != nil || address.Host == "" {
		return Document{}, ErrMalformed
	}
	stays := loopback(address) && !s.Client.proxied
	if address.Scheme != "https" && (address.Scheme != "http" || !stays && !s.AllowPlainHTTP) {
		return Document{}, ErrInsecure
	}
	return s.Client.Get(ctx, metadata.JWKSURI)
}
