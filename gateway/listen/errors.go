package listen

import "errors"

var (
	// ErrNotInherited means that a listener was to take a socket of a name
	// that the service manager did not pass, or that is no stream socket.
	ErrNotInherited = errors.New("listen: no such socket was passed by the service manager")
	// ErrCertificate means that a certificate file, its key file, or the
	// two together are of no use. After a reload the pair from before stays.
	ErrCertificate = errors.New("listen: certificate not usable")
	// ErrClientCA means that the file of client authorities cannot be read or
	// holds no certificate. After a reload the authorities from before stay.
	ErrClientCA = errors.New("listen: client authorities not usable")
	// ErrFilter means that new connections could not be held off from a
	// socket that is about to close, so that some may have been reset.
	ErrFilter = errors.New("listen: new connections could not be held off")
)
