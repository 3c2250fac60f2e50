package logout_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
	"github.com/vneid-gateway/vneid-gateway/gateway/receiver"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// stored is an intake whose entries are in force.
type stored struct {
	intake
	store *revocation.Store
}

func (s *stored) Accept(ctx context.Context, entries ...revocation.Entry) error {
	if err := s.intake.Accept(ctx, entries...); err != nil {
		return err
	}
	return s.store.Add(entries...)
}

// abroad is a foreign provider that tells a receiver of logouts.
type abroad struct {
	*foreign.Provider
	t        *testing.T
	verifier *token.Verifier
	keys     *cache.Keys
	intake   *stored
	handler  *logout.Handler
}

func newAbroad(t *testing.T) *abroad {
	t.Helper()
	dir := filepath.Join("..", "..", "bench", "foreign", "provider")
	if err := foreign.Available(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	p, err := foreign.Start(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	a := &abroad{Provider: p, t: t, keys: new(cache.Keys)}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	a.fetchKeys()
	a.verifier, err = token.NewVerifier(token.Profile{
		Issuer: p.Issuer, Algorithms: foreign.Algorithms(), Audience: []string{foreign.Audience("ES256")}, Leeway: leeway,
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := revocation.New(revocation.Config{MaxEntries: 100}, revocation.NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	store.Advance(time.Now())
	a.intake = &stored{store: store}
	a.handler, err = logout.New(logout.Config{
		Name: "foreign", Verifier: a.verifier, Keys: a.keys, Audience: []string{foreign.LogoutAudience}, Intake: a.intake,
		Lifetime: func(string) time.Duration { return lifetime }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.receive()
	return a
}

// receive has a receiver listen, and the provider tell it.
func (a *abroad) receive() {
	a.t.Helper()
	r, err := receiver.New(receiver.Config{
		Address: "127.0.0.1:0", Routes: map[string]http.Handler{"/logout/foreign": a.handler}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		a.t.Fatal(err)
	}
	if err := r.Listen(context.Background()); err != nil {
		a.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Serve() }()
	a.t.Cleanup(func() {
		if err := errors.Join(r.Shutdown(context.Background()), <-ended); err != nil {
			a.t.Error(err)
		}
	})
	if err := a.SendLogouts(a.t.Context(), "http://"+r.Addr().String()+"/logout/foreign"); err != nil {
		a.t.Fatal(err)
	}
}

func (a *abroad) fetchKeys() {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.Issuer+"/jwks", http.NoBody)
	if err != nil {
		a.t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	document, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	set, skipped, err := token.ParseKeySet(document, token.KeySetOptions{})
	if err != nil || len(skipped) > 0 {
		a.t.Fatalf("%v, %v", skipped, err)
	}
	if _, err := a.keys.Replace(set, time.Now()); err != nil {
		a.t.Fatal(err)
	}
}

// logIn opens a session and returns what its access token says.
func (a *abroad) logIn(account string) (*foreign.Session, token.Verified) {
	a.t.Helper()
	s, err := a.NewSession(account)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(s.Close)
	raw, err := s.Token(a.t.Context(), "ES256")
	if err != nil {
		a.t.Fatal(err)
	}
	parsed, err := token.Parse([]byte(raw))
	if err != nil {
		a.t.Fatal(err)
	}
	verified, err := a.verifier.Verify(&parsed, a.keys, time.Now())
	if err != nil {
		a.t.Fatal(err)
	}
	return s, verified
}

func (a *abroad) end(s *foreign.Session, want foreign.Logouts) {
	a.t.Helper()
	if err := s.End(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	if got, err := a.Logouts(a.t.Context()); err != nil || got != want {
		a.t.Errorf("the provider counts %+v, %v; want %+v", got, err, want)
	}
}

func (a *abroad) revoked(v token.Verified) bool { return a.intake.store.Revoked(v.Claims, v.Key) }

func TestLogoutAtAForeignProviderRevokesTheTokensOfThatSession(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	one, its := a.logIn(foreign.Citizen2)
	_, others := a.logIn(foreign.Citizen2)
	if its.Claims.SessionID == "" || its.Claims.SessionID == others.Claims.SessionID || a.revoked(its) {
		t.Fatalf("sid %q and %q", its.Claims.SessionID, others.Claims.SessionID)
	}
	began := time.Now()
	a.end(one, foreign.Logouts{Told: 1})
	taken := a.intake.taken()
	if len(taken) != 1 || taken[0].Kind != revocation.KindSession || taken[0].Issuer != a.Issuer ||
		taken[0].ID != its.Claims.SessionID || taken[0].Until.Before(began.Add(lifetime)) {
		t.Errorf("%v", taken)
	}
	if !a.revoked(its) || a.revoked(others) {
		t.Errorf("revoked: its %v, another session's %v", a.revoked(its), a.revoked(others))
	}
	if s := a.handler.Stats(); s.Requests[logout.Accepted] != 1 || s.LastSuccess.Before(began) {
		t.Errorf("%+v", s)
	}
}

func TestForeignProviderIsNotToldThatALogoutIsDoneWhichIsNot(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	s, its := a.logIn(foreign.Citizen1)
	a.intake.fails = errors.New("the disk is full")
	a.end(s, foreign.Logouts{Untold: 1})
	if got := a.handler.Stats(); got.Requests[logout.NotAccepted] != 1 || a.revoked(its) {
		t.Errorf("%+v", got)
	}
}

func TestLogoutUnderAKeyThatIsNotKnownYetIsRefused(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	s, its := a.logIn(foreign.Citizen1)
	other, _ := a.logIn(foreign.Citizen1)
	before := a.keys.Snapshot().All()
	if err := a.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.end(s, foreign.Logouts{Untold: 1})
	if got := a.handler.Stats(); got.Requests[logout.KeyUnknown] != 1 || a.revoked(its) {
		t.Errorf("%+v", got)
	}
	a.fetchKeys()
	if slices.Equal(before, a.keys.Snapshot().All()) {
		t.Fatal("the keys are those of before")
	}
	a.end(other, foreign.Logouts{Told: 1, Untold: 1})
}
