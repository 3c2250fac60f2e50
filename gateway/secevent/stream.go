package secevent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Accepter puts entries in force.
type Accepter interface {
	// Accept returns nil when the entries are in force and durable. An error that is revocation.ErrEntry means that one
	// of them is malformed, any other that the sender must send them again.
	Accept(ctx context.Context, entries ...revocation.Entry) error
}

// Bounds and defaults of Config.
const (
	DefaultRemember = 65536
	MaxRemember     = 1 << 20
	MaxIssuers      = 64
)

// Config is one transmitter, and what its events may do.
type Config struct {
	// Name is the transmitter's configured name, for the log. Required.
	Name string
	// Verifier has the transmitter's issuer, algorithms and leeway. Required.
	Verifier *token.Verifier
	// Keys are the transmitter's. An error that is not token.ErrKeyUnknown means that the keys cannot be had now; the
	// transmitter is then told to come again. Required.
	Keys token.KeySource
	// Types are the header's typ values that are accepted. Optional. Defaults to secevent+jwt.
	Types []string
	// Audience are the audiences that are ours; aud must name one. Nil leaves aud unchecked: only for a transmitter whose
	// every token is for this gateway.
	Audience []string
	// MaxBytes is the length of the longest token. Optional. Defaults to token.MaxTokenBytes, which is also the maximum.
	MaxBytes int
	// MaxAge is the longest that a token's iat may lie back. Optional. Zero means any: a transmitter that was cut off has
	// old events to tell. Otherwise it bounds for how long who holds an old account-disabled can disable that account
	// again, once the token was forgotten.
	MaxAge time.Duration
	// Issuers are the token issuers for which the transmitter may speak, 1 to MaxIssuers. Where a subject tells none, the
	// first is meant. Required.
	Issuers []string
	// NoSessionIDs says that the issuers' tokens have no sid: an event about a session then covers what its user was
	// issued up to the event, and one that names nothing but a session is unmapped.
	NoSessionIDs bool
	// AcknowledgeUnmapped acknowledges tokens whose events are about subjects that no token names. They are counted and
	// logged all the same. By default they are refused, so that the transmitter's operators see it, too.
	AcknowledgeUnmapped bool
	// Lifetime is how long after its issue a token of the issuer may be good, leeway included;
	// positive. Required.
	Lifetime func(issuer string) time.Duration
	// Accept puts entries in force. Required.
	Accept Accepter
	// Remember is how many tokens are remembered, at least half of it, so that a repeated one has no effect. Optional.
	// Defaults to DefaultRemember, some 5 MiB. Up to MaxRemember.
	Remember int
	// OnPanic is given the stack of a panic while a token was read; the token is then refused with ErrUnavailable.
	// Optional.
	OnPanic func(stack []byte)
	// Now is the clock. Optional. Defaults to time.Now.
	Now func() time.Time
	// Log takes what operators have to know. Required.
	Log *slog.Logger
}

// Stream takes the security events of one transmitter, however they are delivered. It is safe for concurrent use.
type Stream struct {
	cfg     Config
	rules   token.StatementRules
	mapping mapping
	seen    *memory
	log     *complaints
	counts  counts
}

