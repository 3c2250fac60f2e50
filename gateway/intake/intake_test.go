package intake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
	"github.com/vneid-gateway/vneid-gateway/gateway/intake"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

const issuer = "https://sso.example"

func entry(id string) revocation.Entry {
	return revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, ID: id, Until: time.Now().Add(time.Hour)}
}

// disk is a journal of which each step is written down.
type disk struct {
	*journal.Journal
	steps *[]string
	fault error
}

func (d *disk) AddRecords(records []revocation.Record) error {
	*d.steps = append(*d.steps, "journal")
	if d.fault != nil {
		return d.fault
	}
	return d.Journal.AddRecords(records)
}

type stream struct {
	steps *[]string
	fault error
	got   []revocation.Record
}

func (s *stream) Append(_ context.Context, records []revocation.Record) error {
	*s.steps = append(*s.steps, "stream")
	s.got = append(s.got, records...)
	return s.fault
}

type world struct {
	*intake.Intake
	disk    *disk
	stream  *stream
	steps   []string
	changed int
}

func newWorld(t *testing.T, maxEntries int) *world {
	t.Helper()
	j, _, err := journal.Open(journal.Config{Dir: t.TempDir() + "/r", Store: revocation.Config{MaxEntries: maxEntries}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	w := &world{}
	w.disk, w.stream = &disk{Journal: j, steps: &w.steps}, &stream{steps: &w.steps}
	w.Intake = intake.New(intake.Config{Journal: w.disk, Fleet: w.stream, Changed: func() {
		w.changed++
		w.steps = append(w.steps, "changed")
	}})
	return w
}

func (w *world) revoked(id string) bool {
	return w.Store().Revoked(&token.Claims{Issuer: issuer, TokenID: id}, nil)
}

func TestAnEntryIsDurableAndOnTheStreamBeforeItIsAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	if err := w.From(intake.Push).Accept(t.Context(), entry("a"), entry("b")); err != nil {
		t.Fatal(err)
	}
	if want := []string{"journal", "changed", "stream"}; !slices.Equal(w.steps, want) {
		t.Errorf("steps %q, want %q", w.steps, want)
	}
	if !w.revoked("a") || !w.revoked("b") || w.revoked("c") || len(w.stream.got) != 2 {
		t.Errorf("not in force, or %d records on the stream", len(w.stream.got))
	}
	s := w.From(intake.Push).Stats()
	if s.Accepted != 2 || s.Refused != [intake.NumReasons]uint64{} || s.Last.IsZero() {
		t.Errorf("counted %+v", s)
	}
	if s := w.From(intake.Poll).Stats(); s.Accepted != 0 || !s.Last.IsZero() {
		t.Errorf("another source counted %+v", s)
	}
}

func TestNothingIsAcknowledgedAfterAFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		name    string
		prepare func(w *world)
		entries []revocation.Entry
		want    error
		reason  intake.Reason
		steps   []string
	}{
		{"a malformed entry", func(*world) {}, []revocation.Entry{entry("a"), {}}, revocation.ErrEntry, intake.Malformed, nil},
		{"too many", func(*world) {}, slices.Repeat([]revocation.Entry{entry("a")}, journal.MaxBatch+1), journal.ErrBatch, intake.Malformed, nil},
		{
			"a disk that is full", func(w *world) { w.disk.fault = fmt.Errorf("%w: %w", journal.ErrWrite, broken) },
			[]revocation.Entry{entry("a")},
			journal.ErrWrite, intake.NotDurable,
			[]string{"journal", "changed"},
		},
		{
			"a journal that is closed", func(w *world) { _ = w.disk.Close() },
			[]revocation.Entry{entry("a")},
			journal.ErrClosed, intake.NotDurable,
			[]string{"journal", "changed"},
		},
		{"a store that is full", func(w *world) {
			for n := range 4 {
				if err := w.disk.Add(entry(fmt.Sprint(n))); err != nil {
					panic(err)
				}
			}
		}, []revocation.Entry{entry("a")}, revocation.ErrFull, intake.StoreFull, []string{"journal", "changed"}},
		{
			"a stream that is away", func(w *world) { w.stream.fault = broken },
			[]revocation.Entry{entry("a")},
			intake.ErrFleet, intake.FleetUnavailable,
			[]string{"journal", "changed", "stream"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 4)
			c.prepare(w)
			door := w.From(intake.Operators)
			if err := door.Accept(t.Context(), c.entries...); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if !slices.Equal(w.steps, c.steps) {
				t.Errorf("steps %q, want %q", w.steps, c.steps)
			}
			s := door.Stats()
			if s.Accepted != 0 || s.Refused[c.reason] != uint64(len(c.entries)) || !s.Last.IsZero() {
				t.Errorf("counted %+v", s)
			}
			if errors.Is(c.want, intake.ErrFleet) && !w.revoked("a") {
				t.Error("what the disk has is not in force")
			}
		})
	}
}

func TestWhatOtherNodesSentIsInForceAndNotSentBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	record, err := w.Store().Record(entry("a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Apply([]revocation.Record{record}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"journal", "changed"}; !slices.Equal(w.steps, want) || !w.revoked("a") {
		t.Errorf("steps %q, revoked %t", w.steps, w.revoked("a"))
	}
	if s := w.Applied(); s.Accepted != 1 {
		t.Errorf("counted %+v", s)
	}
	_ = w.disk.Close()
	if err := w.Apply([]revocation.Record{record}); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if s := w.Applied(); s.Accepted != 1 || s.Refused[intake.NotDurable] != 1 {
		t.Errorf("counted %+v", s)
	}
}

func TestNamesOfSourcesAndReasonsAreOfOneClosedSet(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range intake.Sources() {
		seen[s.String()] = true
	}
	for _, r := range intake.Reasons() {
		seen[r.String()] = true
	}
	if len(seen) != len(intake.Sources())+len(intake.Reasons()) || len(intake.Reasons()) != int(intake.NumReasons) || seen[""] {
		t.Errorf("%v", seen)
	}
}

func TestANodeOnItsOwnNeedsNoFleet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	alone := intake.New(intake.Config{Journal: w.disk})
	if err := alone.From(intake.Logout).Accept(t.Context(), entry("a")); err != nil || !w.revoked("a") {
		t.Errorf("got %v", err)
	}
	if err := alone.From(intake.Logout).Accept(t.Context()); err != nil {
		t.Errorf("nothing: %v", err)
	}
}
