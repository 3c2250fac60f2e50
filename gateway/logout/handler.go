package logout

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/time/rate"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

const (
	// Refusals are logged within these bounds, since anybody who reaches the
	// address can cause them; the next line says how many were left out.
	linesPerSecond = 1
	linesBurst     = 10
)

// Handler takes the logouts of one issuer. It is an http.Handler, safe for
// concurrent use.
type Handler struct {
	cfg Config
	*standing
}

// standing outlives a change of configuration.
type standing struct {
	accepted memory
	counts   [outcomes]atomic.Uint64
	success  atomic.Int64 // Unix nanoseconds, 0 for never
	lag      atomic.Int64 // nanoseconds
	lines    *rate.Limiter
	omitted  atomic.Uint64
}

// New returns a handler. Errors wrap [ErrConfig].
func New(cfg Config) (*Handler, error) {
	return newHandler(cfg, &standing{lines: rate.NewLimiter(linesPerSecond, linesBurst)})
}

// Renew returns a handler with another configuration that counts on where h is,
// and knows the logouts that h accepted. Requests that h is at are not
// disturbed. Errors wrap [ErrConfig]; h stays good.
//
// Where Remember changes, the memory keeps the size that it has grown to.
func (h *Handler) Renew(cfg Config) (*Handler, error) { return newHandler(cfg, h.standing) }

func newHandler(cfg Config, s *standing) (*Handler, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	return &Handler{cfg, s}, nil
}

// ServeHTTP implements http.Handler. It reads no more than Config.MaxBodyBytes
// and waits for Intake, which is given the request's context.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Section 2.8: answers are not to be cached.
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		h.counts[Method].Add(1)
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	raw, err := tokenOf(w, r, h.cfg.MaxBodyBytes)
	outcome := Request
	if err == nil {
		outcome, err = h.take(r.Context(), raw)
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	h.counts[outcome].Add(1)
	w.WriteHeader(http.StatusOK)
}

// take puts what a logout token says in force.
func (h *Handler) take(ctx context.Context, raw []byte) (Outcome, error) {
	now := h.cfg.Now()
	l, err := h.cfg.read(raw, now)
	if err != nil {
		return 0, err
	}
	digest := l.digest()
	if h.accepted.has(digest) {
		return Repeated, nil
	}
	entries, err := h.cfg.entries(l, now)
	if err == nil {
		err = h.cfg.Intake.Accept(ctx, entries...)
	}
	if err != nil {
		if errors.Is(err, revocation.ErrEntry) {
			return 0, err
		}
		return 0, fmt.Errorf("%w: %w", ErrNotAccepted, err)
	}
	// Not before: whoever sends it again after a failure must be heard.
	h.accepted.add(digest, h.cfg.Remember)
	done := h.cfg.Now()
	h.success.Store(done.UnixNano())
	h.lag.Store(int64(max(done.Sub(time.Unix(l.issued, 0)), 0)))
	return Accepted, nil
}

// refuse answers and logs.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	// What nobody foresaw is ours to mend: nothing is acknowledged.
	outcome, text := NotAccepted, "the logout could not be taken"
	for _, known := range refusals {
		if errors.Is(err, known.err) {
			outcome, text = known.outcome, known.text
			break
		}
	}
	h.counts[outcome].Add(1)
	answer := struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{"invalid_request", text} // RFC 6749 section 5.2.
	status := http.StatusBadRequest
	if outcome == NotAccepted || outcome == KeysUnavailable {
		answer.Error, status = "temporarily_unavailable", http.StatusServiceUnavailable
		w.Header().Set("Retry-After", strconv.FormatInt(int64((h.cfg.RetryAfter+time.Second-1)/time.Second), 10))
	}
	h.tell(r, outcome, err)
	body, err := json.Marshal(answer)
	if err != nil {
		panic("BUG: fixed texts are not JSON")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

func (h *Handler) tell(r *http.Request, outcome Outcome, err error) {
	if !h.lines.Allow() {
		h.omitted.Add(1)
		return
	}
	remote, _, splitErr := net.SplitHostPort(r.RemoteAddr)
	if splitErr != nil {
		remote = r.RemoteAddr
	}
	about := []any{
		"issuer", h.cfg.Name, "reason", outcome.String(), "remote", remote, "error", err.Error(), "omitted", h.omitted.Swap(0),
	}
	if outcome == NotAccepted || outcome == KeysUnavailable {
		h.cfg.Log.Error("back-channel logout not acknowledged", about...)
		return
	}
	h.cfg.Log.Warn("back-channel logout refused", about...)
}

// Stats is a snapshot of a handler's counters.
type Stats struct {
	// Requests counts requests, by outcome.
	Requests [outcomes]uint64
	// LastSuccess is when a logout was accepted last; zero for never. That it lies
	// back is no fault: nobody may have logged out.
	LastSuccess time.Time
	// Lag is how long that one took from its iat, which has whole seconds, until
	// it was accepted.
	Lag time.Duration
}

// Stats returns the counters, which go on from one configuration to the next.
func (h *Handler) Stats() Stats {
	var s Stats
	for o := range s.Requests {
		s.Requests[o] = h.counts[o].Load()
	}
	if at := h.success.Load(); at != 0 {
		s.LastSuccess = time.Unix(0, at)
	}
	s.Lag = time.Duration(h.lag.Load())
	return s
}
