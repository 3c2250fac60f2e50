package logout

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Intake puts revocations in force. It is safe for concurrent use.
type Intake interface {
	// Accept puts entries in force and returns when that is durable.
	// revocation.ErrEntry means that an entry is malformed and none is in force;
	// after any other error nothing may be acknowledged.
	Accept(ctx context.Context, entries ...revocation.Entry) error
}

// Scope is what a logout ends whose token names a session and a subject.
type Scope uint8

// The scopes.
const (
	// EndSession ends the session (section 2.4).
	EndSession Scope = iota
	// EndSubject ends the session and all that the subject was given until then:
	// for issuers whose access tokens bear no sid.
	EndSubject

	scopes
)

// Config is how the logouts of one issuer are taken.
type Config struct {
	// Name is the issuer's name in the log. Required.
	Name string
	// Verifier verifies the issuer's tokens, Keys finds its keys. Both required.
	// An error of Keys that does not wrap one of token's sentinels means that it
	// cannot be told now, and is answered 503.
	Verifier *token.Verifier
	Keys     token.KeySource
	// Audience are the client ids under which the backend knows this relying
	// party. Required, at least one.
	Audience []string
	// AllowUntyped takes logout tokens whose typ is JWT or absent, too. Optional.
	// Default: logout+jwt only.
	AllowUntyped bool
	// MaxAge is the longest that iat may lie back, the issuer's leeway not
	// counted. Optional. Default: any, so that exp alone decides.
	MaxAge time.Duration
	// Ends is what a token with sid and sub ends. Optional. Defaults to EndSession.
	Ends Scope
	// Lifetime returns how long after its issue a token of the issuer may be good,
	// leeway included. It must be more than zero. Required.
	Lifetime func(issuer string) time.Duration
	// Intake takes the revocations. Required.
	Intake Intake
	// Log takes refusals, in bounded number, without anything that was sent.
	// Required.
	Log *slog.Logger
	// Now is the clock. Optional. Defaults to time.Now.
	Now func() time.Time
	// MaxBodyBytes bounds a request's body. Optional. Defaults to 32 KiB; a logout
	// token has about one.
	MaxBodyBytes int64
	// Remember is how many accepted logouts are remembered, at 32 bytes and as much
	// again for finding them. Optional. Defaults to 16384; up to 1048576.
	Remember int
	// RetryAfter is when to come back after a 503, in whole seconds, rounded up.
	// Optional. Defaults to 5s.
	RetryAfter time.Duration
}

// maxRemember bounds Config.Remember, to some 100 MiB.
const maxRemember = 1 << 20

func (c Config) complete() (Config, error) {
	switch {
	case c.Name == "" || c.Verifier == nil || c.Keys == nil || c.Lifetime == nil || c.Intake == nil || c.Log == nil:
		return c, fmt.Errorf("%w: something required is missing", ErrConfig)
	case len(c.Audience) == 0:
		return c, fmt.Errorf("%w: no audience", ErrConfig)
	case c.Ends >= scopes:
		return c, fmt.Errorf("%w: no such scope", ErrConfig)
	case c.Remember > maxRemember:
		return c, fmt.Errorf("%w: at most %d logouts are remembered", ErrConfig, maxRemember)
	}
	c.Audience = slices.Clone(c.Audience)
	if err := c.Verifier.Check(c.rules()); err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxBodyBytes <= 0 {
		c.MaxBodyBytes = 32 << 10
	}
	if c.Remember <= 0 {
		c.Remember = 16 << 10
	}
	if c.RetryAfter <= 0 {
		c.RetryAfter = 5 * time.Second
	}
	return c, nil
}

// rules is section 2.6 as far as a verifier can check it.
func (c *Config) rules() token.StatementRules {
	// Section 2.4: explicit typing is recommended, under this name.
	types := []string{"logout+jwt"}
	if c.AllowUntyped {
		types = append(types, "JWT", "")
	}
	return token.StatementRules{
		Types:          types,
		Audience:       c.Audience,
		Require:        []string{"aud", "jti", "events"},
		ExpiryRequired: true,
		MaxAge:         c.MaxAge,
	}
}
