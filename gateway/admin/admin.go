package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Config is what the listener shows.
type Config struct {
	// Ready lists what is missing before traffic should come; empty means
	// ready.
	Ready func() []string
	// Metrics serves the registry.
	Metrics http.Handler
	// Version is shown by /version, any value that JSON can hold.
	Version any
	// Pprof serves /debug/pprof/.
	Pprof bool
	// Keys is what /keys shows and changes. Nil: there is no /keys.
	Keys KeyAdmin
	// Reload takes the configuration anew; cause is for the log. Nil: there is
	// no /reload.
	Reload func(cause string) error
	// Revocations takes what operators revoke. Nil: POST /revocations is
	// answered 409, with what to set.
	Revocations *Revocations
	// TLS is what the listener shows and asks for. The zero TLS: it speaks
	// plain HTTP.
	TLS TLS
	// Token is the bearer token that lets changes through (RFC 6750 section
	// 2.1). Only its digest is kept. Empty: only a client certificate does;
	// without TLS.ClientCAFile nothing can be changed at all.
	Token []byte
	// Log takes the server's own complaints, and an "audit" line for each
	// change and each attempt at one.
	Log *slog.Logger
}

const (
	readHeaderTimeout = 5 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
)

// Server is the admin listener. It is safe for concurrent use.
type Server struct {
	http         *http.Server
	certificates *certificates // nil without TLS
}

// New returns a server that is not listening yet. ErrCertificate or ErrClientCA
// where Config.TLS names a file that is of no use.
func New(cfg Config) (*Server, error) {
	var certs *certificates
	if cfg.TLS != (TLS{}) {
		var err error
		if certs, err = newCertificates(cfg.TLS, cfg.Log); err != nil {
			return nil, err
		}
	}
	return &Server{certificates: certs, http: &http.Server{
		Handler:           handler(cfg, certs),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          newComplaints(cfg.Log),
	}}, nil
}

// Serve answers on ln, under TLS where configured, until Shutdown. It returns nil
// after Shutdown.
func (s *Server) Serve(ln net.Listener) error {
	if s.certificates != nil {
		ln = tls.NewListener(ln, s.certificates.listening())
	}
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown stops accepting and waits for answers under way until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// Stats is what there is to know of the listener's certificate.
type Stats struct {
	// NotAfter is when the certificate in use expires; zero without TLS.
	NotAfter time.Time
	// Failures counts the readings of changed files that were of no use.
	Failures uint64
}

// Stats returns it as of the last handshake.
func (s *Server) Stats() Stats {
	if s.certificates == nil {
		return Stats{}
	}
	return s.certificates.stats()
}

func handler(cfg Config, certs *certificates) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if missing := cfg.Ready(); len(missing) > 0 {
			writeJSON(w, http.StatusServiceUnavailable, readiness{Status: "not ready", Missing: missing})
			return
		}
		writeJSON(w, http.StatusOK, readiness{Status: "ready"})
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, cfg.Version)
	})
	mux.Handle("GET /metrics", cfg.Metrics)
	if cfg.Keys != nil {
		mux.Handle("GET /keys", newKeyView(cfg.Keys))
	}
	if cfg.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	guarded := newGate(cfg, certs)
	revocations := newRevocations(guarded, cfg.Revocations)
	mux.HandleFunc("GET /revocations", revocations.show)
	mux.HandleFunc("POST /revocations", revocations.revoke)
	if cfg.Reload != nil {
		mux.Handle("POST /reload", &reloads{guarded, cfg.Reload})
	}
	if cfg.Keys == nil {
		return mux
	}
	// Beside the mux, which redirects a path with "//" or ".." in it: a key id
	// may hold either, and a change must not be redirected to another key.
	changes := &keyChanges{gate: guarded, keys: cfg.Keys}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), keyPrefix) {
			changes.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

type readiness struct {
	Status  string   `json:"status"`
	Missing []string `json:"missing,omitzero"`
}

// seconds writes a time.Duration, which has no form of its own in JSON, as whole
// seconds.
func seconds() *json.Marshalers {
	return json.MarshalToFunc(func(e *jsontext.Encoder, d time.Duration) error {
		return e.WriteToken(jsontext.Int(int64(d / time.Second)))
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true), json.WithMarshalers(seconds()))
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
