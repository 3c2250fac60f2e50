package receiver

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
)

// Config is how the receiver listens.
type Config struct {
	// Address is the TCP address to listen on. Required.
	Address string

	// TLS configures TLS and client certificates. Optional. Default: plain HTTP,
	// which is for loopback and for a proxy on the same host.
	TLS *listen.TLS

	// Routes are the handlers by path, to which backends POST. Optional: without
	// any, every path is unknown. The map is copied. See [Server.SetRoutes].
	Routes map[string]http.Handler

	// Log takes what happens to nobody's request in particular. Required.
	Log *slog.Logger

	// HeaderTimeout is how long a connection may take for its TLS handshake, and
	// then for the head of each request. Optional. Defaults to 5s.
	HeaderTimeout time.Duration

	// RequestTimeout bounds a request from its head to its answer: reading the
	// body, verifying, and waiting until what it says is durable. Optional.
	// Defaults to 10s.
	RequestTimeout time.Duration

	// IdleTimeout is how long a connection is kept for another request. Optional.
	// Defaults to 60s.
	IdleTimeout time.Duration

	// MaxHeaderBytes bounds a request's head. Optional. Defaults to 16 KiB.
	MaxHeaderBytes int

	// MaxBodyBytes bounds a request's body; a handler may have a smaller limit of
	// its own. Optional. Defaults to 128 KiB.
	MaxBodyBytes int64

	// MaxRequests is how many requests are answered at a time; others are told to
	// come back. Optional. Defaults to 64.
	MaxRequests int

	// MaxConnections is how many connections are open at a time; others wait to be
	// accepted. Optional. Defaults to 256.
	MaxConnections int

	// RetryAfter is when to come back, in whole seconds, rounded up. Optional.
	// Defaults to 1s.
	RetryAfter time.Duration
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.HeaderTimeout, 5 * time.Second},
		{&c.RequestTimeout, 10 * time.Second},
		{&c.IdleTimeout, time.Minute},
		{&c.RetryAfter, time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if c.MaxHeaderBytes <= 0 {
		c.MaxHeaderBytes = 16 << 10
	}
	if c.MaxBodyBytes <= 0 {
		c.MaxBodyBytes = 128 << 10
	}
	if c.MaxRequests <= 0 {
		c.MaxRequests = 64
	}
	if c.MaxConnections <= 0 {
		c.MaxConnections = 256
	}
	return c
}
