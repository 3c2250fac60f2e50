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
	given  bool // The secret is the configuration's, not the directory's.
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
	if err := r.cut(); err != nil {
		return err
	}
	// A segment whose making failed half-way may be here by name and not on the disk. The next one takes a number after
	// it; should the power fail then, the gap must not look like a loss.
	if err := r.fs.sync(); err != nil {
		return fmt.Errorf("%w: directory: %w", ErrWrite, err)
	}
	return nil
}

// cut takes off the tails that were found, when everything has been read: before that, what looks like a tail may be
// records under a secret that the next file's header tells to be another.
func (r *recovery) cut() error {
	for _, c := range r.report.Cut {
		if err := r.fs.truncate(c.File, c.Offset); err != nil {
			return fmt.Errorf("%w: cutting a tail: %w", ErrWrite, err)
		}
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
	if o.good != o.size {
		r.report.Cut = append(r.report.Cut, Cut{File: id.name(), Offset: o.good, Bytes: o.size - o.good})
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
	case errors.Is(err, ErrSecret):
		return o, fmt.Errorf("%w: %s", err, r.remedy())
	case err == nil, errors.Is(err, ErrVersion):
		return o, err
	}
	return o, fmt.Errorf("journal: reading %s: %w", id.name(), err)
}

// remedy says what to do about a file that was written under another secret.
func (r *recovery) remedy() string {
	if r.given {
		return "configure the secret that the directory was written under (none, where it made its own), " +
			"or move the directory away and feed a new one from the sources"
	}
	return "configure the secret that was configured when the file was written, or restore the directory's own from a copy, " +
		"or move the directory away and feed a new one from the sources"
}

// grow makes room for what a snapshot says that it has, by kind.
func (r *recovery) grow(entries [hints]int) {
	for i, n := range entries {
		r.store.Grow(revocation.Kind(i), n)
	}
}
