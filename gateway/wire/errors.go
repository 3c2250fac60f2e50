package wire

import "errors"

// ErrBusy is returned where a connection must be between two messages and is
// not: a response is still outstanding, or a request is still being read.
var ErrBusy = errors.New("wire: a message is still outstanding")

// Error is the refusal of a message. It names the rule and never carries bytes
// of the message. Values are shared and must not be modified.
type Error struct {
	// Reason is the rule that was broken.
	Reason Reason
	// Status is the HTTP status for the client: 4xx or 5xx for a request, always
	// 502 for a response.
	Status int
}

// Error implements error.
func (e *Error) Error() string { return e.Reason.Error() }

// Unwrap returns the reason, so that errors.Is(err, ErrBareLF) holds.
func (e *Error) Unwrap() error { return e.Reason }

// refusals are the two errors of each reason, made once: an attack must not
// cost an allocation for each attempt.
var requestRefusals, responseRefusals = makeRefusals()

func makeRefusals() (requests, responses [reasonCount]Error) {
	for _, r := range Reasons() {
		requests[r] = Error{Reason: r, Status: rules[r].status}
		responses[r] = Error{Reason: r, Status: 502}
	}
	return requests, responses
}
