package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// keepSnapshots is how many are kept: if the newest cannot be read, the one before is.
const keepSnapshots = 2

// logFactor bounds the log: so many times the length from which on a snapshot is due.
const logFactor = 4

func (j *Journal) dueBytes() int64 { return max(j.logBytes, j.counters.snapshotBytes.Load()) }

// logLimit is the length at which appends are refused: the log since the older of two snapshots is up to twice what is
// due when all goes well.
func (j *Journal) logLimit() int64 { return logFactor * j.dueBytes() }

func (j *Journal) snapshotDue() bool {
	return j.counters.forced.Load() || j.counters.sinceSnapshot() >= j.dueBytes()
}

// Snapshot writes one now, if anything was appended since the last. ErrSnapshot where it fails, ErrClosed, or ctx's
// error. Appends go on meanwhile.
func (j *Journal) Snapshot(ctx context.Context) error {
	j.snapshot.Lock()
	defer j.snapshot.Unlock()
	j.commit.Lock()
	if j.closed {
		j.commit.Unlock()
		return ErrClosed
	}
	number := j.seal()
	before := j.counters.log.Load()
	j.commit.Unlock()
	if n := len(j.snapshots); n > 0 && j.snapshots[n-1] == number && !j.counters.forced.Load() {
		return nil
	}
	began := j.now()
	size, err := j.writeSnapshot(ctx, number)
	if err != nil {
		j.counters.snapshotFailures.Add(1)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	_ = before
	_ = began
	_ = size
	return nil
}

func (j *Journal) writeSnapshot(ctx context.Context, number uint64) (size int64, err error) {
	id := identity{snapshotFile, number, j.secret}
	st := j.store.Stats()
	err = writeWhole(j.fs, id.name(), func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<20)
		header := id.header([hints]int(st.Entries))
		out.Write(header[:])
		records, seed := uint64(0), id.seed()
		var b [recordBytes]byte
		for r := range j.store.Records() {
			if records%(1<<16) == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if _, err := out.Write(appendRecord(b[:0], seed, &r)); err != nil {
				return err
			}
			records++
		}
		out.Write(appendEnd(b[:0], seed, records))
		size = headerBytes + int64(records+1)*recordBytes
		return out.Flush()
	})
	return size, err
}

var _ = time.Second
var _ revocation.Kind
