package secevent

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// acceptTimeout bounds how long a transmitter waits for a token to be durable.
	acceptTimeout = 30 * time.Second
	// A transmitter whose token could not be made durable is asked to come again after between retryLeast and
	// retryLeast + retrySpread seconds: those that were turned away together do not come back together.
	retryLeast  = 2
	retrySpread = 8
)

// PushConfig is how a transmitter delivers tokens to us.
type PushConfig struct {
	// Stream takes the tokens. Required.
	Stream *Stream
	// Token is the bearer token that the transmitter shows (RFC 6750 section 2.1). Only its digest is kept. Empty asks
	// for none: then the signature alone tells who sent a token.
	Token []byte
}

// push answers RFC 8935.
type push struct {
	stream *Stream
	open   bool
	token  [sha256.Size]byte
}

// NewPush returns a handler that takes security event tokens that are pushed (RFC 8935), one a request, on whatever path
// it is mounted. It answers
//
//   - 202 when what the token revokes is in force and durable, or had been before, or it revokes nothing;
//   - 400 with err and description (RFC 8935 section 2.4) when it is refused for good;
//   - 405, 413 or 415 when the request is not one that section 2.1 describes, in the same form;
//   - 503 with Retry-After when the token may be good but cannot be verified or made durable now.
//
// It bounds the body and the time to make a token durable. The time to read the body, connections and what is under way
// at one time are for the server to bound.
func NewPush(cfg PushConfig) (http.Handler, error) {
	if cfg.Stream == nil {
		return nil, fmt.Errorf("%w: no stream", ErrConfig)
	}
	return &push{stream: cfg.Stream, open: len(cfg.Token) == 0, token: sha256.Sum256(cfg.Token)}, nil
}

// ServeHTTP implements http.Handler.
func (p *push) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, err := p.receive(w, r)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusAccepted)
	case errors.Is(err, ErrUnavailable):
		w.Header().Set("Retry-After", strconv.Itoa(retryLeast+rand.IntN(retrySpread+1)))
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		writeRefusal(w, status, err)
	}
}

// receive takes the one token of a request. The status is that of a refusal for good.
func (p *push) receive(w http.ResponseWriter, r *http.Request) (status int, err error) {
	kind, _, typeErr := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case !p.authenticated(r.Header.Values("Authorization")):
		// RFC 8935 section 2.4 has a code for it, which goes with 400.
		status, err = http.StatusBadRequest, ErrAuthentication
	case r.Method != http.MethodPost:
		status, err = http.StatusMethodNotAllowed, fmt.Errorf("%w: not posted", ErrRequest)
	case typeErr != nil || kind != "application/secevent+jwt" || r.Header.Get("Content-Encoding") != "":
		// RFC 8935 section 2.1.
		status, err = http.StatusUnsupportedMediaType, fmt.Errorf("%w: not application/secevent+jwt", ErrRequest)
	}
	if err != nil {
		p.stream.counts.received.Add(1)
		p.stream.refused(err)
		return status, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(p.stream.cfg.MaxBytes)))
	if err != nil {
		p.stream.counts.received.Add(1)
		status, err = http.StatusBadRequest, bodyFault(err)
		if errors.Is(err, errBodyTooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		p.stream.refused(err)
		return status, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), acceptTimeout)
	defer cancel()
	_, err = p.stream.Take(ctx, body)
	return http.StatusBadRequest, err
}

var (
	errBodyTooLarge = fmt.Errorf("%w: too large", ErrRequest)
	errBodyCutOff   = fmt.Errorf("%w: body not complete", ErrRequest)
)

// bodyFault says why a body could not be read, without what net/http found in it.
func bodyFault(err error) error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return errBodyTooLarge
	}
	return errBodyCutOff
}

// authenticated reports whether exactly one Authorization field shows the transmitter's token, in a time that does not
// depend on it.
func (p *push) authenticated(fields []string) bool {
	if p.open {
		return true
	}
	if len(fields) != 1 {
		return false
	}
	scheme, shown, _ := strings.Cut(fields[0], " ")
	sum := sha256.Sum256([]byte(strings.TrimLeft(shown, " ")))
	same := subtle.ConstantTimeCompare(sum[:], p.token[:]) == 1
	// RFC 9110 section 11.1: the scheme is compared without case.
	return same && strings.EqualFold(scheme, "Bearer")
}

// refusal is the answer of RFC 8935 section 2.3, and an entry of setErrs of RFC 8936 section 2.2.
type refusal struct {
	Err         string `json:"err"`
	Description string `json:"description"`
}

// refusalOf says why a token is refused. Errors of Take say nothing of what is in it.
func refusalOf(err error) refusal {
	return refusal{Err: reasons[reasonOf(err)].code, Description: err.Error()}
}

func writeRefusal(w http.ResponseWriter, status int, err error) {
	body, fault := json.Marshal(refusalOf(err))
	if fault != nil {
		panic("BUG: a refusal that JSON cannot hold")
	}
	w.Header().Set("Content-Type", "application/json")
	// RFC 8935 section 2.3: the language of the description.
	w.Header().Set("Content-Language", "en")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
