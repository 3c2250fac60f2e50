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
	checkRoots(b.CAFile, p.key("ca_file"), r)
	checkClientPair(b.ClientCertFile, b.ClientKeyFile, p, r)
	if b.ProxyURL != "" {
		if msg := badProxyURL(b.ProxyURL); msg != "" {
			r.at(p.key("proxy_url"), "%s", msg)
		}
	}
}

// checkRoots checks that the file name, where there is one, holds certificates.
func checkRoots(name string, at *path, r *report) {
	if name == "" {
		return
	}
	pem, err := readBounded(name, maxCertFileBytes)
	switch {
	case err != nil:
		r.at(at, "%s %s", quote(name), err)
	case !x509.NewCertPool().AppendCertsFromPEM(pem):
		r.at(at, "%s holds no PEM certificate", quote(name))
	}
}

// checkClientPair checks the client certificate that the section at p names,
// where it does.
func checkClientPair(certFile, keyFile string, p *path, r *report) {
	if certFile == "" && keyFile == "" {
		return
	}
	checkPair(certFile, keyFile, "client_cert_file", "client_key_file", p, r)
}

// checkPair checks that the files are a certificate and its key. certKey and
// keyKey are their fields in the section at p.
func checkPair(certFile, keyFile, certKey, keyKey string, p *path, r *report) {
	certAt, keyAt := p.key(certKey), p.key(keyKey)
	var cert, key []byte
	var certErr, keyErr error
	if certFile != "" {
		cert, certErr = readBounded(certFile, maxCertFileBytes)
	}
	if keyFile != "" {
		key, keyErr = readBounded(keyFile, maxKeyFileBytes)
	}
	checkSecretFile(certFile, certErr, "with "+keyKey, certAt, r)
	checkSecretFile(keyFile, keyErr, "with "+certKey, keyAt, r)
	if cert == nil || key == nil {
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		// What crypto/tls says names types and algorithms, never contents.
		r.at(certAt, "%s and %s are no pair: %s", quote(certFile), keyKey, strings.TrimPrefix(err.Error(), "tls: "))
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
