package identity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// secretOfPanic is what a panic might quote.
const secretOfPanic = "opaque-token-of-somebody"

// panics notes the stacks that it is told of. Each is told before the call ends.
type panics struct {
	t      *testing.T
	stacks []string
}

func (p *panics) told(stack []byte) { p.stacks = append(p.stacks, string(stack)) }

func (p *panics) want(n int, place string) {
	p.t.Helper()
	if len(p.stacks) != n {
		p.t.Fatalf("told of %d panics, want %d", len(p.stacks), n)
	}
	for _, stack := range p.stacks {
		if !strings.Contains(stack, place) || strings.Contains(stack, secretOfPanic) {
			p.t.Errorf("the stack does not lead to %s, or quotes the panic:\n%s", place, stack)
		}
	}
}

// panickingAsker is an issuer over which the gateway stumbles.
type panickingAsker struct{ asked, release chan struct{} }

func (a panickingAsker) Ask(context.Context, string, bool) ([]byte, error) {
	a.asked <- struct{}{}
	<-a.release
	panic(secretOfPanic)
}

func TestAPanicInAQuestionFailsAllThatWaitForItAndNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		noted := &panics{t: t}
		asker := panickingAsker{make(chan struct{}, 1), make(chan struct{})}
		n, end := introspections(t, identity.IntrospectionsConfig{
			Asker: asker, Verifier: opaqueVerifier(t, "https://issuer.example", "tthc"), OnPanic: noted.told,
		})
		defer end()
		raw := []byte(secretOfPanic)
		const waiters = 3
		failed := make(chan error, waiters)
		for range waiters {
			go func() {
				_, err := n.Verdict(t.Context(), raw, new([32]byte), time.Now())
				failed <- err
			}()
		}
		<-asker.asked
		synctest.Wait()
		close(asker.release)
		for range waiters {
			if err := <-failed; !errors.Is(err, identity.ErrIntrospection) || identity.Reason(err) != "panic" || strings.Contains(err.Error(), secretOfPanic) {
				t.Errorf("got %v", err)
			}
		}
		noted.want(1, "panickingAsker")
		if s := n.Stats(); s.Failures["panic"] != 1 || s.Unavailable != waiters {
			t.Errorf("%+v", s)
		}
		// The next question is put anew.
		if _, err := n.Verdict(t.Context(), raw, new([32]byte), time.Now()); !errors.Is(err, identity.ErrIntrospection) {
			t.Errorf("got %v", err)
		}
		noted.want(2, "panickingAsker")
	})
}

func TestAPanicInAFetchForAnUnknownKeyFailsTheSearch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		noted := &panics{t: t}
		u := identity.NewUnknownKeys(t.Context(), identity.UnknownConfig{
			Burst: 2, Every: time.Hour, Wait: time.Minute, Waiters: 10, Remember: time.Minute,
			Fetch:   func(context.Context) error { panic(secretOfPanic) },
			OnPanic: noted.told,
			Has:     func(string, string) bool { return false },
		})
		for round := range 2 {
			if got := u.Await("kid", "ES256"); got != identity.LookupFailed {
				t.Errorf("got %s", got)
			}
			noted.want(round+1, "TestAPanicInAFetchForAnUnknownKey")
		}
		if got := u.Await("kid", "ES256"); got != identity.LookupSpent {
			t.Errorf("got %s", got)
		}
	})
}

func TestAPanicInAFetchKeepsTheLastGoodSetAndCountsAgainstTheBackend(t *testing.T) {
	t.Parallel()
	document := corpus.KeySetJSON(newKey(t, "k1"))
	broken := false
	noted := &panics{t: t}
	keys := new(cache.Keys)
	guard := identity.NewGuard(identity.GuardConfig{BreakAfter: 2, BreakFor: time.Hour})
	r := identity.NewRefresher(identity.RefresherConfig{
		Issuer: "test", Keys: keys, Algorithms: []string{"EdDSA"}, Interval: time.Hour, Log: quiet,
		Breaker: guard, OnPanic: noted.told,
		Source: source(func(context.Context) ([]byte, error) {
			if broken {
				panic(secretOfPanic)
			}
			return document, nil
		}),
	})
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	broken = true
	for n := range 2 {
		if err := r.Refresh(t.Context()); !errors.Is(err, identity.ErrPanic) {
			t.Errorf("got %v", err)
		}
		noted.want(n+1, "TestAPanicInAFetchKeeps")
	}
	if s := r.Stats(); s.Failures["panic"] != 2 || s.LastFailure != "panic" || guard.Stats().State != "open" {
		t.Errorf("%+v, %+v", s, guard.Stats())
	}
	if got := ids(keys); !slices.Equal(got, []string{"k1"}) {
		t.Errorf("keys %q", got)
	}
}
