package pace

import "errors"

var (
	// ErrRate is a rate that is negative, not a number, or above [MaxPerSecond].
	ErrRate = errors.New("rate out of range")
	// ErrDuration is a time that is not positive, or a profile longer than [MaxDuration].
	ErrDuration = errors.New("duration out of range")
	// ErrEmpty is a profile in which no request is ever due.
	ErrEmpty = errors.New("no request is ever due")
	// ErrCSV is a file that is no list of seconds and rates; the error says which line.
	ErrCSV = errors.New("not a profile of seconds,rate")
)
