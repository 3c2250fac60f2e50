// Package backend is a fake identity backend: discovery, a key set that rotates while it runs, introspection, faults on
// command, and tokens for whoever asks.
//
// It stands for the system that a gateway must survive. Its tokens are worth nothing elsewhere: keys are made by the
// caller and die with the process, and it listens on loopback only. Everything is switched through Go, or over HTTP below
// [ControlPath] where the backend is another process.
package backend

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
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
	// Clients may ask the introspection endpoint. Optional. Without clients it answers nobody.
	Clients []Client
	// CacheControl is that header's value on the key set. Optional. Empty means no such header.
	CacheControl string
	// Control serves [ControlPath] too, to whoever asks. Optional. Defaults to not.
	Control bool
	// Below are further issuers, each served, with all its paths, below a path of this one: by "/legacy", for example,
	// where its own Config.Issuer ends in that. Optional.
	Below map[string]*Backend
	// Now tells the time for tokens and client assertions; faults follow time.Now. Optional. Defaults to time.Now.
	Now func() time.Time
}

// Backend answers for an issuer. Its methods are safe for concurrent use.
type Backend struct {
	issuer   string
	audience string
	control  bool
	now      func() time.Time
	below    map[string]http.Handler // by path, without a slash at its end

	rotating     sync.Mutex // Held by those who replace keys.
	keys         atomic.Pointer[keySet]
	cacheControl atomic.Pointer[string]

	faults  [endpoints]atomic.Pointer[outage]
	fetches [endpoints]atomic.Int64
	refuse  atomic.Pointer[func(time.Duration) error] // nil where nothing listens

	clients    map[string]Client
	assertions assertions
	issued     issued
}

// New returns a backend that does not listen, to be served by the caller, over TLS for example. The URLs of its
// discovery document are below config.Issuer.
func New(config Config) *Backend {
	b := &Backend{
		issuer:   config.Issuer,
		audience: config.Audience,
		control:  config.Control,
		now:      config.Now,
		clients:  map[string]Client{},
		below:    map[string]http.Handler{},
	}
	for path, other := range config.Below {
		b.below[path] = http.StripPrefix(path, other)
	}
	if b.audience == "" {
		b.audience = "tthc"
	}
	if b.now == nil {
		b.now = time.Now
	}
	for _, client := range config.Clients {
		b.clients[client.ID] = client
	}
	b.SetCacheControl(config.CacheControl)
	b.SetKeys(config.Keys...)
	return b
}

// Running is a backend that listens. Its Refuse and Accept are of [loopback.Server]: while it refuses, connecting fails
// as it does when the process is gone.
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
	server := loopback.Serve(listener, b)
	refuse := server.Refuse
	b.refuse.Store(&refuse)
	for _, other := range config.Below {
		other.refuse.Store(&refuse)
	}
	return &Running{Backend: b, Server: server}, nil
}

// Issuer returns the "iss" of tokens.
func (b *Backend) Issuer() string { return b.issuer }

// Audience returns the "aud" of tokens.
func (b *Backend) Audience() string { return b.audience }

// Fetches returns how many requests for path were received since the last [Backend.ResetFetches], faulty ones included;
// 0 for a path that is not served.
func (b *Backend) Fetches(path string) int64 {
	if i := endpointOf(path); i >= 0 {
		return b.fetches[i].Load()
	}
	return 0
}

// ResetFetches sets every count to 0.
func (b *Backend) ResetFetches() {
	for i := range b.fetches {
		b.fetches[i].Store(0)
	}
}
