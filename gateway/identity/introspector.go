package identity

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// ErrClientRejected means that the issuer did not accept the gateway's own
// credentials (RFC 7662 section 2.3).
var ErrClientRejected = errors.New("identity: backend rejected the gateway's credentials")

const (
	// retryPause is the mean pause before the one repetition of a call that did
	// not reach the backend.
	retryPause = 50 * time.Millisecond
	// idleConnection is how long a connection is kept for the next call.
	idleConnection = 30 * time.Second
	// maxErrorBytes bounds an error answer.
	maxErrorBytes = 4 << 10
)

// IntrospectorConfig describes one issuer's introspection endpoint.
type IntrospectorConfig struct {
	// Client has the roots, the client certificate, the proxy and the bounds of
	// the calls. Required. An answer has at most token.MaxTokenBytes, too.
	Client *Client
	// URL is the endpoint. https, or on loopback or with AllowPlainHTTP http.
	URL            string
	AllowPlainHTTP bool
	// Auth has the gateway's credentials. Required.
	Auth *ClientAuth
	// Breaker is asked before each call. Required, and not the one of the key
	// set's: whoever sends tokens that the backend fails over must not keep keys
	// from being fetched.
	Breaker Breaker
	// Concurrency bounds the calls at one time; at least 1. A call beyond it
	// waits as long as one may take; sixteen times as many wait at one time.
	Concurrency int
}

// Introspector asks one issuer about tokens (RFC 7662). It is safe for
// concurrent use.
//
// A token is in the body of a request and nowhere else. Redirects are not
// followed, not even to the same origin: they would take credentials along.
type Introspector struct {
	cfg     IntrospectorConfig
	http    *http.Client
	slots   *slots
	calls   atomic.Uint64
	retries atomic.Uint64
}

// NewIntrospector returns an introspector that has no connection yet.
func NewIntrospector(cfg IntrospectorConfig) (*Introspector, error) {
	address, err := url.Parse(cfg.URL)
	switch {
	case err != nil || address.Host == "" || address.User != nil || address.Fragment != "":
		return nil, fmt.Errorf("introspection url: %w", ErrMalformed)
	case address.Scheme != "https" && (address.Scheme != "http" || !loopback(address) && !cfg.AllowPlainHTTP):
		return nil, fmt.Errorf("introspection url: %w", ErrInsecure)
	case cfg.Concurrency < 1:
		return nil, errors.New("introspection: concurrency must be at least 1")
	}
	transport := cfg.Client.http.Transport.(*http.Transport).Clone()
	// Unlike fetches of key sets, these calls follow closely upon one another.
	transport.DisableKeepAlives = false
	transport.MaxConnsPerHost = cfg.Concurrency
	transport.MaxIdleConns = cfg.Concurrency
	transport.MaxIdleConnsPerHost = cfg.Concurrency
	transport.IdleConnTimeout = idleConnection
	return &Introspector{
		cfg:   cfg,
		slots: newSlots(cfg.Concurrency, cfg.Client.timeout),
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return ErrRedirect },
		},
	}, nil
}

// Close closes the connections that are not in use.
func (i *Introspector) Close() { i.http.CloseIdleConnections() }

// Ask returns what the issuer answers about a token, a valid JSON text, which is
// for token.Verifier to read. known says that the token was good before: a flood
// of others does not keep it waiting. Ask returns within twice the client's
// timeout. Errors are ErrSaturated, ErrBreakerOpen, ErrClientRejected, those of
// the package's taxonomy, and ctx's.
func (i *Introspector) Ask(ctx context.Context, tok string, known bool) ([]byte, error) {
	giveBack, err := i.slots.take(ctx, known)
	if err != nil {
		return nil, err
	}
	defer giveBack()
	var (
		document []byte
		fault    error
	)
	call := func() error {
		i.calls.Add(1)
		document, fault = i.call(ctx, tok)
		// Whoever sends a token that the backend cannot read must not make it
		// look broken to all others.
		if errors.Is(fault, errTokenRefused) {
			return nil
		}
		return fault
	}
	if err := i.cfg.Breaker.Do(call); err != nil {
		return nil, err
	}
	return document, fault
}

