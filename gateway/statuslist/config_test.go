package statuslist

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "k")
	accessTokens, err := token.NewVerifier(token.Profile{
		Issuer: testIssuer, Algorithms: []string{"EdDSA"}, Audience: []string{"tthc"}, Types: []string{"statuslist+jwt"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no addresses":                      func(c *Config) { c.Addresses = nil },
		"an address that is none":           func(c *Config) { c.Addresses = append(c.Addresses, "lists/") },
		"no verifier":                       func(c *Config) { c.Verifier = nil },
		"no keys":                           func(c *Config) { c.Keys = nil },
		"no fetcher":                        func(c *Config) { c.Fetcher = nil },
		"no memory":                         func(c *Config) { c.Memory = nil },
		"no log":                            func(c *Config) { c.Log = nil },
		"a type that access tokens have":    func(c *Config) { c.Verifier = accessTokens },
		"more bytes than a statement":       func(c *Config) { c.MaxBytes = token.MaxStatementBytes + 1 },
		"fewer than none":                   func(c *Config) { c.MaxBytes = -1 },
		"a negative list":                   func(c *Config) { c.MaxListBytes = -1 },
		"negative lists":                    func(c *Config) { c.MaxLists = -1 },
		"a negative wait":                   func(c *Config) { c.Wait = -1 },
		"negative waiters":                  func(c *Config) { c.Waiters = -1 },
		"negative fetches":                  func(c *Config) { c.Fetches = -1 },
		"a negative burst":                  func(c *Config) { c.Burst = -1 },
		"a negative budget":                 func(c *Config) { c.Every = -1 },
		"a negative idle time":              func(c *Config) { c.IdleAfter = -1 },
		"a negative age":                    func(c *Config) { c.MaxAge = -1 },
		"refresh without pause":             func(c *Config) { c.LeastRefresh = time.Second - 1 },
		"refresh sooner than at the least":  func(c *Config) { c.Refresh = time.Second },
		"refresh later than at the most":    func(c *Config) { c.Refresh = time.Hour },
		"stale before it is refreshed":      func(c *Config) { c.SoftStale = time.Minute },
		"hard limit below the soft one":     func(c *Config) { c.HardStale = 6 * time.Minute },
		"a status that means something":     func(c *Config) { c.AllowedValues = []uint8{1} },
		"a status that means nothing yet":   func(c *Config) { c.AllowedValues = []uint8{3, 0x0b} },
		"more lists named than may be held": func(c *Config) { c.Addresses, c.MaxLists = []string{listURI, listURI + "2"}, 1 },
	} {
		cfg := goodConfig(t, &provider{answer: blocked}, ring(s))
		change(&cfg)
		l, err := New(cfg)
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
		if l != nil {
			l.Close()
		}
	}
}

func TestEachFailureHasItsOutcome(t *testing.T) {
	t.Parallel()
	all := Outcomes()
	for _, err := range []error{
		identity.ErrUnreachable, identity.ErrUntrusted, identity.ErrTimeout, identity.ErrStatus, identity.ErrAbsent,
		identity.ErrTooLarge, identity.ErrRedirect, identity.ErrMalformed, identity.ErrBreakerOpen, token.ErrTooLarge,
		token.ErrMalformed, token.ErrCritical, token.ErrAlgorithm, token.ErrType, token.ErrIssuer, token.ErrKeyUnknown,
		token.ErrKeyWithdrawn, token.ErrSignature, token.ErrExpired, token.ErrNotYetValid, token.ErrIssuedInFuture,
		token.ErrClaimMissing, token.ErrClaimInvalid, ErrSubject, ErrFormat, ErrUnpackedSize, ErrOlder, ErrMemory, ErrPanic,
	} {
		if o := outcomeOf(err); o == outcomeOther || !slices.Contains(all, o) {
			t.Errorf("%v: %s", err, o)
		}
	}
	if outcomeOf(errors.New("new")) != outcomeOther || !slices.Contains(all, outcomeOther) {
		t.Error("an error of a new kind has no outcome")
	}
	if slices.Sort(all); len(slices.Compact(all)) != len(Outcomes()) {
		t.Error("an outcome is listed twice")
	}
}

// From the claim in a token to its entry in the list.
func TestATokenIsFollowedToItsEntry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		l := open(t, goodConfig(t, &provider{answer: serves(t, s, nil, 0, 1)}, ring(s)))
		now := time.Now()
		for index, want := range []Status{Valid, Invalid, OutOfRange} {
			parsed, err := token.Parse(s.sign(t, object{"typ": "at+jwt"}, object{
				"iss": testIssuer, "aud": "tthc", "exp": now.Add(time.Minute).Unix(),
				"status": object{"status_list": object{"idx": index, "uri": listURI}},
			}))
			if err != nil {
				t.Fatal(err)
			}
			verified, err := newVerifier(t).Verify(&parsed, ring(s), now)
			if err != nil {
				t.Fatal(err)
			}
			status := verified.Claims.Status
			if got := l.Check(t.Context(), status.URI(), status.Index(), now); !status.Present() || got != want {
				t.Errorf("entry %d is %s", index, got)
			}
		}
	})
}
