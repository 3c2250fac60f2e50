package backend

import (
	"bytes"
	"net/http"
	"time"
)

// Fault is a way to answer wrongly. It may call next, which answers rightly. It runs in the request's goroutine and ends when the request's context does.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Down closes the connection without an answer.
func Down() Fault {
	return func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }
}

// Status answers with a status code, from 200 to 599, and no document.
func Status(code int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { http.Error(w, "as ordered", code) }
}

// Slow answers rightly, but only after delay.
func Slow(delay time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
}

// HTML answers with a page and status 200, as a proxy's error page or a login wall does.
func HTML() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Maintenance</title><p>Please come back later.</p>\n"))
	}
}

// Truncated announces a document, sends its beginning and closes the connection.
func Truncated() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "4096")
		_, _ = w.Write([]byte(`{"issuer":"http`))
		// Unflushed, the head would be lost with the connection, and this would be Down.
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// Huge answers with a JSON document of size bytes, or slightly more, without announcing its length.
func Huge(size int64) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		const head, tail = `{"keys":[],"padding":"`, `"}`
		if _, err := w.Write([]byte(head)); err != nil {
			return
		}
		piece := bytes.Repeat([]byte("x"), 32<<10)
		for left := size - int64(len(head)+len(tail)); left > 0; left -= int64(len(piece)) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
		_, _ = w.Write([]byte(tail))
	}
}
