package limit

import "errors"

var (
	// ErrConfig is a [Config] that cannot be used; the error names the field.
	ErrConfig = errors.New("limit cannot be searched")
	// ErrObjective is an objective that cannot be read; see [ParseObjective].
	ErrObjective = errors.New("not an objective")
)
