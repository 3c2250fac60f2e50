// Package origin holds two upstreams for tests and demos: a [Site] that echoes what it understood, and a [Recorder]
// that keeps the bytes that reached it and answers with bytes it was given.
package origin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

const (
	// MaxSlow is the longest that /slow waits.
	MaxSlow = 10 * time.Minute
	// MaxBytes is the most that /bytes sends: 1 TiB.
	MaxBytes = 1 << 40
)

// Echo is what a site answers with: the request as net/http understood it. Names are in canonical case and sorted,
// since net/http keeps neither case nor order; values of one name keep their order. See [Recorder] for the bytes.
type Echo struct {
	Site       string   `json:"site"`
	Method     string   `json:"method"`
	Target     string   `json:"target"` // The request target, verbatim.
	Protocol   string   `json:"protocol"`
	Host       string   `json:"host"`
	Headers    []Header `json:"headers"`
	Trailers   []Header `json:"trailers,omitempty"`
	BodyBytes  int64    `json:"body_bytes"`
	BodySHA256 string   `json:"body_sha256"` // In hex.
}

// Header is one field line.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Values returns the values of a header field, in order. The name is in canonical case.
func (e Echo) Values(name string) []string {
	var values []string
	for _, h := range e.Headers {
		if h.Name == name {
			values = append(values, h.Value)
		}
	}
	return values
}

// Site returns a handler that stands for a TTHC system called name. It answers any path with an [Echo], except
//
//	/slow?ms=N           waits N milliseconds, at most MaxSlow, then echoes
//	/bytes?n=N           sends N bytes of "x", at most MaxBytes, with a Content-Length; with &chunked=1 without one
//	/upload              counts the body's bytes as they come, keeping none: {"bytes":N}
//	/status/NNN          answers with that status, 200 to 599, and an echo where the status allows a body
//
// A number that is missing or out of bounds is 400.
func Site(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Not http.ServeMux: it would redirect from paths that are not clean, which are what tests send.
		path := r.URL.Path
		status, isStatus := strings.CutPrefix(path, "/status/")
		switch {
		case path == "/slow":
			slow(w, r, name)
		case path == "/bytes":
			send(w, r)
		case path == "/upload":
			upload(w, r)
		case isStatus:
			code, ok := number(w, status, http.StatusOK, 599)
			if ok {
				echo(w, r, name, int(code))
			}
		default:
			echo(w, r, name, http.StatusOK)
		}
	})
}

// Start serves [Site] on a loopback "IP:port"; empty means a free port.
func Start(ctx context.Context, address, name string) (*loopback.Server, error) {
	listener, err := loopback.Listen(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("starting the site %s: %w", name, err)
	}
	return loopback.Serve(listener, Site(name)), nil
}

func echo(w http.ResponseWriter, r *http.Request, site string, status int) {
	digest := sha256.New()
	n, err := io.Copy(digest, r.Body)
	if err != nil {
		// The body is cut or its framing broken: no answer is better than a wrong digest.
		panic(http.ErrAbortHandler)
	}
	answerJSON(w, status, Echo{
		Site:       site,
		Method:     r.Method,
		Target:     r.RequestURI,
		Protocol:   r.Proto,
		Host:       r.Host,
		Headers:    lines(r.Header),
		Trailers:   lines(r.Trailer),
		BodyBytes:  n,
		BodySHA256: hex.EncodeToString(digest.Sum(nil)),
	})
}

func lines(fields http.Header) []Header {
	found := []Header{}
	for name, values := range fields {
		for _, value := range values {
			found = append(found, Header{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(found, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return found
}

func slow(w http.ResponseWriter, r *http.Request, site string) {
	ms, ok := number(w, r.URL.Query().Get("ms"), 0, MaxSlow.Milliseconds())
	if !ok {
		return
	}
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		echo(w, r, site, http.StatusOK)
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

func send(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	n, ok := number(w, query.Get("n"), 0, MaxBytes)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if !query.Has("chunked") {
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	}
	// A reader that went away is no concern of the site.
	_, _ = io.CopyN(w, repeated{}, n)
}

// repeated is an endless stream of "x".
type repeated struct{}

func (repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func upload(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	answerJSON(w, http.StatusOK, map[string]int64{"bytes": n})
}

// number answers 400 when text is no whole number from least to most.
func number(w http.ResponseWriter, text string, least, most int64) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		http.Error(w, fmt.Sprintf("want a number from %d to %d", least, most), http.StatusBadRequest)
		return 0, false
	}
	return n, true
}

func answerJSON(w http.ResponseWriter, status int, value any) {
	raw, err := json.Marshal(value)
	if err != nil {
		panic("BUG: strings and numbers do not marshal: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// 204 and 304 have no body: net/http says so here, and that is what was ordered.
	_, _ = w.Write(append(raw, '\n'))
}
