package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

const (
	fakeIssuer   = "https://issuer.example"
	fakeAudience = "tthc"
)

// asker answers from memory, and counts.
type asker struct {
	calls  atomic.Int64
	known  atomic.Int64 // of them, about known tokens
	answer func(ctx context.Context, tok string) (string, error)
}

func (a *asker) Ask(ctx context.Context, tok string, known bool) ([]byte, error) {
	a.calls.Add(1)
	if known {
		a.known.Add(1)
	}
	document, err := a.answer(ctx, tok)
	return []byte(document), err
}

func inactive(context.Context, string) (string, error) { return `{"active":false}`, nil }

func away(context.Context, string) (string, error) { return "", identity.ErrUnreachable }

// active says of every token that it is good for another hour.
func active(context.Context, string) (string, error) { return activeFor(time.Hour), nil }

func activeFor(d time.Duration) string {
	return fmt.Sprintf(`{"active":true,"sub":"s-1","aud":%q,"exp":%d}`, fakeAudience, time.Now().Add(d).Unix())
}

// inBubble runs a test in virtual time, with an issuer that starts by saying active.
func inBubble(t *testing.T, cfg identity.IntrospectionsConfig, test func(t *testing.T, n *identity.Introspections, a *asker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := &asker{answer: active}
		cfg.Asker = a
		if cfg.Verifier == nil {
			cfg.Verifier = opaqueVerifier(t, fakeIssuer, fakeAudience)
		}
		n, end := introspections(t, cfg)
		defer end()
		test(t, n, a)
	})
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// expect decides about a token, and checks the outcome and how often the issuer has been asked so far.
func expect(t *testing.T, n *identity.Introspections, a *asker, tok string, want error, calls int64) {
	t.Helper()
	v, err := verdict(t, n, tok)
	synctest.Wait() // Until it is kept.
	if !errors.Is(err, want) || (err == nil) != (want == nil) || (v == nil) != (want != nil) {
		t.Errorf("got %v, want %v", err, want)
	}
	if got := a.calls.Load(); got != calls {
		t.Errorf("asked %d times, want %d", got, calls)
	}
}

