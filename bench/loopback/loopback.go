// Package loopback serves an http.Handler on a loopback address and stops it without leaving anything behind.
//
// The servers of the bench mint tokens for whoever asks and echo what they receive, so they answer this machine only.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// AnyPort is the address of a loopback listener whose port the system chooses.
const AnyPort = "127.0.0.1:0"

// headTimeout bounds how long a connection may take to send a request head.
const headTimeout = 10 * time.Second

// ErrNotLoopback means that an address is not an IP address and port of this machine's loopback interface.
var ErrNotLoopback = errors.New("not a loopback address")

// Server is a running HTTP server. Its methods are safe for concurrent use, and a handler may call them.
type Server struct {
	address string
	handler http.Handler

	mu      sync.Mutex
	closed  bool
	serving *serving    // nil while connections are refused
	release func()      // frees the port that is held while connections are refused
	reopen  *time.Timer // nil unless refusing ends by itself
}

// serving is a server between one opening of its port and the next closing.
type serving struct {
	server *http.Server
	cancel context.CancelFunc
	done   chan struct{}
}

// Listen opens a listener on address, which is "IP:port" of the loopback interface; empty means [AnyPort]. The error is
// [ErrNotLoopback], or what net.Listen says.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		address = AnyPort
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotLoopback, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%w: %q", ErrNotLoopback, host)
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

// Serve answers requests that reach listener with handler until [Server.Close]. It takes over the listener. Request
// contexts end when the server is closed.
func Serve(listener net.Listener, handler http.Handler) *Server {
	s := &Server{address: listener.Addr().String(), handler: handler}
	s.serve(listener)
	return s
}

func (s *Server) serve(listener net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	now := &serving{
		server: &http.Server{
			Handler:           s.handler,
			ReadHeaderTimeout: headTimeout,
			BaseContext:       func(net.Listener) context.Context { return ctx },
		},
		cancel: cancel,
		done:   make(chan struct{}),
	}
	s.serving = now
	go func() {
		defer close(now.done)
		// Serve returns only after Close or when accepting fails for good: either way there is no one to tell.
		_ = now.server.Serve(listener)
	}()
}

// Address returns "IP:port".
func (s *Server) Address() string { return s.address }

// URL returns "http://IP:port", without a slash at its end.
func (s *Server) URL() string { return "http://" + s.address }

// Close stops listening, cuts every connection and ends the contexts of running requests. It may be called again.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.free()
	return s.cut()
}

// cut ends what serves, if anything does.
func (s *Server) cut() error {
	if s.serving == nil {
		return nil
	}
	// Connections first: a handler that its context wakes must not be able to answer any more.
	err := s.serving.server.Close()
	s.serving.cancel()
	<-s.serving.done
	s.serving = nil
	return err
}
