package stand

import "errors"

var (
	// ErrConfig is a [Config] that no stand can be made of; the error names the field.
	ErrConfig = errors.New("stand cannot be made")
	// ErrGateway means that a gateway process did not do what it must: start, become ready, end after SIGTERM, take a
	// revocation. The error has the last lines of its log.
	ErrGateway = errors.New("gateway")
	// ErrOrder is an order that makes no sense here, such as restarting a replica that there is not.
	ErrOrder = errors.New("cannot be done here")
)
