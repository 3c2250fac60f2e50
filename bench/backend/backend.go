// Package backend is a fake identity backend: discovery, a key set that can be switched while it runs, faults on
// command, and tokens for whoever asks.
//
// It stands for the system that a gateway must survive. Its tokens are worth nothing elsewhere: keys are made by the
// caller and die with the process, and it listens on loopback only.
package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// The paths that are served. Any other is 404.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	KeySetPath    = "/jwks"
	TokenPath     = "/token"
)

// Config says what a backend is. The zero value is usable with [Start].
type Config struct {
	// Address is the loopback "IP:port" that [Start] listens on. Optional. Defaults to a free port.
	Address string
	// Issuer is the "iss" of tokens and of the discovery document. Optional. Defaults, with [Start], to the server's URL.
	Issuer string
	// Audience is the "aud" of tokens. Optional. Defaults to "tthc".
	Audience string
	// Keys is the first key set; its first key signs tokens. Optional. Without keys the set is empty.
	Keys []*corpus.Key
	// CacheControl is that header's value on the key set. Optional. Empty means no such header.
	CacheControl string
	// Now tells the time for tokens. Optional. Defaults to time.Now.
	Now func() time.Time
}

// Backend answers for an issuer. Its methods are safe for concurrent use.
type Backend struct {
	issuer       string
	audience     string
	cacheControl string
	now          func() time.Time

	keys    atomic.Pointer[keySet]
	fault   atomic.Pointer[Fault]
	fetches [3]atomic.Int64 // Discovery, key set, token.
}

// keySet is what is published and what signs; the two differ only after SetKeySetJSON.
type keySet struct {
	signing   []*corpus.Key
	published []byte
}

// New returns a backend that does not listen. The URLs of its discovery document are below config.Issuer.
func New(config Config) *Backend {
	b := &Backend{
		issuer:       config.Issuer,
		audience:     config.Audience,
		cacheControl: config.CacheControl,
		now:          config.Now,
	}
	if b.audience == "" {
		b.audience = "tthc"
	}
	if b.now == nil {
		b.now = time.Now
	}
	b.SetKeys(config.Keys...)
	return b
}

// Running is a backend that listens.
type Running struct {
	*Backend
	*loopback.Server
}

// Start returns a backend that listens on config.Address, until it is closed.
func Start(ctx context.Context, config Config) (*Running, error) {
	listener, err := loopback.Listen(ctx, config.Address)
	if err != nil {
		return nil, fmt.Errorf("starting the identity backend: %w", err)
	}
	if config.Issuer == "" {
		config.Issuer = "http://" + listener.Addr().String()
	}
	b := New(config)
	return &Running{Backend: b, Server: loopback.Serve(listener, b)}, nil
}

// Issuer returns the "iss" of tokens.
func (b *Backend) Issuer() string { return b.issuer }

// Audience returns the "aud" of tokens.
func (b *Backend) Audience() string { return b.audience }

// SetKeys replaces the key set. Tokens are signed by the first key.
func (b *Backend) SetKeys(keys ...*corpus.Key) {
	b.keys.Store(&keySet{signing: append([]*corpus.Key(nil), keys...), published: corpus.KeySetJSON(keys...)})
}

// SetKeySetJSON replaces what is published as the key set by raw, whatever it is; the signing keys stay. The next
// [Backend.SetKeys] undoes it.
func (b *Backend) SetKeySetJSON(raw []byte) {
	b.keys.Store(&keySet{signing: b.keys.Load().signing, published: append([]byte(nil), raw...)})
}

// SetFault makes every later answer to discovery and key set requests faulty, until SetFault(nil). The token path is no
// part of what fails: it serves the tester.
func (b *Backend) SetFault(fault Fault) {
	if fault == nil {
		b.fault.Store(nil)
		return
	}
	b.fault.Store(&fault)
}

// Fetches returns how many requests for path were received, faulty ones included; 0 for a path that is not served.
func (b *Backend) Fetches(path string) int64 {
	if i := pathIndex(path); i >= 0 {
		return b.fetches[i].Load()
	}
	return 0
}

func pathIndex(path string) int {
	switch path {
	case DiscoveryPath:
		return 0
	case KeySetPath:
		return 1
	case TokenPath:
		return 2
	}
	return -1
}

// ServeHTTP answers one request.
func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i := pathIndex(r.URL.Path)
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	b.fetches[i].Add(1)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET is served", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == TokenPath {
		b.serveToken(w, r)
		return
	}
	if fault := b.fault.Load(); fault != nil {
		(*fault)(w, r, http.HandlerFunc(b.serveDocument))
		return
	}
	b.serveDocument(w, r)
}

// serveDocument answers for the two documents that a gateway reads.
func (b *Backend) serveDocument(w http.ResponseWriter, r *http.Request) {
	body := b.keys.Load().published
	if r.URL.Path == DiscoveryPath {
		body = b.discovery()
	} else if b.cacheControl != "" {
		w.Header().Set("Cache-Control", b.cacheControl)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// discovery returns the provider metadata that OpenID Connect Discovery 1.0 section 3 requires.
func (b *Backend) discovery() []byte {
	raw, err := json.Marshal(map[string]any{
		"issuer":                                b.issuer,
		"jwks_uri":                              b.issuer + KeySetPath,
		"authorization_endpoint":                b.issuer + "/authorize",
		"token_endpoint":                        b.issuer + TokenPath,
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": corpus.Algorithms(),
	})
	if err != nil {
		panic("BUG: strings do not marshal: " + err.Error())
	}
	return raw
}
