package statuslist

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Fetcher fetches a list. *identity.Client is one. Whoever bounds its time bounds how long one list keeps a place.
type Fetcher interface {
	GetType(ctx context.Context, address, mediaType string, allowed func(*url.URL) bool) (identity.Document, error)
}

// Config describes the lists of one issuer. Where a field says that it defaults, zero means its default.
type Config struct {
	// Issuer is the issuer's configured name, for the log.
	Issuer string
	// Addresses are where the issuer's lists are: an address that ends in "/" covers all below it, any other is that of
	// one list, which is fetched from the start and always held. They are compared byte for byte with what tokens say, and
	// are https, or on loopback or with AllowPlainHTTP http. Required.
	Addresses      []string
	AllowPlainHTTP bool
	// Verifier and Keys prove lists, as they prove the issuer's tokens. Required.
	Verifier *token.Verifier
	Keys     token.KeySource
	// Fetcher fetches lists, its bound of size being at least MaxBytes. Required.
	Fetcher Fetcher
	// Breaker is around each fetch. It is told of failures of the backend, not of lists that are missing or cannot be
	// used: one of them says nothing about the others. Optional.
	Breaker identity.Breaker
	// Memory is shared by the lists of all issuers. Required.
	Memory *Memory

	// MaxBytes bounds a list as fetched, up to token.MaxStatementBytes. Defaults to 4 MiB.
	MaxBytes int
	// MaxListBytes bounds a list unpacked: it has 8, 4, 2 or 1 entries a byte. Defaults to 16 MiB.
	MaxListBytes int64
	// MaxLists bounds the lists that are held or asked for. Tokens that refer to others are Unknown. Defaults to 32.
	MaxLists int
	// IdleAfter is how long a list is held to which no token refers. Defaults to 1h.
	IdleAfter time.Duration

	// Refresh is the time between fetches of a list that tells neither ttl nor exp, LeastRefresh and MostRefresh are the
	// bounds of it for those that do. They default to 1m, 15s and 5m. Each wait is up to a tenth shorter.
	Refresh, LeastRefresh, MostRefresh time.Duration
	// SoftStale is the time since the last good fetch after which a list counts as stale in Stats, HardStale after which
	// it does not count any more. They default to 10m and 1h.
	SoftStale, HardStale time.Duration
	// MaxAge is how long ago a list may have been issued when it is fetched. 0 means any time.
	MaxAge time.Duration

	// Fetches bounds the fetches at one time. Defaults to 2.
	Fetches int
	// Burst fetches may be begun at once, one more after each Every. Beyond them fetches wait. They default to 16 and
	// 500ms.
	Burst int
	Every time.Duration

	// Wait bounds how long a request waits for the fetch that is under way; 0 means not at all. Waiters bounds how many
	// wait at one time, and defaults to 1024.
	Wait    time.Duration
	Waiters int

	// AllowUnknown lets tokens pass whose status is Unknown. Without it they are refused.
	AllowUnknown bool
	// AllowedValues are the application-specific values (0x03, 0x0C to 0x0F) with which tokens pass. Optional.
	AllowedValues []uint8

	// Before are the lists of the same issuer under the same keys before a reload. What they hold and Addresses cover is
	// held from the start, and the budget of fetches goes on where it was: no number of reloads raises it. They are
	// closed after that. Optional.
	Before *Lists

	// Now tells the time. Defaults to time.Now.
	Now func() time.Time
	// Changed is called when a list has changed. It must not block. Optional.
	Changed func()
	// OnPanic is given the stack of a panic in a fetch, which then failed with ErrPanic. Optional.
	OnPanic func(stack []byte)
	// Log takes failures and changes. Required.
	Log *slog.Logger
}

// unbroken makes every call.
type unbroken struct{}

func (unbroken) Do(call func() error) error { return call() }

// complete returns the configuration with its defaults filled in, and its addresses. Errors wrap ErrConfig.
func (c Config) complete() (Config, addresses, error) {
	c.MaxBytes = cmp.Or(c.MaxBytes, 4<<20)
	c.MaxListBytes = cmp.Or(c.MaxListBytes, 16<<20)
	c.MaxLists = cmp.Or(c.MaxLists, 32)
	c.IdleAfter = cmp.Or(c.IdleAfter, time.Hour)
	c.Refresh = cmp.Or(c.Refresh, time.Minute)
	c.LeastRefresh = cmp.Or(c.LeastRefresh, 15*time.Second)
	c.MostRefresh = cmp.Or(c.MostRefresh, 5*time.Minute)
	c.SoftStale = cmp.Or(c.SoftStale, 10*time.Minute)
	c.HardStale = cmp.Or(c.HardStale, time.Hour)
	c.Fetches = cmp.Or(c.Fetches, 2)
	c.Burst = cmp.Or(c.Burst, 16)
	c.Every = cmp.Or(c.Every, 500*time.Millisecond)
	c.Waiters = cmp.Or(c.Waiters, 1024)
	if c.Breaker == nil {
		c.Breaker = unbroken{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	fault := func(what string) (Config, addresses, error) {
		return Config{}, nil, fmt.Errorf("%w: %s", ErrConfig, what)
	}
	switch {
	case c.Verifier == nil || c.Keys == nil || c.Fetcher == nil || c.Memory == nil || c.Log == nil:
		return fault("a required field is missing")
	case c.MaxListBytes < 1 || c.MaxLists < 1 || c.IdleAfter < 0 || c.Fetches < 1 || c.Burst < 1 || c.Every < 0 ||
		c.Wait < 0 || c.Waiters < 1:
		return fault("a bound is out of range")
	case c.LeastRefresh < time.Second || c.Refresh < c.LeastRefresh || c.MostRefresh < c.Refresh:
		return fault("refresh times are not in order, or below a second")
	case c.SoftStale < c.MostRefresh || c.HardStale < c.SoftStale:
		return fault("stale limits are not in order, or below the longest refresh time")
	}
	for _, value := range c.AllowedValues {
		if !applicationSpecific(value) {
			return fault("a value to be allowed is not application-specific")
		}
	}
	if err := c.Verifier.Check(rules(c.MaxBytes, c.MaxAge)); err != nil {
		return Config{}, nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	covered, err := parseAddresses(c.Addresses, c.AllowPlainHTTP)
	if err != nil {
		return Config{}, nil, err
	}
	if covered.lists() > c.MaxLists {
		return fault("more lists are named than may be held")
	}
	return c, covered, nil
}
