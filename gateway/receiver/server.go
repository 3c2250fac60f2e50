package receiver

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
)

// answerGrace is how long an answer may take to be written when the request's
// time is over.
const answerGrace = 5 * time.Second

// Server is the listener. Its methods are safe for concurrent use, but for
// Listen and Serve, which come in that order and once.
type Server struct {
	cfg    Config
	http   *http.Server
	tls    *listen.ServerTLS // nil: plain
	socket net.Listener      // nil before Listen
	routes atomic.Pointer[routes]
	slots  chan struct{} // of the requests that are being answered
	counts counts
}

// New returns a server that is not listening yet. Errors are [ErrRoute],
// listen.ErrCertificate and listen.ErrClientCA.
func New(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg.withDefaults()}
	if err := s.SetRoutes(cfg.Routes); err != nil {
		return nil, err
	}
	if cfg.TLS != nil {
		var err error
		if s.tls, err = listen.NewServerTLS(*cfg.TLS); err != nil {
			return nil, err
		}
	}
	s.slots = make(chan struct{}, s.cfg.MaxRequests)
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		ReadTimeout:       s.cfg.HeaderTimeout + s.cfg.RequestTimeout,
		WriteTimeout:      s.cfg.RequestTimeout + answerGrace,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeaderBytes,
		ErrorLog:          newComplaints(cfg.Log, &s.counts),
		// Nothing here serves "OPTIONS *" of its own accord.
		DisableGeneralOptionsHandler: true,
	}
	return s, nil
}

// Listen opens the socket. Errors are the system's.
func (s *Server) Listen(ctx context.Context) error {
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return err
	}
	s.socket = socket
	return nil
}

// Addr returns where the socket listens, nil before Listen.
func (s *Server) Addr() net.Addr {
	if s.socket == nil {
		return nil
	}
	return s.socket.Addr()
}

// Serve answers until Shutdown, after which it returns nil.
func (s *Server) Serve() error {
	if s.socket == nil {
		return ErrNotListening
	}
	l := netutil.LimitListener(s.socket, s.cfg.MaxConnections)
	if s.tls != nil {
		l = tls.NewListener(l, s.tls.Config())
	}
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown closes the socket and waits for requests under way until ctx ends;
// then it closes their connections and returns ctx's error. It may be called
// before Serve, or without it.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if s.socket != nil {
		_ = s.socket.Close() // Serve, where it ran, has closed it already.
	}
	if err != nil {
		_ = s.http.Close()
	}
	return err
}

// Reload reads the certificate files again, if there are any. Handshakes from
// now on use what it found, and connections that are open stay. Where a file
// cannot be used what it replaces stays in force, and the error,
// listen.ErrCertificate or listen.ErrClientCA, says which.
func (s *Server) Reload() (changed bool, err error) {
	if s.tls == nil {
		return false, nil
	}
	return s.tls.Reload()
}

// Run reloads the certificate files when they have changed, and rotates session
// ticket keys, until ctx ends. It tells report of every change, with nil, and of
// every new fault. Without TLS it returns at once.
func (s *Server) Run(ctx context.Context, report func(error)) {
	if s.tls != nil {
		s.tls.Run(ctx, report)
	}
}
