package backend

import "errors"

// ErrAccount means that /token was asked for something other than [Accounts] or a fault of the corpus, or for an
// algorithm that no current key has.
var ErrAccount = errors.New("no such token")
