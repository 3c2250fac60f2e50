package target

import "errors"

var (
	// ErrConfig is a [Config] that cannot be used; the error names the field.
	ErrConfig = errors.New("target cannot be watched")
	// ErrMetrics means that the target's metrics could not be read, or have nothing
	// in them that is known.
	ErrMetrics = errors.New("metrics cannot be read")
	// ErrProcess means that a process is not there or cannot be looked at.
	ErrProcess = errors.New("process cannot be looked at")
)

// failure is a reason why a sample failed; its text is the name in [Use.Failures].
type failure string

// The failures, a closed set.
const (
	failTimeout     failure = "timeout"
	failUnreachable failure = "unreachable"
	failStatus      failure = "status_not_200"
	failTooLarge    failure = "too_large"
	failFormat      failure = "unknown_format"
	failMalformed   failure = "malformed"
	failSeries      failure = "too_many_series"
	failGone        failure = "process_gone"
)

func (f failure) Error() string { return string(f) }
