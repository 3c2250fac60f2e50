package record

import "errors"

var (
	// ErrFile is a file that is no record, one of another format, or one that cannot be: a run
	// of which nothing was measured, a scale below 0.
	ErrFile = errors.New("not a record of vneid-bench")
	// ErrDifferent means that records are not of one load, so that [Merge] does not add them;
	// the error says what differs.
	ErrDifferent = errors.New("records are not of one load")
	// ErrMerge means that records cannot be added whatever one wants: they have parts other
	// than runs, other runs, or damaged histograms.
	ErrMerge = errors.New("records cannot be merged")
)
