package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"time"
	"unicode"
)

const (
	byNobody = "nobody"
	byToken  = "token"
)

// operators tells who may change something.
type operators struct {
	token    [sha256.Size]byte
	hasToken bool
	certs    *certificates // nil without TLS
}

func newOperators(token []byte, certs *certificates) operators {
	return operators{token: sha256.Sum256(token), hasToken: len(token) > 0, certs: certs}
}

// byCertificate reports whether client certificates are asked for.
func (o *operators) byCertificate() bool { return o.certs != nil && o.certs.files.ClientCAFile != "" }

// who returns the operator who sent r, or why it is none.
func (o *operators) who(r *http.Request) (by string, status int, reason string) {
	if name, ok := o.certified(r.TLS, time.Now()); ok {
		return name, 0, ""
	}
	switch {
	case !o.hasToken && !o.byCertificate():
		return byNobody, http.StatusForbidden, "nothing can be changed: set admin.token_file"
	case !o.hasToken:
		return byNobody, http.StatusForbidden, "a client certificate of admin.tls.client_ca_file is needed"
	case o.authorised(r.Header.Values("Authorization")):
		return byToken, 0, ""
	case o.byCertificate():
		return byNobody, http.StatusUnauthorized,
			"the bearer token of admin.token_file is needed, or a client certificate of admin.tls.client_ca_file"
	}
	return byNobody, http.StatusUnauthorized, "the bearer token of admin.token_file is needed"
}

// authorised compares in constant time; the digests hide the token's length.
func (o *operators) authorised(fields []string) bool {
	if len(fields) != 1 {
		return false
	}
	scheme, shown, ok := strings.Cut(fields[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	sum := sha256.Sum256([]byte(shown))
	return subtle.ConstantTimeCompare(sum[:], o.token[:]) == 1
}

// certified returns the name of the certificate that the client has shown. The
// handshake verified it, under the authorities and the time of then; connections
// last, so it is verified again (RFC 5280 section 6).
func (o *operators) certified(state *tls.ConnectionState, now time.Time) (name string, ok bool) {
	if state == nil || len(state.VerifiedChains) == 0 || !o.byCertificate() {
		return "", false
	}
	shown := state.PeerCertificates
	options := x509.VerifyOptions{
		Roots:         o.certs.latest(now).roots,
		Intermediates: x509.NewCertPool(),
		CurrentTime:   now,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, between := range shown[1:] {
		options.Intermediates.AddCert(between)
	}
	if _, err := shown[0].Verify(options); err != nil {
		return "", false
	}
	return certificateName(shown[0]), true
}

// maxOperatorName bounds a certificate's name in the audit log, in characters.
const maxOperatorName = 128

// certificateName tells operators apart: by the subject's common name, else the
// first of the alternative names, else the serial number. The prefix keeps any
// of them from passing for another, or for the token.
func certificateName(c *x509.Certificate) string {
	name := ""
	switch {
	case c.Subject.CommonName != "":
		name = "cn:" + c.Subject.CommonName
	case len(c.URIs) > 0:
		name = "uri:" + c.URIs[0].String()
	case len(c.DNSNames) > 0:
		name = "dns:" + c.DNSNames[0]
	case len(c.EmailAddresses) > 0:
		name = "email:" + c.EmailAddresses[0]
	default:
		name = "serial:" + c.SerialNumber.Text(16)
	}
	length := 0
	return strings.Map(func(r rune) rune {
		if length++; length > maxOperatorName {
			return -1
		}
		if !unicode.IsGraphic(r) {
			return unicode.ReplacementChar
		}
		return r
	}, name)
}