func TestAGoodAnswerIsBelievedForItsMaximumAge(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{}, func(t *testing.T, n *identity.Introspections, a *asker) {
		expect(t, n, a, "good", nil, 1)
		pass(time.Minute - 1)
		expect(t, n, a, "good", nil, 1)
		pass(1)
		expect(t, n, a, "good", nil, 2)
		if a.known.Load() != 1 {
			t.Error("the second time, the token was known")
		}
		// It is counted from when the issuer was asked, not from the last use.
		pass(time.Minute - 1)
		expect(t, n, a, "good", nil, 2)
		pass(1)
		expect(t, n, a, "good", nil, 3)
		expect(t, n, a, "another", nil, 4)
		if s := n.Stats(); s.Fresh != 2 || s.Active != 4 || s.Inactive+s.Unfit+s.Stale+s.Unavailable != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestARefusalIsBelievedForItsAge(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{}, func(t *testing.T, n *identity.Introspections, a *asker) {
		a.answer = inactive
		expect(t, n, a, "bad", token.ErrInactive, 1)
		pass(10*time.Second - 1)
		expect(t, n, a, "bad", token.ErrInactive, 1)
		pass(1)
		a.answer = active
		expect(t, n, a, "bad", nil, 2)
		if s := n.Stats(); s.Refusals != 1 || s.Inactive != 1 || s.Active != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestARefusalIsNotBelievedWhereItsAgeIsZero(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{MaxAge: time.Minute}, func(t *testing.T, n *identity.Introspections, a *asker) {
		a.answer = inactive
		expect(t, n, a, "bad", token.ErrInactive, 1)
		expect(t, n, a, "bad", token.ErrInactive, 2)
	})
}

// What is active, but not for us or not now, is refused as a JWT is, and remembered like what is inactive.
func TestAnActiveTokenThatIsNotForUsIsRefusedAndRemembered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		want   error
	}{
		"audience":   {`{"active":true,"aud":"other","exp":32503680000}`, token.ErrAudience},
		"issuer":     {`{"active":true,"iss":"https://other.example","aud":"tthc","exp":32503680000}`, token.ErrIssuer},
		"expired":    {`{"active":true,"aud":"tthc","exp":1}`, token.ErrExpired},
		"not yet":    {`{"active":true,"aud":"tthc","exp":32503680000,"nbf":32503679999}`, token.ErrNotYetValid},
		"token type": {`{"active":true,"aud":"tthc","exp":32503680000,"token_type":"DPoP"}`, token.ErrType},
		"subject":    {`{"active":true,"aud":"tthc","exp":32503680000,"sub":1}`, token.ErrClaimInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, identity.IntrospectionsConfig{}, func(t *testing.T, n *identity.Introspections, a *asker) {
				a.answer = func(context.Context, string) (string, error) { return c.answer, nil }
				expect(t, n, a, "unfit", c.want, 1)
				expect(t, n, a, "unfit", c.want, 1)
				if s := n.Stats(); s.Unfit != 1 || s.Refusals != 1 || s.Inactive != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestAnAnswerThatIsNoneIsUnavailabilityAndIsNotRemembered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, reason string }{
		"active missing":   {`{}`, "malformed"},
		"active not told":  {`{"active":"true"}`, "malformed"},
		"not an object":    {`[true]`, "malformed"},
		"too large to use": {`{"active":true,"x":"` + strings.Repeat("x", token.MaxTokenBytes) + `"}`, "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, identity.IntrospectionsConfig{}, func(t *testing.T, n *identity.Introspections, a *asker) {
				a.answer = func(context.Context, string) (string, error) { return c.answer, nil }
				_, err := verdict(t, n, "good")
				if !errors.Is(err, identity.ErrIntrospection) || identity.Reason(err) != c.reason {
					t.Errorf("%v", err)
				}
				expect(t, n, a, "good", identity.ErrIntrospection, 2)
				if s := n.Stats(); s.Failures[c.reason] != 2 || s.Unavailable != 2 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestWithoutTheIssuerAnOldAnswerIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{}, func(t *testing.T, n *identity.Introspections, a *asker) {
		expect(t, n, a, "good", nil, 1)
		a.answer = away
		pass(time.Minute - 1)
		expect(t, n, a, "good", nil, 1)
		pass(1)
		expect(t, n, a, "good", identity.ErrIntrospection, 2)
		expect(t, n, a, "never-seen", identity.ErrIntrospection, 3)
		a.answer = active
		expect(t, n, a, "good", nil, 4)
		if s := n.Stats(); s.Unavailable != 2 || s.Failures["unreachable"] != 2 || s.Stale != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestWithoutTheIssuerAnOldAnswerIsUsedUntilExpWhereConfigured(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{UseCachedUntilExp: true}, func(t *testing.T, n *identity.Introspections, a *asker) {
		a.answer = func(context.Context, string) (string, error) { return activeFor(10 * time.Minute), nil }
		expect(t, n, a, "good", nil, 1)
		a.answer = away
		pass(time.Minute)
		expect(t, n, a, "good", nil, 2) // It is asked each time: the issuer may be back.
		expect(t, n, a, "never-seen", identity.ErrIntrospection, 3)
		pass(9*time.Minute - 1)
		expect(t, n, a, "good", nil, 4)
		pass(1) // exp; the leeway of 30 s does not count.
		expect(t, n, a, "good", identity.ErrIntrospection, 5)
		if s := n.Stats(); s.Stale != 2 || s.Unavailable != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// A call that fails takes its time, in which a token may expire.
func TestATokenThatExpiresWhileTheIssuerIsWaitedForIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{UseCachedUntilExp: true}, func(t *testing.T, n *identity.Introspections, a *asker) {
		a.answer = func(context.Context, string) (string, error) { return activeFor(2 * time.Minute), nil }
		expect(t, n, a, "good", nil, 1)
		late := 10 * time.Second
		a.answer = func(context.Context, string) (string, error) {
			<-time.After(late)
			return "", identity.ErrTimeout
		}
		pass(2*time.Minute - 11*time.Second)
		expect(t, n, a, "good", nil, 2)
		expect(t, n, a, "good", identity.ErrIntrospection, 3)
		// Neither does an answer count that comes when it has expired, leeway included.
		a.answer = func(context.Context, string) (string, error) {
			document := activeFor(time.Second)
			<-time.After(31 * time.Second)
			return document, nil
		}
		expect(t, n, a, "another", token.ErrExpired, 4)
	})
}

func TestAnAnswerWithoutExpIsNeverBelievedBeyondItsMaximumAge(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{UseCachedUntilExp: true}, func(t *testing.T, n *identity.Introspections, a *asker) {
		a.answer = func(context.Context, string) (string, error) { return `{"active":true,"aud":"tthc"}`, nil }
		expect(t, n, a, "good", nil, 1)
		a.answer = away
		pass(time.Minute - 1)
		expect(t, n, a, "good", nil, 1)
		pass(1)
		expect(t, n, a, "good", identity.ErrIntrospection, 2)
	})
}

// The worst that use_cached_until_exp could do: an outage brings back a token that was revoked before it.
func TestAnOutageDoesNotBringARevokedTokenBack(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{UseCachedUntilExp: true}, func(t *testing.T, n *identity.Introspections, a *asker) {
		expect(t, n, a, "good", nil, 1)
		pass(time.Minute)
		a.answer = inactive
		expect(t, n, a, "good", token.ErrInactive, 2)
		a.answer = away
		expect(t, n, a, "good", token.ErrInactive, 2)
		pass(time.Minute) // The refusal is forgotten.
		expect(t, n, a, "good", identity.ErrIntrospection, 3)
	})
}

func TestAHundredAtOneTimeShareOneQuestion(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{}, func(t *testing.T, n *identity.Introspections, a *asker) {
		answer := make(chan struct{})
		a.answer = func(ctx context.Context, tok string) (string, error) {
			<-answer
			return active(ctx, tok)
		}
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				if v, err := verdict(t, n, "good"); err != nil || v.Claims.Expand().Subject != "s-1" {
					t.Errorf("%v", err)
				}
			})
		}
		group.Go(func() {
			if _, err := verdict(t, n, "another"); err != nil {
				t.Errorf("%v", err)
			}
		})
		synctest.Wait()
		if got := a.calls.Load(); got != 2 {
			t.Errorf("asked %d times about two tokens", got)
		}
		close(answer)
		group.Wait()
	})
}

// A request that gives up does not spoil the answer for the next, and the token's bytes are the server's again.
func TestACallerThatLeavesDoesNotEndTheQuestion(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{}, func(t *testing.T, n *identity.Introspections, a *asker) {
		answer, asked := make(chan struct{}), make(chan string, 1)
		a.answer = func(ctx context.Context, tok string) (string, error) {
			<-answer
			asked <- tok
			return active(ctx, tok)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		raw := []byte("good")
		digest := cache.Digest(raw)
		_, err := n.Verdict(ctx, raw, &digest, time.Now())
		if !errors.Is(err, identity.ErrIntrospection) || identity.Reason(err) != "timeout" {
			t.Errorf("%v", err)
		}
		copy(raw, "XXXX")
		close(answer)
		if got := <-asked; got != "good" {
			t.Errorf("asked about %q", got)
		}
		synctest.Wait()
		expect(t, n, a, "good", nil, 1)
	})
}

func TestWhatCannotBeATokenIsNeverAskedAbout(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{}, func(t *testing.T, n *identity.Introspections, a *asker) {
		for _, tok := range []string{
			"", "=", "==", "a b", "a\n", "a\x00", "a=b", "=a", "a,b", `a"b`, "a%20b", "a&token=b", "é", "\xff", "a:b", "{}",
		} {
			expect(t, n, a, tok, token.ErrMalformed, 0)
		}
		expect(t, n, a, strings.Repeat("a", token.MaxTokenBytes+1), token.ErrTooLarge, 0)
		expect(t, n, a, "azAZ09-._~+/==", nil, 1)
		expect(t, n, a, strings.Repeat("a", token.MaxTokenBytes), nil, 2)
	})
}

