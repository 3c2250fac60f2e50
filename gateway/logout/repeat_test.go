package logout_test

import (
	"errors"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
)

func TestRepeatIsAcknowledgedAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.logOut()
	first := w.Stats()
	w.intake.fails = errors.New("not to be asked")
	w.now = noon.Add(time.Minute)
	again := claims{"iat": noon.Unix()} // Signed anew, with another exp.
	if got := w.logOut(again); got.Code != 200 || w.intake.calls != 1 {
		t.Errorf("%d, %d calls", got.Code, w.intake.calls)
	}
	w.want(first, logout.Repeated)
	if s := w.Stats(); !s.LastSuccess.Equal(first.LastSuccess) {
		t.Error("a repetition counts as a success")
	}
}

func TestAnotherLogoutUnderAJtiOfBeforeIsNotLost(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]claims{
		"session": {"sid": "another"}, "subject": {"sub": "another"}, "moment": {"iat": noon.Unix() - 1},
		"shifted": {"jti": "bWJ", "sub": "q" + subject},
	} {
		w := newWorld(t, nil)
		w.logOut()
		if got := w.logOut(change); got.Code != 200 || len(w.intake.taken()) != 2 {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
}

func TestMemoryIsBoundedAndForgetsTheOldest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *logout.Config) { c.Remember = 2 })
	for _, tc := range []struct {
		id   string
		want logout.Outcome
	}{
		{"a", logout.Accepted},
		{"b", logout.Accepted},
		{"a", logout.Repeated},
		{"c", logout.Accepted},
		{"b", logout.Repeated},
		{"a", logout.Accepted},
		{"c", logout.Repeated},
		{"b", logout.Accepted},
	} {
		before := w.Stats()
		w.logOut(claims{"jti": tc.id})
		w.want(before, tc.want)
	}
}

func TestRenewedHandlerKnowsWhatTheOneBeforeAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.logOut()
	before := w.Stats()
	cfg := w.cfg
	cfg.Audience = nil
	if _, err := w.Renew(cfg); !errors.Is(err, logout.ErrConfig) {
		t.Errorf("%v", err)
	}
	cfg = w.cfg
	cfg.Audience = []string{"renamed"}
	next, err := w.Renew(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.logOut()
	w.want(before, logout.Repeated)
	w.Handler = next
	before = w.Stats()
	w.logOut()
	w.want(before, logout.Audience)
	before = w.Stats()
	w.logOut(claims{"aud": "renamed"})
	w.want(before, logout.Repeated)
}