// New returns a stream that has taken nothing yet, or an error that wraps ErrConfig.
func New(cfg Config) (*Stream, error) {
	switch {
	case cfg.Name == "" || cfg.Verifier == nil || cfg.Keys == nil || cfg.Lifetime == nil || cfg.Accept == nil || cfg.Log == nil:
		return nil, fmt.Errorf("%w: something required is missing", ErrConfig)
	case len(cfg.Issuers) == 0 || len(cfg.Issuers) > MaxIssuers || slices.Contains(cfg.Issuers, ""):
		return nil, fmt.Errorf("%w: 1 to %d issuers", ErrConfig, MaxIssuers)
	case cfg.Remember < 0 || cfg.Remember > MaxRemember:
		return nil, fmt.Errorf("%w: at most %d tokens are remembered", ErrConfig, MaxRemember)
	case cfg.MaxBytes < 0 || cfg.MaxBytes > token.MaxTokenBytes:
		return nil, fmt.Errorf("%w: a token has at most %d bytes", ErrConfig, token.MaxTokenBytes)
	}
	for _, issuer := range cfg.Issuers {
		if cfg.Lifetime(issuer) <= 0 {
			return nil, fmt.Errorf("%w: tokens of an issuer have no lifetime", ErrConfig)
		}
	}
	if cfg.Types == nil {
		cfg.Types = []string{"secevent+jwt"}
	}
	if cfg.Remember == 0 {
		cfg.Remember = DefaultRemember
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = token.MaxTokenBytes
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Issuers = slices.Clone(cfg.Issuers)
	rules := token.StatementRules{
		Types:    slices.Clone(cfg.Types),
		MaxBytes: cfg.MaxBytes,
		Audience: slices.Clone(cfg.Audience),
		// RFC 8417 section 2.2: iss, iat, jti and events are required, exp is not to be expected.
		Require: []string{"jti", "events"},
		MaxAge:  cfg.MaxAge,
	}
	if err := cfg.Verifier.Check(rules); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return &Stream{
		cfg:   cfg,
		rules: rules,
		mapping: mapping{
			issuers: cfg.Issuers, noSessionIDs: cfg.NoSessionIDs, leeway: cfg.Verifier.Leeway(), lifetime: cfg.Lifetime,
		},
		seen: newMemory(cfg.Remember),
		log:  newComplaints(cfg.Log.With("transmitter", cfg.Name)),
	}, nil
}

// Take verifies a security event token and returns when what it revokes is in force and durable, or when it revokes
// nothing: then it may be acknowledged. fresh tells that it had not been taken before. Errors are ErrRequest to
// ErrUnavailable; nothing is acknowledged after one. raw is not kept.
func (s *Stream) Take(ctx context.Context, raw []byte) (fresh bool, err error) {
	return s.take(ctx, raw, nil)
}

// take is Take for a token that was delivered under the name of a jti, nil for none.
func (s *Stream) take(ctx context.Context, raw []byte, name *string) (fresh bool, err error) {
	defer func() {
		if recover() != nil {
			// The value may hold anything of a token: only its place is told.
			if s.cfg.OnPanic != nil {
				s.cfg.OnPanic(debug.Stack())
			}
			fresh, err = false, fmt.Errorf("%w: panic", ErrUnavailable)
		}
		if err != nil {
			s.refused(err)
		}
	}()
	s.counts.received.Add(1)
	now := s.cfg.Now()
	statement, err := s.cfg.Verifier.Statement(raw, s.cfg.Keys, s.rules, now)
	if err != nil {
		return false, fmt.Errorf("%w: %w", statementFault(err), err)
	}
	s.counts.verified.Store(now.UnixNano())
	// RFC 8936 section 2.3: what is acknowledged under another jti is acknowledged for another token.
	if name != nil && *name != statement.TokenID {
		return false, &fault{fmt.Errorf("%w: delivered under another jti", ErrRequest), statement.TokenID}
	}
	digest := digestOf(raw)
	if s.seen.has(digest) {
		s.counts.duplicates.Add(1)
		return false, nil
	}
	e, err := s.mapping.read(&statement, now)
	if err != nil {
		return false, &fault{err, statement.TokenID}
	}
	if err := s.apply(ctx, &e, statement.TokenID, now); err != nil {
		return false, &fault{err, statement.TokenID}
	}
	// Not before Accept: an event that was not made durable comes again and must not be taken for a repeated one.
	s.seen.add(digest)
	return true, nil
}

// apply puts in force what a token says, and counts it.
func (s *Stream) apply(ctx context.Context, e *effect, jti string, now time.Time) error {
	for _, u := range e.unmapped {
		s.counts.unmapped.Add(1)
		s.log.tell("security event is about a subject that no token names, nothing is revoked",
			"event", u.kind.String(), "format", u.format, "jti_sha256", shortDigest(jti))
	}
	switch {
	case len(e.entries) > 0:
	case e.foreign:
		return ErrAccess
	case len(e.unmapped) > 0 && !s.cfg.AcknowledgeUnmapped:
		return ErrUnmapped
	}
	if len(e.entries) > 0 {
		switch err := s.cfg.Accept.Accept(ctx, e.entries...); {
		case errors.Is(err, revocation.ErrEntry):
			return fmt.Errorf("%w: %w", ErrRequest, err)
		case err != nil:
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		s.counts.lag.Store(int64(max(0, now.Sub(e.moment))))
	}
	if e.status != "" {
		s.updated(e.status)
	}
	s.counts.entries.Add(uint64(len(e.entries)))
	for _, kind := range e.events {
		s.counts.events[kind].Add(1)
	}
	s.counts.accepted.Add(1)
	s.counts.last.Store(now.UnixNano())
	return nil
}

// updated notes what the transmitter says of the stream (SSF 1.0 section 8.1.5). One that is paused or disabled tells of
// no revocation any more.
func (s *Stream) updated(status string) {
	if was := s.counts.status.Swap(&status); was != nil && *was == status {
		return
	}
	level := slog.LevelInfo
	if status != "enabled" {
		level = slog.LevelError
	}
	s.cfg.Log.Log(context.Background(), level, "transmitter changed the stream of security events",
		"transmitter", s.cfg.Name, "status", status)
}

// refused counts a token that is not acknowledged, and tells operators.
func (s *Stream) refused(err error) {
	reason := reasonOf(err)
	s.counts.refused[reason].Add(1)
	args := []any{"reason", reason.String(), "error", err.Error()}
	if f := (*fault)(nil); errors.As(err, &f) {
		args = append(args, "jti_sha256", shortDigest(f.jti))
	}
	s.log.tell("security event token not taken", args...)
}

// fault is an error of Take about a token that is the transmitter's. It does not tell its jti by itself.
type fault struct {
	error
	jti string
}

// Unwrap gives what it is about.
func (f *fault) Unwrap() error { return f.error }

// digestOf tells tokens apart by what they say, jti included, whatever their signature: an event under the jti of another
// one is not lost.
func digestOf(raw []byte) [sha256.Size]byte {
	_, rest, _ := bytes.Cut(raw, []byte{'.'})
	payload, _, _ := bytes.Cut(rest, []byte{'.'})
	return sha256.Sum256(payload)
}

// shortDigest lets operators recognise a jti that they know.
func shortDigest(jti string) string {
	sum := sha256.Sum256([]byte(jti))
	return hex.EncodeToString(sum[:8])
}
