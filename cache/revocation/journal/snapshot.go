package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// keepSnapshots is how many are kept: if the newest cannot be read, the one before is.
const keepSnapshots = 2

// logFactor bounds the log since the last snapshot: so many times the length from which on the next one is due.
const logFactor = 4

// logShare is the part of the last snapshot's length, one in so many, that the log may grow to.
const logShare = 4

// dueBytes is the length of log from which on a snapshot is due: a start reads both, and a record in a log takes some
// four times as long as one in a snapshot, which comes sorted and with its numbers told beforehand.
func (j *Journal) dueBytes() int64 { return max(j.logBytes, j.counters.snapshotBytes.Load()/logShare) }

// logLimit is the length of log since the last snapshot at which appends are refused. What is due may be long overtaken
// while a snapshot is being written.
func (j *Journal) logLimit() int64 { return logFactor * j.dueBytes() }

func (j *Journal) snapshotDue() bool {
	return j.counters.forced.Load() || j.counters.since.Load() >= j.dueBytes()
}

// Snapshot writes one now, if anything was appended since the last. ErrSnapshot where it fails, ErrClosed, or ctx's
// error. Appends go on meanwhile.
func (j *Journal) Snapshot(ctx context.Context) error {
	j.snapshot.Lock()
	defer j.snapshot.Unlock()
	number, err := j.rotate()
	if err != nil {
		return err
	}
	newest := len(j.snapshots) - 1
	if newest >= 0 && j.snapshots[newest] == number && !j.counters.forced.Load() {
		return nil
	}
	began := time.Now()
	size, err := j.writeSnapshot(ctx, number)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		j.counters.snapshotFailures.Add(1)
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if newest < 0 || j.snapshots[newest] != number {
		j.snapshots = append(j.snapshots, number)
	}
	j.counters.forced.Store(false)
	j.counters.snapshots.Add(1)
	j.counters.snapshotBytes.Store(size)
	j.counters.snapshotNanos.Store(int64(time.Since(began)))
	j.counters.lastSnapshot.Store(j.now().Unix())
	j.tidy()
	return nil
}

// rotate ends the segment, and returns the number of the first one that a snapshot begun now does not replace:
// everything in the segments before it is in the store.
func (j *Journal) rotate() (uint64, error) {
	j.commit.Lock()
	defer j.commit.Unlock()
	if j.closed {
		return 0, ErrClosed
	}
	if j.segment != nil {
		j.abandon()
	}
	return j.number, nil
}

func (j *Journal) writeSnapshot(ctx context.Context, number uint64) (size int64, err error) {
	id := identity{snapshotFile, number, j.secret}
	err = writeWhole(j.fs, id.name(), func(w io.Writer) error {
		out := bufio.NewWriterSize(w, snapshotBuffer)
		header := id.header(j.store.Stats().Entries)
		out.Write(header[:])
		records, seed := uint64(0), id.seed()
		var b [recordBytes]byte
		for r := range j.store.Records() {
			if records%asksContext == 0 && ctx.Err() != nil {
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

const (
	snapshotBuffer = 128 << 10
	asksContext    = 1 << 16
)

// tidy removes what neither of the two newest good snapshots needs. What cannot be removed is tried again after the
// next snapshot. Segments go in ascending order: a crash half-way leaves a log that does not begin at 1, which Open
// knows from one that is all there. The caller holds snapshot.
func (j *Journal) tidy() {
	if n := len(j.snapshots); n > keepSnapshots {
		j.snapshots = slices.Clone(j.snapshots[n-keepSnapshots:])
	}
	newest := j.snapshots[len(j.snapshots)-1]
	oldest := uint64(0) // With one snapshot, the log from its beginning is what there is to fall back on.
	if len(j.snapshots) == keepSnapshots {
		oldest = j.snapshots[0]
	}
	if inv, err := takeInventory(j.fs); err == nil {
		for _, n := range inv.logs {
			if n < oldest {
				_ = j.fs.remove(identity{logFile, n, j.secret}.name())
			}
		}
		for _, n := range inv.snapshots {
			if !slices.Contains(j.snapshots, n) {
				_ = j.fs.remove(identity{snapshotFile, n, j.secret}.name())
			}
		}
	}
	j.commit.Lock()
	defer j.commit.Unlock()
	j.sizes = slices.DeleteFunc(j.sizes, func(s segmentSize) bool { return s.number < oldest })
	j.recount(newest)
}

// segmentSize is what a segment has in it at most, in bytes.
type segmentSize struct {
	number uint64
	bytes  int64
}

// recount adds up the log, and the part of it since a snapshot. The caller holds commit.
func (j *Journal) recount(since uint64) {
	var log, recent int64
	for _, s := range j.sizes {
		log += s.bytes
		if s.number >= since {
			recent += s.bytes
		}
	}
	j.counters.log.Store(log)
	j.counters.since.Store(recent)
}

// charge takes note of bytes appended to the segment. The caller holds commit.
func (j *Journal) charge(bytes int64) {
	if n := len(j.sizes); n == 0 || j.sizes[n-1].number != j.number {
		j.sizes = append(j.sizes, segmentSize{number: j.number})
	}
	j.sizes[len(j.sizes)-1].bytes += bytes
	j.counters.log.Add(bytes)
	j.counters.since.Add(bytes)
}
