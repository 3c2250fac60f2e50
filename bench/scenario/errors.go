package scenario

import "errors"

var (
	// ErrFile is wrapped by the [Faults] of a file that is no scenario.
	ErrFile = errors.New("not a scenario")
	// ErrOptions are [Options] that a scenario cannot be run with; the error says which and what is allowed.
	ErrOptions = errors.New("scenario cannot be run so")
	// ErrHands means that a scenario does something that the target cannot be told; the error says what is missing.
	ErrHands = errors.New("target cannot be told")
	// ErrTooLate means that a cutover would come before its time in the load.
	ErrTooLate = errors.New("cutover comes too soon")
	// ErrAction is wrapped where something that a scenario does went wrong.
	ErrAction = errors.New("action failed")
)
