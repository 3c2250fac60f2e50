package config

import "errors"

var (
	// ErrInvalid is what every [*Faults] wraps: the configuration cannot be
	// used, for the faults that it lists.
	ErrInvalid = errors.New("config: invalid configuration")

	// ErrBytesSyntax means that a size is not decimal digits with an optional
	// KiB, MiB or GiB, or that it exceeds 2^63-1.
	ErrBytesSyntax = errors.New("config: not a size in bytes")

	// errNotRegular means that a name leads to a directory, device or pipe.
	errNotRegular = errors.New("not a regular file")
)
