package listen

import (
	"crypto/tls"
	"time"
)

// TLS configures TLS on a listener: versions 1.2 and 1.3 with the suites, curves
// and signature algorithms that crypto/tls holds to be good, and HTTP/1.1 by
// ALPN, so that a client that insists on another protocol is refused.
type TLS struct {
	// Certificates lists the pairs to choose from by the name that the client
	// asks for (SNI): the first that bears it, exactly or by a wildcard, and
	// that the client can verify. The first of all serves clients that ask for
	// no name or another one. Required, at least one.
	Certificates []CertificateFiles

	// MinVersion is tls.VersionTLS12 or tls.VersionTLS13. Optional. Defaults
	// to tls.VersionTLS12.
	MinVersion uint16

	// ClientAuth says whether clients show a certificate. Optional. Defaults
	// to NoClientCertificate.
	ClientAuth ClientAuth

	// ClientCAFile holds the authorities, in PEM, that vouch for client
	// certificates. Required where ClientAuth asks for any.
	ClientCAFile string

	// TicketRotation is how often session tickets get a new key. A ticket is
	// good for two rotations at least and three at most, over reloads too.
	// Optional. Defaults to 8h.
	TicketRotation time.Duration

	// CheckEvery is how often the files are looked at for changes. Optional.
	// Defaults to 10s.
	CheckEvery time.Duration
}

// CertificateFiles names the two files of a certificate, in PEM.
type CertificateFiles struct {
	// Cert holds the certificate, and behind it those between it and a root.
	Cert string
	// Key holds its private key, not encrypted.
	Key string
}

// ClientAuth is what a listener asks of its clients.
type ClientAuth uint8

// What may be asked. A certificate that is shown is always verified.
const (
	NoClientCertificate ClientAuth = iota
	RequestClientCertificate
	RequireClientCertificate
)

var clientAuthTypes = [...]tls.ClientAuthType{
	NoClientCertificate:      tls.NoClientCert,
	RequestClientCertificate: tls.VerifyClientCertIfGiven,
	RequireClientCertificate: tls.RequireAndVerifyClientCert,
}

func (t TLS) withDefaults() TLS {
	if t.MinVersion == 0 {
		t.MinVersion = tls.VersionTLS12
	}
	if t.TicketRotation <= 0 {
		t.TicketRotation = 8 * time.Hour
	}
	if t.CheckEvery <= 0 {
		t.CheckEvery = 10 * time.Second
	}
	return t
}
