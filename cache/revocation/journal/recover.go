package journal

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// Report is what Open has found. It is to be logged, and to be looked at where Clean says no.
type Report struct {
	// Entries is the number of entries in the store, Records that of records read, past ones and repetitions included.
	Entries, Records int
	// Snapshot is the number of the snapshot that was used, 0 where there was none. Segments is the number of log
	// segments read.
	Snapshot uint64
	Segments int
	// Cut are the tails cut off log segments.
	Cut []Cut
	// Damaged are the files with records that were passed over, or with a damaged header.
	Damaged []Damage
	// Lost is true where acknowledged revocations are gone and AcceptLoss let Open go on.
	Lost bool
	// Took is the time that reading took.
	Took time.Duration
}

// Clean reports whether everything was as an orderly shutdown leaves it.
func (r *Report) Clean() bool { return len(r.Cut) == 0 && len(r.Damaged) == 0 && !r.Lost }

// Cut is a tail without a good record in it.
type Cut struct {
	// File is the segment's name; Offset is where it was cut and Bytes how much, in bytes.
	File          string
	Offset, Bytes int64
}

// Damage is a file that is not as it was written.
type Damage struct {
	// File is its name. Records is the number of records passed over; of a snapshot that is cut short it is 0.
	File    string
	Records int64
}

// recovery reads a directory into a store.
type recovery struct {
	fs     files
	store  *revocation.Store
	secret [8]byte
	inv    inventory
	report Report

	snapshotBytes    int64
	snapshots        []uint64 // The one that was used and those before it, ascending.
	damagedSnapshots bool
	next             uint64 // The number of the next segment.
}

func (r *recovery) run(acceptLoss bool) error {
	base, err := r.readSnapshots()
	if err != nil {
		return err
	}
	// Numbers are given out without gaps, from 1. Where one is missing, whatever was in it is gone.
	r.next = max(base, 1)
	for _, n := range r.inv.logs {
		if n < base {
			continue // The snapshot has it all; it is kept for the snapshot before.
		}
		r.report.Lost = r.report.Lost || n != r.next
		if err := r.readLog(n); err != nil {
			return err
		}
		r.next = n + 1
	}
	// A damaged snapshot tells how far the log went when it was written. Its number is not given to a segment again.
	if n := len(r.inv.snapshots); n > 0 && r.inv.snapshots[n-1] > r.next {
		r.report.Lost = true
		r.next = r.inv.snapshots[n-1]
	}
	if r.report.Lost && !acceptLoss {
		return ErrLost
	}
	return nil
}

// readSnapshots reads the newest whole snapshot, and on the way to it whatever is good in newer ones. It returns the
// first segment that it does not replace, 0 where there is none that is whole.
func (r *recovery) readSnapshots() (base uint64, err error) {
	for i, n := range slices.Backward(r.inv.snapshots) {
		id := identity{snapshotFile, n, r.secret}
		o, err := r.read(id)
		if err != nil {
			return 0, err
		}
		if o.whole {
			r.report.Snapshot, r.snapshotBytes = n, o.size
			r.snapshots = slices.Clone(r.inv.snapshots[:i+1])
			return n, nil
		}
		r.damagedSnapshots = true
		r.report.Damaged = append(r.report.Damaged, Damage{File: id.name(), Records: o.damaged})
	}
	return 0, nil
}

func (r *recovery) readLog(n uint64) error {
	id := identity{logFile, n, r.secret}
	o, err := r.read(id)
	if err != nil {
		return err
	}
	r.report.Segments++
	if o.damaged > 0 || o.header == headerDamaged && o.records > 0 {
		r.report.Damaged = append(r.report.Damaged, Damage{File: id.name(), Records: o.damaged})
	}
	if o.good == o.size {
		return nil
	}
	r.report.Cut = append(r.report.Cut, Cut{File: id.name(), Offset: o.good, Bytes: o.size - o.good})
	if err := r.fs.truncate(id.name(), o.good); err != nil {
		return fmt.Errorf("%w: cutting a tail: %w", ErrWrite, err)
	}
	return nil
}

func (r *recovery) read(id identity) (outcome, error) {
	f, err := r.fs.open(id.name())
	if err != nil {
		return outcome{}, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	o, err := readFile(f, id, r.grow, r.store.AddRecords)
	r.report.Records += int(o.records)
	switch {
	case err == nil, errors.Is(err, ErrSecret), errors.Is(err, ErrVersion):
		return o, err
	}
	return o, fmt.Errorf("journal: reading %s: %w", id.name(), err)
}

// grow makes room for what a snapshot says that it has, by kind.
func (r *recovery) grow(entries [hints]int) {
	for i, n := range entries {
		r.store.Grow(revocation.Kind(i), n)
	}
}
