package secevent

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// script answers polls in a bubble: it notes when each came.
type script struct {
	at     []time.Time
	answer func(ctx context.Context, n int) ([]byte, error)
}

func (s *script) Post(ctx context.Context, _ http.Header, _ []byte) ([]byte, error) {
	s.at = append(s.at, time.Now())
	return s.answer(ctx, len(s.at)-1)
}

// gaps are the times between polls.
func (s *script) gaps() []time.Duration {
	var all []time.Duration
	for i := 1; i < len(s.at); i++ {
		all = append(all, s.at[i].Sub(s.at[i-1]))
	}
	return all
}

// play runs a poller in a bubble for a time.
func play(t *testing.T, d time.Duration, cfg PollConfig, w *world, s *script) {
	t.Helper()
	cfg.Stream, cfg.Endpoint = w.Stream, s
	cfg.Breaker = identity.NewGuard(identity.GuardConfig{BreakAfter: 1 << 30, BreakFor: time.Second})
	p, err := NewPoller(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := p.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
}

func within(got, mean time.Duration) bool {
	return got >= time.Duration(float64(mean)*(1-jitter)) && got <= time.Duration(float64(mean)*(1+jitter))
}

func TestFailingTransmitterIsAskedEverMoreRarely(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(_ context.Context, n int) ([]byte, error) {
			if n < 8 {
				return nil, identity.ErrUnreachable
			}
			return []byte(`{}`), nil
		}}
		play(t, 3*time.Minute, PollConfig{Interval: time.Hour}, w, s)
		gaps := s.gaps()
		for i, mean := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30} {
			if !within(gaps[i], mean*time.Second) {
				t.Errorf("gap %d is %s, not some %d s", i, gaps[i], mean)
			}
		}
		if len(s.at) != 9 {
			t.Errorf("asked %d times", len(s.at))
		}
	})
	if log := w.log.String(); strings.Count(log, "cannot be polled") != 1 || strings.Count(log, "polled again") != 1 || !strings.Contains(log, "reason=unreachable") {
		t.Errorf("the log has not one line for each change:\n%s", log)
	}
}

func TestTransmitterThatAnswersAtOnceIsNotAskedWithoutPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(context.Context, int) ([]byte, error) { return []byte(`{"sets":{}}`), nil }}
		play(t, time.Minute, PollConfig{Interval: 5 * time.Second}, w, s)
		for _, gap := range s.gaps() {
			if !within(gap, 5*time.Second) {
				t.Errorf("a gap of %s", gap)
			}
		}
		if len(s.at) < 11 || len(s.at) > 14 {
			t.Errorf("asked %d times", len(s.at))
		}
	})
}

func TestLongPollIsFollowedByTheNextAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(ctx context.Context, _ int) ([]byte, error) {
			select {
			case <-time.After(20 * time.Second):
				return []byte(`{"sets":{}}`), nil
			case <-ctx.Done():
				return nil, context.Canceled
			}
		}}
		play(t, 90*time.Second, PollConfig{Interval: 5 * time.Second}, w, s)
		if gaps := s.gaps(); !slices.Equal(gaps, []time.Duration{20e9, 20e9, 20e9, 20e9}) {
			t.Errorf("gaps %v", gaps)
		}
	})
}

// New tokens are acknowledged at once; a transmitter that sends the same ones for ever is not asked without pause.
func TestOnlyNewTokensAreWorthAskingAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	set := sign(t, goodSET("e-1", "u-1"))
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(context.Context, int) ([]byte, error) {
			return []byte(`{"sets":{"e-1":"` + set + `"}}`), nil
		}}
		play(t, 12*time.Second, PollConfig{Interval: 5 * time.Second}, w, s)
		gaps := s.gaps()
		if len(gaps) < 3 || gaps[0] != 0 || !within(gaps[1], 5*time.Second) || !within(gaps[2], 5*time.Second) {
			t.Errorf("gaps %v", gaps)
		}
	})
}

func TestTokensThatCannotBeTakenNowAreAskedForEverMoreRarely(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.door.fail(errors.New("disk full"))
	set := sign(t, goodSET("e-1", "u-1"))
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(context.Context, int) ([]byte, error) {
			return []byte(`{"sets":{"e-1":"` + set + `"},"moreAvailable":true}`), nil
		}}
		play(t, 10*time.Second, PollConfig{}, w, s)
		for i, mean := range []time.Duration{1, 2, 4} {
			if !within(s.gaps()[i], mean*time.Second) {
				t.Errorf("gap %d is %s, not some %d s", i, s.gaps()[i], mean)
			}
		}
	})
	if log := w.log.String(); !strings.Contains(log, "reason=unavailable") {
		t.Errorf("the log does not say why:\n%s", log)
	}
}
