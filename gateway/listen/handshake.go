package listen

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// HandshakeFault is why a TLS handshake failed, as far as it can be told.
type HandshakeFault uint8

// The faults, in the order of their names.
const (
	// FaultProtocol: no version, suite or application protocol in common, or
	// a broken message.
	FaultProtocol HandshakeFault = iota
	// FaultNotTLS: the first bytes are no TLS; plain HTTP most of the time.
	FaultNotTLS
	// FaultTimeout: the handshake was not complete in time.
	FaultTimeout
	// FaultClosed: the client left.
	FaultClosed
	// FaultClientCertificate: the client showed no certificate where it had
	// to, or one that does not verify.
	FaultClientCertificate
	// FaultRefused: the client refused, our certificate most of the time.
	FaultRefused
	handshakeFaults
)

var handshakeFaultNames = [handshakeFaults]string{"protocol", "not_tls", "timeout", "closed", "client_certificate", "refused_by_client"}

// String returns the fault's stable code.
func (f HandshakeFault) String() string { return handshakeFaultNames[f] }

// secured is a connection under TLS.
type secured struct {
	*tls.Conn
	raw    *Conn
	failed bool // of the goroutine that reads
}

// Handshake runs the handshake if it has not been run. fasthttp goes on to read
// a request after a failed one: see Read.
func (s *secured) Handshake() error {
	err := s.Conn.Handshake()
	if err != nil && !s.failed {
		s.failed = true
		if s.raw.headerErr == nil { // or it was counted as refused
			s.raw.listener.tls.failures[faultOf(err)].Add(1)
		}
	}
	return err
}

// Read reads decrypted bytes. After a failed handshake the input ends, so that
// the server neither answers a request that was never made nor counts one.
func (s *secured) Read(p []byte) (int, error) {
	if s.failed {
		return 0, io.EOF
	}
	return s.Conn.Read(p)
}

// Await implements [wire.Idler].
func (s *secured) Await(waits bool) { s.raw.Await(waits) }

// Park implements [wire.Idler].
func (s *secured) Park(requests uint64) { s.raw.park(s, requests) }

func faultOf(err error) HandshakeFault {
	var header tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var network *net.OpError
	switch {
	case errors.As(err, &header):
		return FaultNotTLS
	case errors.As(err, &certificate):
		return FaultClientCertificate
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return FaultClosed
	case errors.As(err, &network) && network.Timeout():
		return FaultTimeout
	case network != nil && network.Op == "remote error":
		return FaultRefused
	case strings.HasSuffix(err.Error(), "didn't provide a certificate"):
		// crypto/tls has no other name for it.
		return FaultClientCertificate
	}
	return FaultProtocol
}
