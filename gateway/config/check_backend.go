package config

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"strings"
)

const maxCertFileBytes = 1 << 20

// checkBackend checks how the backend at p is reached.
func checkBackend(b *Backend, p *path, r *report) {
	if b.CAFile != "" {
		at := p.key("ca_file")
		pem, err := readBounded(b.CAFile, maxCertFileBytes)
		switch {
		case err != nil:
			r.at(at, "%s %s", quote(b.CAFile), err)
		case !x509.NewCertPool().AppendCertsFromPEM(pem):
			r.at(at, "%s holds no PEM certificate", quote(b.CAFile))
		}
	}
	checkClientCert(b, p, r)
	if b.ProxyURL != "" {
		if msg := badProxyURL(b.ProxyURL); msg != "" {
			r.at(p.key("proxy_url"), "%s", msg)
		}
	}
}

func checkClientCert(b *Backend, p *path, r *report) {
	if b.ClientCertFile == "" && b.ClientKeyFile == "" {
		return
	}
	certAt, keyAt := p.key("client_cert_file"), p.key("client_key_file")
	var cert, key []byte
	var certErr, keyErr error
	if b.ClientCertFile != "" {
		cert, certErr = readBounded(b.ClientCertFile, maxCertFileBytes)
	}
	if b.ClientKeyFile != "" {
		key, keyErr = readBounded(b.ClientKeyFile, maxKeyFileBytes)
	}
	checkSecretFile(b.ClientCertFile, certErr, "with client_key_file", certAt, r)
	checkSecretFile(b.ClientKeyFile, keyErr, "with client_cert_file", keyAt, r)
	if cert == nil || key == nil {
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		// What crypto/tls says names types and algorithms, never contents.
		r.at(certAt, "%s and client_key_file are no pair: %s", quote(b.ClientCertFile), strings.TrimPrefix(err.Error(), "tls: "))
	}
}

// badProxyURL returns "" or why s is no proxy. It quotes nothing: there may be
// a password in it.
func badProxyURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Opaque != "" || u.Scheme != "http" && u.Scheme != "https":
		return "is not an http or https URL; write http://host:port"
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return "must end after the host and port; write http://host:port"
	}
	if msg := badAuthority(u); msg != "" {
		return msg + "; write http://host:port"
	}
	return ""
}