// What one issuer says counts for nobody else, even where the caches are shared.
func TestAnswersOfOneIssuerAreNotThoseOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good, refused := newVerdicts(t), newVerdicts(t)
		defer good.Close()
		defer refused.Close()
		yes, no := &asker{answer: active}, &asker{answer: inactive}
		a, endA := introspections(t, identity.IntrospectionsConfig{
			Asker: yes, Verifier: opaqueVerifier(t, fakeIssuer, fakeAudience), Good: good, Refused: refused,
		})
		defer endA()
		b, endB := introspections(t, identity.IntrospectionsConfig{
			Asker: no, Verifier: opaqueVerifier(t, "https://other.example", fakeAudience), Good: good, Refused: refused,
		})
		defer endB()
		expect(t, b, no, "token", token.ErrInactive, 1)
		expect(t, a, yes, "token", nil, 1)
		expect(t, b, no, "token", token.ErrInactive, 1)
		expect(t, a, yes, "token", nil, 1)
		// After a reload, nothing of before counts.
		c, endC := introspections(t, identity.IntrospectionsConfig{
			Asker: no, Verifier: opaqueVerifier(t, fakeIssuer, fakeAudience), Good: good, Refused: refused,
		})
		defer endC()
		expect(t, c, no, "token", token.ErrInactive, 2)
	})
}

