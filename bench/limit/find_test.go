package limit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNoTrialIsBegunThatWouldEndTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		trials := 0
		r, err := Find(t.Context(), Config{MaxDuration: time.Minute, TrialDuration: 10 * time.Second, Pause: 2 * time.Second}, func(context.Context, float64) (Trial, error) {
			trials++
			<-time.After(10 * time.Second)
			return Trial{Outcome: OutcomeKept}, nil
		}, nil)
		// 10 s, and 4 times 2 s and 10 s.
		if err != nil || r.Ended != EndedTime || trials != 5 || time.Since(started) != 58*time.Second || r.ElapsedSeconds != 58 {
			t.Errorf("%v, %s after %d trials and %v", err, r.Ended, trials, time.Since(started))
		}
	})
}

func TestInterruptEndsThePauseAndLeavesTheTrialOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, cancel)
		r, err := Find(ctx, Config{MaxDuration: 100 * time.Hour, Pause: 50 * time.Hour}, func(context.Context, float64) (Trial, error) {
			return Trial{Outcome: OutcomeKept}, nil
		}, nil)
		if err != nil || r.Ended != EndedInterrupted || len(r.Trials) != 1 || r.ElapsedSeconds != 3600 {
			t.Errorf("%v, %+v", err, r)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := Find(ctx, Config{}, func(context.Context, float64) (Trial, error) {
		cancel()
		return Trial{Outcome: OutcomeBroken}, nil
	}, nil)
	if err != nil || r.Ended != EndedInterrupted || len(r.Trials) != 0 {
		t.Errorf("a trial that was cut short counts: %v, %+v", err, r)
	}
}

func TestTargetThatStopsAnsweringEndsTheSearch(t *testing.T) {
	t.Parallel()
	gone := fmt.Errorf("%w: refused", attack.ErrUnreachable)
	n := 0
	r := find(t, Config{}, func(context.Context, float64) (Trial, error) {
		if n++; n > 3 {
			return Trial{}, gone
		}
		return Trial{Outcome: OutcomeKept}, nil
	})
	if r.Ended != EndedGone || len(r.Trials) != 5 || r.Trials[4].Outcome != OutcomeBroken || r.Trials[4].FailedShare != 1 {
		t.Errorf("%s after %+v", r.Ended, r.Trials)
	}
	// One that never answered was not measured.
	if _, err := Find(t.Context(), Config{}, func(context.Context, float64) (Trial, error) { return Trial{}, gone }, nil); !errors.Is(err, attack.ErrUnreachable) {
		t.Error(err)
	}
}

func TestFailedLookAtTheTargetIsATrialThatItBroke(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{target.ErrMetrics, target.ErrProcess} {
		failed := fmt.Errorf("--pid-of-port: %w: 77", cause)
		s := &simulated{limit: 700, width: 0.001, rng: seeded(1)}
		n := 0
		r := find(t, Config{}, func(ctx context.Context, rate float64) (Trial, error) {
			if n++; n == 3 { // once, and then it is there again
				return Trial{}, failed
			}
			return s.try(ctx, rate)
		})
		if lost := r.Trials[2]; r.Ended != EndedFound || !contains(r, 700) || lost.Outcome != OutcomeBroken || lost.Reasons[0] != "the target could not be looked at" {
			t.Errorf("%v: %s, %+v", cause, r.Ended, lost)
		}
		n = 0
		r = find(t, Config{}, func(ctx context.Context, rate float64) (Trial, error) {
			if n++; n > 3 {
				return Trial{}, failed
			}
			return s.try(ctx, rate)
		})
		if r.Ended != EndedGone || len(r.Trials) != 5 {
			t.Errorf("%v: %s after %d trials", cause, r.Ended, len(r.Trials))
		}
		// One that could never be looked at was not measured.
		if _, err := Find(t.Context(), Config{}, func(context.Context, float64) (Trial, error) { return Trial{}, failed }, nil); !errors.Is(err, cause) {
			t.Error(err)
		}
	}
}

func TestTargetThatComesBackIsTriedOn(t *testing.T) {
	t.Parallel()
	s := &simulated{limit: 700, width: 0.001, rng: seeded(1)}
	r := find(t, Config{}, func(ctx context.Context, rate float64) (Trial, error) {
		if rate > 1000 { // it falls over, and is back for the next trial
			return Trial{}, attack.ErrUnreachable
		}
		return s.try(ctx, rate)
	})
	if r.Ended != EndedFound || !contains(r, 700) {
		t.Errorf("%s, %+v", r.Ended, r)
	}
}

func TestRequestsThatAreUsedUpEndTheSearch(t *testing.T) {
	t.Parallel()
	n := 0
	r := find(t, Config{}, func(context.Context, float64) (Trial, error) {
		if n++; n > 2 {
			return Trial{}, fmt.Errorf("%w: cold", attack.ErrSource)
		}
		return Trial{Outcome: OutcomeKept}, nil
	})
	if r.Ended != EndedExhausted || len(r.Trials) != 2 {
		t.Errorf("%+v", r)
	}
}

func TestErrorOfATrialFailsTheSearch(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, good := range []int{0, 2} {
		n := 0
		r, err := Find(t.Context(), Config{}, func(context.Context, float64) (Trial, error) {
			if n++; n > good {
				return Trial{}, broken
			}
			return Trial{Outcome: OutcomeKept}, nil
		}, nil)
		if !errors.Is(err, broken) || r == nil || len(r.Trials) != good || r.Ended != EndedFailed {
			t.Errorf("after %d good trials: %v, %+v", good, err, r)
		}
	}
}

func TestProgressIsToldOfEveryTrial(t *testing.T) {
	t.Parallel()
	s := &simulated{limit: 1000, width: 0.001, rng: seeded(1)}
	n, low := 0, 0.0
	r, err := Find(t.Context(), Config{}, s.try, func(_ Trial, p Progress) {
		if n++; p.Trials != n {
			t.Errorf("trial %d is called %d", n, p.Trials)
		}
		low = p.LowPerSecond
	})
	if err != nil || n != len(r.Trials) || low != *r.LowPerSecond {
		t.Errorf("%v, told of %d of %d trials, lower end %v", err, n, len(r.Trials), low)
	}
}

func TestConfigOutOfBoundsIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"from above to":    {FromPerSecond: 100, ToPerSecond: 50},
		"floor above from": {FromPerSecond: 100, FloorPerSecond: 150},
		"negative":         {FromPerSecond: -1},
		"no number":        {FromPerSecond: math.NaN()},
		"too fast":         {ToPerSecond: 1e9},
		"too precise":      {Precision: 0.001},
		"too sure":         {Confidence: 1},
		"too many":         {MaxTrials: 1001},
		"no time":          {MaxDuration: -1},
		"pause":            {Pause: -1},
		"trial":            {TrialDuration: -1},
	} {
		if _, err := Find(t.Context(), c, nil, nil); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
