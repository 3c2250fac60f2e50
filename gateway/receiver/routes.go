package receiver

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// routes are the handlers by path. They are immutable.
type routes map[string]http.Handler

// SetRoutes replaces all routes at once. Requests under way end with the handler
// that they began with. [ErrRoute] changes nothing.
//
// A path is compared byte for byte with that of the request as it was sent, and
// query parameters are not looked at.
func (s *Server) SetRoutes(to map[string]http.Handler) error {
	for path, handler := range to {
		if handler == nil {
			return fmt.Errorf("%w: %q has no handler", ErrRoute, path)
		}
		// What has to be escaped can be escaped in more ways than one.
		if !strings.HasPrefix(path, "/") || (&url.URL{Path: path}).EscapedPath() != path {
			return fmt.Errorf("%w: %q", ErrRoute, path)
		}
	}
	own := routes(maps.Clone(to))
	s.routes.Store(&own)
	return nil
}

// route returns the handler for r, or answers it.
func (s *Server) route(w http.ResponseWriter, r *http.Request) http.Handler {
	handler := (*s.routes.Load())[r.URL.EscapedPath()]
	switch {
	case handler == nil:
		s.refuse(w, NotFound)
	// RFC 8935 section 2.1 and Back-Channel Logout 1.0 section 2.5: a POST.
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, WrongMethod)
	case r.ContentLength > s.cfg.MaxBodyBytes:
		s.refuse(w, TooLarge)
	default:
		return handler
	}
	return nil
}

var refusals = [...]struct {
	status int
	text   string
}{
	NotFound:    {http.StatusNotFound, "no such path"},
	WrongMethod: {http.StatusMethodNotAllowed, "only POST is taken here"},
	TooLarge:    {http.StatusRequestEntityTooLarge, "the body is too long"},
	Overloaded:  {http.StatusServiceUnavailable, "too many requests at a time"},
	Panicked:    {http.StatusInternalServerError, "internal error"},
}

// refuse answers in the handler's place, and ends the connection: what else the
// client sends is not read.
func (s *Server) refuse(w http.ResponseWriter, why Outcome) {
	s.counts.outcomes[why].Add(1)
	if why == Overloaded {
		w.Header().Set("Retry-After", strconv.Itoa(int((s.cfg.RetryAfter+time.Second-1)/time.Second)))
	}
	body, err := json.Marshal(struct {
		Error string `json:"error"`
	}{refusals[why].text})
	if err != nil {
		panic("BUG: a fixed text is not JSON")
	}
	w.Header().Set("Connection", "close")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(refusals[why].status)
	_, _ = w.Write(append(body, '\n'))
}