func TestAJWTIsConfirmedWithItsOwnClaimsAndDiesWithItsKey(t *testing.T) {
	t.Parallel()
	verifier := opaqueVerifier(t, fakeIssuer, fakeAudience)
	keys := jwks(t)
	inBubble(t, identity.IntrospectionsConfig{Verifier: verifier, UseCachedUntilExp: true}, func(t *testing.T, n *identity.Introspections, a *asker) {
		a.answer = func(context.Context, string) (string, error) { return `{"active":true}`, nil }
		raw := []byte("header.payload.signature")
		digest := cache.Digest(raw)
		local := token.Verified{
			Claims: &token.Claims{Issuer: fakeIssuer, Subject: "local", ExpiresAt: time.Now().Unix() + 3600}, Key: keys[0],
		}
		confirm := func(want error, calls int64) {
			t.Helper()
			v, err := n.Confirm(t.Context(), raw, &digest, local, time.Now())
			synctest.Wait()
			if !errors.Is(err, want) || a.calls.Load() != calls || a.known.Load() != calls {
				t.Errorf("%v, want %v; asked %d times", err, want, a.calls.Load())
			}
			if want == nil && (v.Claims.Expand().Subject != "local" || v.Key != keys[0] || !n.Fresh(v, time.Now()) && calls < 2) {
				t.Errorf("%+v", v)
			}
		}
		confirm(nil, 1)
		confirm(nil, 1)
		pass(time.Minute)
		a.answer = away
		confirm(nil, 2)
		keys[0].Withdraw()
		confirm(identity.ErrIntrospection, 3)
		a.answer = func(context.Context, string) (string, error) { return `{"active":true}`, nil }
		confirm(token.ErrKeyWithdrawn, 4)
	})
}

func TestAVerdictThatNoIssuerConfirmedIsNotFresh(t *testing.T) {
	t.Parallel()
	verifier := opaqueVerifier(t, fakeIssuer, fakeAudience)
	good := newVerdicts(t)
	defer good.Close()
	a := &asker{answer: away}
	n, end := introspections(t, identity.IntrospectionsConfig{Asker: a, Verifier: verifier, Good: good, UseCachedUntilExp: true})
	defer end()
	v := &cache.Verdict{Claims: (&token.Claims{ExpiresAt: time.Now().Unix() + 600}).Compact(), Verifier: verifier}
	if n.Fresh(v, time.Now()) {
		t.Error("fresh")
	}
	v.Checked = time.Now().UnixNano()
	if !n.Fresh(v, time.Now()) {
		t.Error("confirmed, but not fresh")
	}
}

// Each of them is asked about once, and none takes a good verdict's place.
func TestAFloodOfRandomTokensLeavesGoodVerdictsAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, identity.IntrospectionsConfig{}, func(t *testing.T, _ *identity.Introspections, a *asker) {
		good := newVerdicts(t)
		defer good.Close()
		refused, err := cache.NewVerdicts(cache.VerdictsConfig{MaxBytes: cache.MinVerdictBytes})
		if err != nil {
			t.Fatal(err)
		}
		defer refused.Close()
		n, end := introspections(t, identity.IntrospectionsConfig{
			Asker: a, Verifier: opaqueVerifier(t, fakeIssuer, fakeAudience), Good: good, Refused: refused,
		})
		defer end()
		expect(t, n, a, "good", nil, 1)
		a.answer = inactive
		for i := range 10_000 {
			if _, err := verdict(t, n, fmt.Sprintf("random-%d", i)); !errors.Is(err, token.ErrInactive) {
				t.Fatal(err)
			}
		}
		expect(t, n, a, "good", nil, 10_001)
		if s := good.Stats(); s.Entries != 1 || s.Evicted+s.Rejected != 0 {
			t.Errorf("good: %+v", s)
		}
		if s := refused.Stats(); s.Bytes > cache.MinVerdictBytes || s.Evicted+s.Rejected == 0 {
			t.Errorf("refused: %+v", s)
		}
	})
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &asker{answer: func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}}
		n, end := introspections(t, identity.IntrospectionsConfig{Asker: a, Verifier: opaqueVerifier(t, fakeIssuer, fakeAudience)})
		defer end()
		ended := make(chan error, 1)
		go func() {
			_, err := verdict(t, n, "good")
			ended <- err
		}()
		synctest.Wait()
		n.Close()
		if err := <-ended; !errors.Is(err, identity.ErrIntrospection) {
			t.Errorf("%v", err)
		}
		expect(t, n, a, "good", identity.ErrIntrospection, 1)
		for reason, count := range n.Stats().Failures {
			if count != 0 {
				t.Errorf("%s: %d", reason, count)
			}
		}
		n.Close()
	})
}
