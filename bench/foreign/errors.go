package foreign

import "errors"

var (
	// ErrUnavailable means that Node or the provider's packages are not installed on this machine.
	ErrUnavailable = errors.New("the foreign provider is not installed")
	// ErrStart means that the provider ended, or its context did, before it said that it listens, or that it never did.
	ErrStart = errors.New("the foreign provider did not start")
	// ErrAnswer means that the provider answered something other than what its standard says.
	ErrAnswer = errors.New("unexpected answer from the foreign provider")
)