// errTokenRefused is an answer that may be due to the token alone.
var errTokenRefused = fmt.Errorf("%w: request refused", ErrStatus)

// call asks once more where the first time did not reach the backend.
func (i *Introspector) call(parent context.Context, tok string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(parent, i.cfg.Client.timeout)
	defer cancel()
	for first := true; ; first = false {
		var way path
		document, err := i.post(httptrace.WithClientTrace(ctx, way.trace()), tok)
		switch {
		case err == nil:
			return document, nil
		case parent.Err() != nil:
			return nil, parent.Err()
		case !first || !errors.Is(err, ErrUnreachable) || way.taken():
			return nil, err
		}
		i.retries.Add(1)
		pause := time.NewTimer(retryPause/2 + rand.N(retryPause))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, err
		}
	}
}

// path follows a request on its way to the backend.
type path struct{ connected, reused, answered atomic.Bool }

func (p *path) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			p.connected.Store(true)
			p.reused.Store(info.Reused)
		},
		GotFirstResponseByte: func() { p.answered.Store(true) },
	}
}

// taken reports whether the backend may have taken the request. On a connection
// that was kept and yields not one byte, the backend closed it before the
// request came (RFC 9112 section 9.3.1), which only asks, and can be repeated.
func (p *path) taken() bool {
	return p.connected.Load() && (!p.reused.Load() || p.answered.Load())
}

// post makes one request: RFC 7662 section 2.1.
func (i *Introspector) post(ctx context.Context, tok string) ([]byte, error) {
	form, header := url.Values{"token": {tok}, "token_type_hint": {"access_token"}}, http.Header{}
	if err := i.cfg.Auth.sign(form, header, time.Now()); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, i.cfg.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, ErrUnreachable
	}
	req.Header = header
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	header.Set("Accept", "application/json")
	header.Set("User-Agent", "vneid-gateway")
	resp, err := i.http.Do(req)
	if err != nil {
		return nil, transportError(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(resp)
	}
	maxBytes := min(i.cfg.Client.maxBytes, token.MaxTokenBytes)
	if resp.ContentLength > maxBytes {
		return nil, ErrTooLarge
	}
	document, err := readBounded(resp.Body, maxBytes)
	if err != nil {
		return nil, err
	}
	// RFC 7662 section 2.2: application/json. What is packed was not asked for.
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || resp.Header.Get("Content-Encoding") != "" ||
		!jsontext.Value(document).IsValid() {
		return nil, ErrMalformed
	}
	return document, nil
}

// statusError tells whom an error answer is about: the gateway, the token or
// the backend itself.
func statusError(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return ErrClientRejected
	case http.StatusBadRequest:
		// RFC 6749 section 5.2: credentials that were not in the Authorization
		// header may be rejected in this way.
		var answer struct {
			Error string `json:"error"`
		}
		body, err := readBounded(resp.Body, maxErrorBytes)
		if err == nil && json.Unmarshal(body, &answer) == nil && answer.Error == "invalid_client" {
			return ErrClientRejected
		}
		return fmt.Errorf("%w: %d", errTokenRefused, resp.StatusCode)
	case http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: %d", errTokenRefused, resp.StatusCode)
	}
	return fmt.Errorf("%w: %d", ErrStatus, resp.StatusCode)
}

// AskStats is a snapshot of an introspector.
type AskStats struct {
	// Calls counts questions to the backend, Retries those of them that were
	// repeated, Saturated those that were not made for want of a slot.
	Calls, Retries, Saturated uint64
	// InFlight and Waiting are calls under way and waiting now; of the former
	// there are at most Limit.
	InFlight, Waiting int64
	Limit             int
}

// Stats returns the counters. It is safe for concurrent use.
func (i *Introspector) Stats() AskStats {
	return AskStats{
		Calls:     i.calls.Load(),
		Retries:   i.retries.Load(),
		Saturated: i.slots.saturated.Load(),
		InFlight:  int64(len(i.slots.all)),
		Waiting:   i.slots.waiting[0].Load() + i.slots.waiting[1].Load(),
		Limit:     i.cfg.Concurrency,
	}
}
