package limit

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// unreachable is how many trials in a row may fail to reach the target, or to look at it,
// before the search ends.
const unreachable = 3

// Try makes one trial of a rate, in requests a second. An error that wraps
// [attack.ErrUnreachable], [target.ErrMetrics] or [target.ErrProcess] is a trial that broke
// the objective, and one that wraps [attack.ErrSource] ends the search, unless it is that of
// the first; any other fails it.
type Try func(ctx context.Context, rate float64) (Trial, error)

// Progress is how far a search has come after a trial.
type Progress struct {
	// Trials is how many there were.
	Trials int
	// LowPerSecond and HighPerSecond are the interval so far; 0 and +Inf are no bounds.
	LowPerSecond, HighPerSecond float64
	// Elapsed is since the search began.
	Elapsed time.Duration
}

// Find searches the limit. It calls try and told, one after the other, in its own
// goroutine; told may be nil. What happened until ctx is done is in the result. The
// error is [ErrConfig] or that of a trial; with the latter, the result has the trials
// until then, and is not nil.
func Find(ctx context.Context, config Config, try Try, told func(Trial, Progress)) (*Result, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	f := &finder{search: newSearch(config), try: try, told: told, started: time.Now()}
	ended, err := f.run(ctx)
	return f.result(ended), err
}

// finder is a search with the time and the trials that it takes.
type finder struct {
	*search
	try     Try
	told    func(Trial, Progress)
	started time.Time
	trials  []Trial
	lost    int // trials in a row that did not reach the target
}

func (f *finder) run(ctx context.Context) (Ended, error) {
	for {
		rate, ended := f.next()
		switch {
		case ended != "":
			return ended, nil
		case ctx.Err() != nil:
			return EndedInterrupted, nil
		case len(f.trials) >= f.config.MaxTrials:
			return EndedTrials, nil
		}
		pause := f.config.Pause
		if len(f.trials) == 0 {
			pause = 0
		}
		if time.Since(f.started)+pause+f.config.TrialDuration > f.config.MaxDuration {
			return EndedTime, nil
		}
		if !wait(ctx, pause) {
			return EndedInterrupted, nil
		}
		trial, ended, err := f.one(ctx, rate)
		if err != nil || ended != "" {
			return ended, err
		}
		f.trials = append(f.trials, trial)
		f.add(rate, trial.verdict())
		if f.told != nil {
			low, high := f.interval(f.config.Confidence)
			f.told(trial, Progress{Trials: len(f.trials), LowPerSecond: low, HighPerSecond: high, Elapsed: time.Since(f.started)})
		}
	}
}

// one makes a trial.
func (f *finder) one(ctx context.Context, rate float64) (Trial, Ended, error) {
	trial, err := f.try(ctx, rate)
	switch {
	case ctx.Err() != nil:
		return Trial{}, EndedInterrupted, nil // What it measured is not a whole trial.
	case errors.Is(err, attack.ErrSource) && len(f.trials) > 0:
		return Trial{}, EndedExhausted, nil
	case len(f.trials) == 0 && err != nil:
		return Trial{}, EndedFailed, err
	case errors.Is(err, attack.ErrUnreachable):
		return f.lose(rate, "the target could not be reached")
	case errors.Is(err, target.ErrMetrics), errors.Is(err, target.ErrProcess):
		return f.lose(rate, "the target could not be looked at")
	case err != nil:
		return Trial{}, EndedFailed, err
	}
	f.lost = 0
	trial.RatePerSecond = rate
	return trial, "", nil
}

// lose is a trial in which nothing was sent, as the target was not there to be tried.
func (f *finder) lose(rate float64, reason string) (Trial, Ended, error) {
	if f.lost++; f.lost >= unreachable {
		return Trial{}, EndedGone, nil
	}
	return Trial{RatePerSecond: rate, Outcome: OutcomeBroken, Reasons: []string{reason}, FailedShare: 1}, "", nil
}

// wait returns false where ctx is done first.
func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// result sums a search up.
func (f *finder) result(ended Ended) *Result {
	r := &Result{
		Ended: ended, Confidence: f.config.Confidence, Precision: f.config.Precision,
		TrialSeconds: f.config.TrialDuration.Seconds(), PauseSeconds: f.config.Pause.Seconds(),
		ElapsedSeconds: time.Since(f.started).Seconds(), Trials: f.trials,
	}
	low, high := f.interval(f.config.Confidence)
	if low > 0 {
		r.LowPerSecond = &low
	}
	if !math.IsInf(high, 1) {
		r.HighPerSecond = &high
	}
	r.RatePerSecond = f.estimate()
	r.LowerBoundOnly = low > 0 && math.IsInf(high, 1)
	r.AtLimit = cost(r.RatePerSecond, low, f.trials, f.config.Confidence)
	return r
}
