package corpus

import "errors"

var (
	// ErrAlgorithm means that a name is not one of [Algorithms].
	ErrAlgorithm = errors.New("unknown signature algorithm")
	// ErrFault means that a name is not one of [Faults].
	ErrFault = errors.New("unknown fault")
)
