package journal

import (
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// group is what one fsync makes durable.
type group struct {
	records []revocation.Record
	done    bool // Guarded by commit, as err is.
	err     error
}

// Add puts entries in force and makes them durable. When it returns nil both is so. With an error none of them is
// acknowledged: revocation.ErrEntry where one is malformed and none is in force, revocation.ErrFull where there is no
// room for all, ErrWrite or ErrLogFull where they are not durable, ErrBatch, ErrClosed. It keeps no reference to the
// entries. It waits for the disk: tens of microseconds to tens of milliseconds.
func (j *Journal) Add(entries ...revocation.Entry) error {
	records := make([]revocation.Record, len(entries))
	for i := range entries {
		var err error
		if records[i], err = j.store.Record(entries[i]); err != nil {
			return err
		}
	}
	return j.AddRecords(records)
}

// AddRecords is Add for records that were made by this journal's store.
func (j *Journal) AddRecords(records []revocation.Record) error {
	if len(records) > MaxBatch {
		return fmt.Errorf("%w: %d, the limit is %d", ErrBatch, len(records), MaxBatch)
	}
	if len(records) == 0 {
		return nil
	}
	// In force before on disk: a snapshot that replaces a segment has then seen all that is in it.
	if err := j.store.AddRecords(records); err != nil {
		return err
	}
	return j.append(records)
}

// append joins the open group, and writes it if nobody else has done so by the time that it is this caller's turn.
func (j *Journal) append(records []revocation.Record) error {
	j.mu.Lock()
	g := j.open
	g.records = append(g.records, records...)
	j.mu.Unlock()

	j.commit.Lock()
	defer j.commit.Unlock()
	if g.done {
		return g.err
	}
	j.mu.Lock()
	j.open = new(group) // Groups are written in order, so the open one is g.
	j.mu.Unlock()
	g.done, g.err = true, j.write(g.records)
	g.records = nil
	if g.err != nil {
		j.counters.failures.Add(1)
	}
	return g.err
}

// write appends records to the segment and waits for the disk. The caller holds commit.
func (j *Journal) write(records []revocation.Record) error {
	if j.closed {
		return ErrClosed
	}
	size := int64(len(records)) * recordBytes
	if j.counters.since.Load()+size > j.logLimit() {
		j.wake()
		return fmt.Errorf("%w: %d bytes since the last snapshot", ErrLogFull, j.logLimit())
	}
	if j.segment == nil {
		if err := j.begin(); err != nil {
			return fmt.Errorf("%w: new segment: %w", ErrWrite, err)
		}
	}
	b := make([]byte, 0, size)
	for i := range records {
		b = appendRecord(b, j.seed, &records[i])
	}
	began := time.Now()
	j.charge(size) // Even of what fails, some may be in the file.
	_, err := j.segment.Write(b)
	if err == nil {
		err = j.segment.Sync()
	}
	if err != nil {
		j.abandon()
		j.wake()
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	took := time.Since(began)
	j.counters.syncNanos.Store(int64(took))
	j.counters.syncedNanos.Add(int64(took))
	j.counters.records.Add(uint64(len(records)))
	j.counters.groups.Add(1)
	if j.snapshotDue() {
		j.wake()
	}
	return nil
}

// begin makes the next segment, whose header and name are durable before anything is appended. If it fails, the same
// number is tried again: nothing of worth can be in that file.
func (j *Journal) begin() error {
	id := identity{logFile, j.number, j.secret}
	f, err := j.fs.create(id.name())
	if err != nil {
		return err
	}
	header := id.header([hints]int{})
	_, err = f.Write(header[:])
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = j.fs.sync()
	}
	if err != nil {
		f.Close()
		return err
	}
	j.segment, j.seed = f, id.seed()
	j.charge(headerBytes)
	return nil
}

// abandon ends a segment that failed. What it has beyond the last fsync is anyone's guess, so it is not gone on with: an
// fsync after one that failed may succeed without having written what the first one did not.
func (j *Journal) abandon() {
	j.segment.Close()
	j.segment = nil
	j.number++
}
