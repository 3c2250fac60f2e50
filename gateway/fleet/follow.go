package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

const (
	// maxRead bounds the entries that one read brings: 900 KiB at most.
	maxRead = 64
	// waitRead is how long a read waits for an entry, waitSettle the same while the others are waited for.
	waitRead   = 500 * time.Millisecond
	waitSettle = 50 * time.Millisecond
	// saveEvery is how often the position is written. What was applied since is applied again after a crash.
	saveEvery = time.Second
	// readEvery is the least time between two readings of the whole state because of what is on the stream.
	readEvery = 2 * time.Second
	// pageRecords is about how many records of the state are asked for at once: some milliseconds of Redis's time.
	pageRecords = 1000
)

// follower applies what is on the stream, in its order.
type follower struct {
	*session
	// at is the last entry that was applied.
	at mark
	// lacks says that what came before at is not all applied.
	lacks bool
	// target is the entry up to which the node has to have come; settled says that the target counts.
	target  uint64
	settled bool
	saved   time.Time
	readAt  time.Time // when the state was read last
	batch   []revocation.Record
}

// run follows until something fails.
func (w *follower) run(ctx context.Context) error {
	if w.lacks {
		if err := w.readState(ctx); err != nil {
			return err
		}
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	for {
		wait := waitRead
		if !w.settled {
			wait = waitSettle
		}
		entries, err := w.read(ctx, w.at.id, maxRead, wait)
		if err != nil {
			return err
		}
		received := w.fleet.cfg.Now()
		if err = w.take(entries); err == nil && len(entries) == 0 && w.at.seq < w.target {
			err = errGap
		}
		if cause := causeOf(err); cause != CauseNone {
			err = w.again(ctx, cause, err)
		}
		if err != nil {
			return err
		}
		if err := w.progress(ctx, received, len(entries) < maxRead); err != nil {
			return err
		}
	}
}

// causeOf tells whether the state has what could not be had from the stream.
func causeOf(err error) Cause {
	switch {
	case errors.Is(err, errGap):
		return CauseGap
	case errors.Is(err, ErrDamaged), errors.Is(err, ErrVersion), errors.Is(err, ErrSecret):
		return CauseDamaged
	}
	return CauseNone
}

// again reads the state because of what is, or is not, on the stream.
func (w *follower) again(ctx context.Context, cause Cause, why error) error {
	f := w.fleet
	w.lacks, w.settled = true, false
	f.caughtUp.Store(false)
	f.counts.resyncs[cause].Add(1)
	f.counts.errors[reason(why)].Add(1)
	if cause == CauseDamaged {
		f.counts.damagedEntries.Add(1)
	}
	f.cfg.Log.Warn("fleet: reading everything again", "cause", cause.String(), "error", why)
	if pause := readEvery - time.Since(w.readAt); !w.readAt.IsZero() && pause > 0 {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
	return w.readState(ctx)
}

// take applies entries up to the first that cannot be read, whose error it returns, and comes to stand behind the last
// one applied.
func (w *follower) take(entries []redis.XMessage) error {
	w.batch = w.batch[:0]
	at := w.at
	var fault error
	for i := range entries {
		var m mark
		if m, fault = w.entry(&entries[i], at); fault != nil {
			break
		}
		at = m
	}
	if err := w.apply(); err != nil {
		return err
	}
	if w.at = at; len(entries) > 0 {
		age := w.clock + time.Since(w.opened) - time.Duration(at.id.ms)*time.Millisecond
		w.fleet.counts.lag.Store(int64(max(age, 0)))
	} else {
		w.fleet.counts.lag.Store(0)
	}
	return fault
}

// entry adds an entry's records to the batch, unless this node sent them.
func (w *follower) entry(e *redis.XMessage, before mark) (m mark, err error) {
	seq, _ := e.Values[fieldSeq].(string)
	message, ok := e.Values[fieldMessage].(string)
	if m.seq, err = strconv.ParseUint(seq, 10, 64); err != nil || !ok || len(e.Values) != 2 {
		return m, fmt.Errorf("%w: fields", ErrDamaged)
	}
	if m.id, err = parseStreamID(e.ID); err != nil {
		return m, err
	}
	if m.seq != before.seq+1 {
		return m, errGap
	}
	if message == "" {
		return m, errEpoch
	}
	had := len(w.batch)
	records, sender, err := decode(w.batch, message, w.fleet.id.secret)
	if err != nil {
		return m, err
	}
	if sender == w.fleet.id.sender {
		records = records[:had]
	}
	w.batch = records
	return m, nil
}

// apply puts the batch in force.
func (w *follower) apply() error {
	for at := 0; at < len(w.batch); at += MaxApply {
		some := w.batch[at:min(at+MaxApply, len(w.batch))]
		if err := w.fleet.cfg.Apply(some); err != nil {
			return fmt.Errorf("%w: %w", ErrApply, err)
		}
		w.fleet.counts.applied.Add(uint64(len(some)))
	}
	w.batch = w.batch[:0]
	return nil
}

// progress takes note of how far the node has come. Received is when the last read was answered, which had all there
// was if drained.
func (w *follower) progress(ctx context.Context, received time.Time, drained bool) error {
	f := w.fleet
	f.counts.behind.Store(w.target - min(w.target, w.at.seq))
	if !w.lacks && w.offered.Load() {
		f.known = position{epoch: w.epoch, life: w.life, at: w.at}
		if time.Since(w.saved) >= saveEvery {
			if err := f.savePosition(); err != nil {
				return err
			}
			w.saved = time.Now()
		}
	}
	if w.at.seq < w.target {
		return nil
	}
	if !w.settled {
		if err := w.settle(ctx); err != nil {
			return err
		}
		if !w.settled || w.at.seq < w.target {
			return nil
		}
	}
	if !f.caughtUp.Swap(true) {
		f.cfg.Log.Info("fleet: caught up")
	}
	if drained {
		f.counts.current.Store(received.UnixNano())
	}
	return nil
}

// settle asks how far the stream goes, and whether all that the others hold can be expected to be there.
func (w *follower) settle(ctx context.Context) error {
	st, err := w.open(ctx, newEpoch())
	if err != nil {
		return err
	}
	if st.epoch != w.epoch {
		return errEpoch
	}
	w.target = st.end.seq
	w.settled = !w.lacks && w.offered.Load() && st.uploads == 0 && st.now-st.created >= w.fleet.cfg.Settle
	return nil
}

// readState applies the whole state, and comes to stand at the stream's end as it was before.
func (w *follower) readState(ctx context.Context) error {
	st, err := w.open(ctx, newEpoch())
	if err != nil {
		return err
	}
	if st.epoch != w.epoch {
		return errEpoch
	}
	w.batch = w.batch[:0]
	var bad []string
	limit := w.fleet.pace()
	for cursor := "0"; ; {
		next, page, odd, err := w.page(ctx, cursor, pageRecords)
		if err != nil {
			return err
		}
		if err := wait(ctx, limit, len(page)/recordBytes); err != nil {
			return err
		}
		w.batch, bad = readPage(w.batch, page, append(bad, odd...))
		if len(w.batch) >= MaxApply/2 || next == "0" {
			if err := w.apply(); err != nil {
				return err
			}
		}
		if len(bad) > 0 {
			return w.heal(ctx, bad)
		}
		if cursor = next; cursor == "0" {
			break
		}
	}
	// A cursor is of no use to a Redis that has started since.
	life, err := w.info(ctx)
	if err != nil {
		return err
	}
	if life != w.life {
		return errEpoch
	}
	w.at, w.target, w.lacks, w.readAt = st.end, st.end.seq, false, time.Now()
	return nil
}

// heal takes out of the state what cannot be read, and has every node offer what it holds. The session ends with it.
func (w *follower) heal(ctx context.Context, bad []string) error {
	w.fleet.counts.damagedRecords.Add(uint64(len(bad)))
	w.fleet.cfg.Log.Error("fleet: state damaged: all nodes offer theirs", "records", len(bad))
	if err := w.server.heal(ctx, w.epoch, newEpoch(), bad[:min(len(bad), pageRecords)]); err != nil {
		return err
	}
	return fmt.Errorf("%w: state", ErrDamaged)
}

// readPage appends a page's records to records, and the members of those that no node wrote to bad.
func readPage(records []revocation.Record, page string, bad []string) ([]revocation.Record, []string) {
	for b := []byte(page); len(b) > 0; {
		n := min(recordBytes, len(b))
		var ok bool
		if records, ok = readRecords(records, b[:n]); !ok {
			bad = append(bad, string(b[:min(memberBytes, n)]))
		}
		b = b[n:]
	}
	return records, bad
}
