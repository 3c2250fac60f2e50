package origin

import "errors"

var (
	// ErrFraming means that a request's head frames its body in no way or in two ways: two lengths, a length and a
	// coding, a length that is no number, a chunk without a size.
	ErrFraming = errors.New("request framing is broken or ambiguous")
	// ErrCut means that the connection ended inside a request.
	ErrCut = errors.New("request was cut")
	// ErrTooLarge means that a request exceeds what is recorded: [MaxHeadBytes], [MaxBodyBytes].
	ErrTooLarge = errors.New("request is too large to record")
)
