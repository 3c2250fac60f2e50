package attack

import "errors"

var (
	// ErrConfig is a [Config] that cannot be run; the error names the field.
	ErrConfig = errors.New("load cannot be made")
	// ErrRequest is a request that cannot be sent as it was asked for; see [Build].
	ErrRequest = errors.New("request cannot be made")
	// ErrUnreachable means that not one connection to the target could be opened:
	// nothing was measured.
	ErrUnreachable = errors.New("target cannot be reached")
	// ErrSource means that a [Finite] source has too few requests for the load:
	// nothing was measured.
	ErrSource = errors.New("too few requests for the load")
	// ErrResponse is an answer that is not HTTP/1.1 as RFC 9112 has it; see [Response].
	ErrResponse = errors.New("not an HTTP/1.1 response")
)
