package peers

import "errors"

var (
	// ErrConfig is a [Config] that cannot be run; the error names the field.
	ErrConfig = errors.New("peers cannot be measured")
	// ErrMissing means that software is not installed; the error names the Debian packages.
	ErrMissing = errors.New("not installed")
	// ErrProxy means that a proxy did not start, ended, or gave an answer under load that it must not give. The error has
	// the last lines of its log.
	ErrProxy = errors.New("proxy")
	// ErrSystem is a system on which processor time and processors of processes cannot be seen and chosen as is needed.
	ErrSystem = errors.New("peers are measured on Linux only")
)
