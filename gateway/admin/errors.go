package admin

import "errors"

var (
	// ErrKeyNotFound means that a KeyAdmin knows no such issuer, or that the issuer
	// has no such key to purge or to allow.
	ErrKeyNotFound = errors.New("admin: no such issuer or key")
	// ErrPurgesFull means that a KeyAdmin remembers as many purges of the issuer as
	// it can. Nothing was purged, and no purge was forgotten.
	ErrPurgesFull = errors.New("admin: no more purges can be remembered")
	// ErrCertificate means that TLS.CertFile, TLS.KeyFile, or the two together are
	// of no use. The error names the file and says what is wrong with it.
	ErrCertificate = errors.New("admin: certificate not usable")
	// ErrClientCA means that TLS.ClientCAFile cannot be read or holds no
	// certificate.
	ErrClientCA = errors.New("admin: client authorities not usable")
)
