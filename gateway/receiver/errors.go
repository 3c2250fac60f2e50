package receiver

import "errors"

var (
	// ErrRoute means that a route has no handler, or a path that no request can
	// have as it stands: it does not begin with a slash, or has other characters
	// than a URL's path shows unescaped.
	ErrRoute = errors.New("receiver: route not usable")
	// ErrNotListening means that Serve was called without a successful Listen.
	ErrNotListening = errors.New("receiver: not listening")
)
