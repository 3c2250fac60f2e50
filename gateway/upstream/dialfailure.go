package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"syscall"
)

// DialFailure says why a connection could not be opened.
type DialFailure uint8

// What keeps a connection from being opened.
const (
	// DialOther is none of the others: no route, a reset.
	DialOther DialFailure = iota
	// DialRefused means that nobody listens there.
	DialRefused
	// DialTimeout means that the time to connect passed, TLS included.
	DialTimeout
	// DialName means that the name could not be resolved.
	DialName
	// DialCertificate means that the upstream's certificate was not to be
	// trusted.
	DialCertificate
	// DialTLS means that the TLS handshake failed for another reason.
	DialTLS
	// DialLocal means that this machine is out of files, ports or memory. It
	// is not held against the upstream.
	DialLocal

	dialFailures
)

// DialFailures lists what indexes DialCounts.
func DialFailures() []DialFailure {
	all := make([]DialFailure, dialFailures)
	for i := range all {
		all[i] = DialFailure(i)
	}
	return all
}

// String returns one short word of a closed set.
func (f DialFailure) String() string {
	switch f {
	case DialRefused:
		return "refused"
	case DialTimeout:
		return "timeout"
	case DialName:
		return "name"
	case DialCertificate:
		return "certificate"
	case DialTLS:
		return "tls"
	case DialLocal:
		return "local"
	case DialOther, dialFailures:
	}
	return "other"
}

// DialCounts counts failures by their DialFailure.
type DialCounts [dialFailures]uint64

// Total returns the sum.
func (c DialCounts) Total() uint64 {
	total := uint64(0)
	for _, n := range c {
		total += n
	}
	return total
}

// handshakeError is an error of a TLS handshake.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return "upstream: TLS handshake: " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// dialFailure names the reason of an error of Endpoint.dial.
func dialFailure(err error) DialFailure {
	var (
		untrusted *tls.CertificateVerificationError
		handshake *handshakeError
		name      *net.DNSError
	)
	switch {
	case errors.As(err, &untrusted):
		return DialCertificate
	case errors.As(err, &name):
		return DialName
	case isLocal(err):
		return DialLocal
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), isTimeout(err):
		return DialTimeout
	case errors.As(err, &handshake):
		return DialTLS
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return DialRefused
	}
	return DialOther
}

func isLocal(err error) bool {
	for _, errno := range [...]syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
