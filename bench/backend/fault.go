package backend

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Fault is a way to answer wrongly. It may call next, which answers rightly. It runs in the request's goroutine and ends
// when the request's context does. The request's form has been read.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Down closes the connection without an answer. [loopback.Server.Refuse] lets no connection come about.
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
		pause(r, delay)
		next.ServeHTTP(w, r)
	}
}

// Trickle answers rightly, head at once, then one byte after each interval.
func Trickle(interval time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		right := capture(r, next)
		right.header.Set("Content-Length", strconv.Itoa(right.body.Len()))
		right.writeHead(w)
		controller := http.NewResponseController(w)
		for raw := right.body.Bytes(); ; raw = raw[1:] {
			if controller.Flush() != nil {
				panic(http.ErrAbortHandler)
			}
			if len(raw) == 0 {
				return
			}
			pause(r, interval)
			_, _ = w.Write(raw[:1])
		}
	}
}

// pause waits, and cuts the connection where the client leaves or the server is closed meanwhile.
func pause(r *http.Request, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
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

// Flapping answers rightly for up, then has the fault for down, and so on, beginning with the call of Flapping.
func Flapping(up, down time.Duration, fault Fault) Fault {
	begin := time.Now()
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if time.Since(begin)%max(up+down, 1) < up {
			next.ServeHTTP(w, r)
			return
		}
		fault(w, r, next)
	}
}

// redirectMark is the query parameter of a request that was redirected: it is answered rightly.
const redirectMark = "redirected"

// RedirectSameOrigin sends the client to another URL of the same origin, where the answer is right.
func RedirectSameOrigin() Fault { return redirect(func(*http.Request) string { return "" }) }

// RedirectCrossOrigin sends the client to the same path of another origin, "scheme://host:port". Empty means this
// server under the name localhost: another origin (RFC 6454 section 4), where the answer is right.
func RedirectCrossOrigin(origin string) Fault {
	return redirect(func(r *http.Request) string {
		if origin != "" {
			return origin
		}
		_, port, _ := net.SplitHostPort(r.Host)
		return "http://" + net.JoinHostPort("localhost", port)
	})
}

// redirect keeps method and body (RFC 9110 section 15.4.8), so that whoever follows sends its credentials along.
func redirect(origin func(*http.Request) string) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Query().Has(redirectMark) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Location", origin(r)+r.URL.Path+"?"+redirectMark+"=1")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

// answer is an answer that has not been sent yet. It is a http.ResponseWriter.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// capture returns the right answer.
func capture(r *http.Request, next http.Handler) *answer {
	a := &answer{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(a, r)
	return a
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

func (a *answer) writeHead(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
}
