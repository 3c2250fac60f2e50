package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// maxStartWait bounds how long a load waits for its beginning.
const maxStartWait = 24 * time.Hour

// startFlag says when a load begins, for machines that begin one together.
type startFlag struct {
	text string
	at   time.Time // zero: at once
}

func (f *startFlag) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.text, "start-at", "", "when the load begins, as 2026-01-01T20:00:00Z, for machines that share one (default at once)")
	_ = cmd.RegisterFlagCompletionFunc("start-at", cobra.NoFileCompletions)
}

// read reads the flag. A beginning that is past is refused: the others are on their
// way, and the sum of all would not be the load.
func (f *startFlag) read(now time.Time) (err error) {
	if f.text == "" {
		return nil
	}
	if f.at, err = time.Parse(time.RFC3339, f.text); err != nil {
		return fmt.Errorf("--start-at %q: write it as 2026-01-01T20:00:00Z", f.text)
	}
	switch wait := f.at.Sub(now); {
	case wait <= 0:
		return fmt.Errorf("--start-at %s is past, and it is %s now", f.text, now.UTC().Format(time.RFC3339))
	case wait > maxStartWait:
		return fmt.Errorf("--start-at %s is more than %s away", f.text, maxStartWait)
	}
	return nil
}

// begins is when a load begins that could begin now.
func (f *startFlag) begins(now time.Time) time.Time {
	if f.at.After(now) {
		return f.at
	}
	return now
}

// wait waits for the beginning. The error is that of ctx, or that getting ready took
// until after it.
func (f *startFlag) wait(ctx context.Context) error {
	if f.at.IsZero() {
		return nil
	}
	left := time.Until(f.at)
	if left < 0 {
		return fmt.Errorf("--start-at %s: getting ready took %.1f s longer", f.text, -left.Seconds())
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
