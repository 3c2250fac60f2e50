package cache

import "errors"

var (
	// ErrKeys means that a set offered to Keys.Replace is empty or has a key that was withdrawn before: the set that is
	// there stays. A key that comes back must be read anew.
	ErrKeys = errors.New("cache: key set not replaced")
	// ErrPurgesFull means that a key cannot be purged, because as many are remembered as purged as can be. Allowing one
	// that the issuer no longer publishes makes room.
	ErrPurgesFull = errors.New("cache: no more purges can be remembered")
	// ErrSuperseded means that a verdict was reached under another configuration of its issuer than the current one.
	ErrSuperseded = errors.New("cache: verdict superseded by a new configuration")
	// ErrConfig means that a VerdictsConfig is out of range.
	ErrConfig = errors.New("cache: configuration invalid")
)
