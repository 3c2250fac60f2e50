package upstream

import "errors"

var (
	// ErrUnreachable means that no upstream of the site took the connection,
	// or not in time: nothing of the request was sent.
	ErrUnreachable = errors.New("upstream: unreachable")
	// ErrSaturated means that every upstream of the site that could be reached
	// has its bound of connections in use: nothing of the request was sent.
	ErrSaturated = errors.New("upstream: all connections in use")
	// ErrTimeout means that an upstream let a time limit pass. The request
	// may have been acted on.
	ErrTimeout = errors.New("upstream: timed out")
	// ErrClosed means that the connection broke before a whole response head
	// came. The request may have been acted on.
	ErrClosed = errors.New("upstream: connection closed before a response")
	// ErrResponse means that the response could not be read in one way only,
	// or that its short body broke off. The request may have been acted on.
	ErrResponse = errors.New("upstream: malformed response")
	// ErrNominations means that the client's Connection fields nominate more
	// than 16 fields. Nothing of the request was sent.
	ErrNominations = errors.New("upstream: too many fields nominated in Connection")
	// ErrRequestBody means that the client's body broke off, came too slowly
	// or was malformed: the upstream's connection was closed so that it cannot
	// take the part for the whole.
	ErrRequestBody = errors.New("upstream: request body broke off")
	// ErrBodyTooLarge means that the client's body outgrew the site's bound.
	// The upstream's connection was closed as for ErrRequestBody.
	ErrBodyTooLarge = errors.New("upstream: request body too large")

	// errAnswered means that the upstream refused the request before it was
	// sent as a whole.
	errAnswered = errors.New("upstream: answered before the end of the request")
	// errAbandoned means that a response was never written to its client.
	errAbandoned = errors.New("upstream: response not taken")
)
