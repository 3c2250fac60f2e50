package receiver

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
)

// serve is the life of a request: route, slot, deadline, handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	handler := s.route(w, r)
	if handler == nil {
		return
	}
	select {
	case s.slots <- struct{}{}:
	default:
		s.refuse(w, Overloaded)
		return
	}
	defer func() { <-s.slots }()
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.RequestTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body = http.MaxBytesReader(w, r.Body, s.cfg.MaxBodyBytes)
	s.guarded(handler, &answer{ResponseWriter: w}, r)
}

// guarded calls the handler. Its panic becomes a 500, or the end of the
// connection where an answer has begun.
func (s *Server) guarded(handler http.Handler, w *answer, r *http.Request) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(http.ErrAbortHandler) // The handler wants the connection to end.
		}
		// The value may hold anything of the request: only its place is told.
		s.cfg.Log.Error("panic in a receiver's handler", "stack", string(debug.Stack()))
		if w.begun {
			s.counts.outcomes[Panicked].Add(1)
			panic(http.ErrAbortHandler)
		}
		clear(w.Header())
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		s.refuse(w, Panicked)
	}()
	handler.ServeHTTP(w, r)
	s.counts.outcomes[Handled].Add(1)
}

// answer knows whether the handler has begun to answer.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) WriteHeader(status int) {
	// RFC 9110 section 15.2: after an interim response the answer is still to come.
	a.begun = a.begun || status >= http.StatusOK
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
