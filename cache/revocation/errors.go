package revocation

import "errors"

var (
	// ErrFull means that the store holds as many entries as it may. The entry is not in force. What is there stays;
	// room comes only from entries that expire, or from a higher limit.
	ErrFull = errors.New("revocation: store is full")
	// ErrEntry means that an entry or record is malformed: no issuer or identifier, one that is too long to be in any
	// token, a kind that does not exist, a Before on a kind that has none, or no Until.
	ErrEntry = errors.New("revocation: entry invalid")
	// ErrConfig means that a Config is out of range, or a secret of the wrong length.
	ErrConfig = errors.New("revocation: configuration invalid")
)
