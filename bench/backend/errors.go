package backend

import "errors"

var (
	// ErrAccount means that a token was asked for something other than [Accounts] or a fault of the corpus, or for an
	// algorithm that no current key has.
	ErrAccount = errors.New("no such token")
	// ErrKey means that no published key has a kid, or that a key to be added has the kid of a published one.
	ErrKey = errors.New("no such key")
	// ErrFault means that a fault was ordered for a path that has none, or that its description cannot be understood.
	ErrFault = errors.New("no such fault")
	// ErrFull means that as many opaque tokens are alive, or as many tokens revoked, as a backend remembers.
	ErrFull = errors.New("the backend remembers no more tokens")
)
