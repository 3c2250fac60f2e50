package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoadBeginsAtTheSecondThatIsAgreed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := startFlag{text: time.Now().Add(90 * time.Second).Format(time.RFC3339)}
		if err := f.read(time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := f.begins(time.Now()); !got.Equal(f.at) {
			t.Errorf("begins at %s, want %s", got, f.at)
		}
		if err := f.wait(t.Context()); err != nil || !time.Now().Equal(f.at) {
			t.Errorf("%v at %s, want %s", err, time.Now(), f.at)
		}
		if got := f.begins(time.Now().Add(time.Hour)); !got.Equal(f.at.Add(time.Hour)) {
			t.Errorf("begins at %s", got)
		}
	})
}

func TestBeginningThatIsPastIsRefused(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 20, 0, 0, 0, time.UTC)
	for text, says := range map[string]string{
		"2026-01-01T20:00:00Z":      "is past",
		"2026-01-01T19:59:59Z":      "is past",
		"2026-01-01T20:00:01+07:00": "is past",
		"2026-01-02T20:00:01Z":      "more than 24h",
		"20:00":                     "write it as",
	} {
		f := startFlag{text: text}
		if err := f.read(now); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
	for _, text := range []string{"", "2026-01-01T20:00:01Z", "2026-01-02T20:00:00Z", "2026-01-02T03:00:01+07:00"} {
		f := startFlag{text: text}
		if err := f.read(now); err != nil {
			t.Error(err)
		}
	}
}

func TestPartThatIsNotReadyAtTheBeginningDoesNotBegin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := startFlag{text: "x", at: time.Now()}
		time.Sleep(time.Second) // of a clock that is the test's
		if err := f.wait(t.Context()); err == nil || !strings.Contains(err.Error(), "1.0 s") {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f.at = time.Now().Add(time.Hour)
		if err := f.wait(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
