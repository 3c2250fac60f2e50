package listen

import (
	"context"
	"crypto/tls"
	"time"
)

// ServerTLS is TLS with certificates that may change, as a [Listener] has it,
// for a server of another kind: net/http's, behind tls.NewListener. It is safe
// for concurrent use.
type ServerTLS struct{ certificates *certificates }

// NewServerTLS reads the certificate files. Errors are [ErrCertificate] and
// [ErrClientCA].
func NewServerTLS(c TLS) (*ServerTLS, error) {
	loaded, err := newCertificates(c)
	if err != nil {
		return nil, err
	}
	return &ServerTLS{loaded}, nil
}

// Config returns what every handshake begins with. It is always the same, must
// not be changed or copied, and gives each handshake the certificates and
// authorities that were read last.
func (s *ServerTLS) Config() *tls.Config { return s.certificates.config }

// Reload is [Listener.Reload]; changed says whether new files are in force.
func (s *ServerTLS) Reload() (changed bool, err error) { return s.certificates.reload() }

// Run is [Listener.Run].
func (s *ServerTLS) Run(ctx context.Context, report func(error)) { s.certificates.run(ctx, report) }

// NotAfter returns when each of the certificates expires.
func (s *ServerTLS) NotAfter() []time.Time { return s.certificates.notAfter() }
