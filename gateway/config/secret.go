package config

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const (
	maxSecretFileBytes = 4 << 10
	maxKeyFileBytes    = 64 << 10
	minTokenBytes      = 16
	minRSABits         = 2048
	fleetSecretBytes   = 32
)

// Token reads the admin token from TokenFile, which must not be "". The slice
// is the caller's. Its errors name neither the file nor anything in it.
func (a *Admin) Token() ([]byte, error) {
	token, err := readLine(a.TokenFile)
	switch {
	case err != nil:
		return nil, err
	case len(token) < minTokenBytes:
		return nil, fmt.Errorf("holds %d bytes; at least %d are needed", len(token), minTokenBytes)
	case !isBearerToken(string(token)):
		return nil, errors.New("holds a character that no bearer token has: letters, digits and -._~+/, = at the end (RFC 6750 section 2.1)")
	}
	return token, nil
}

// ClientSecret reads the secret from ClientSecretFile, which must not be "".
// The slice is the caller's. Its errors name neither the file nor anything in
// it.
func (n *Introspection) ClientSecret() ([]byte, error) {
	secret, err := readLine(n.ClientSecretFile)
	switch {
	case err != nil:
		return nil, err
	case len(secret) == 0:
		return nil, errors.New("is empty")
	case !isPrintable(string(secret)):
		return nil, errors.New("holds a second line, or a character that is not printable ASCII (RFC 6749 appendix A.2)")
	}
	return secret, nil
}

// PrivateKey reads the key from PrivateKeyFile, which must not be "". It is an
// *[rsa.PrivateKey] of at least 2048 bits, an *[ecdsa.PrivateKey] on P-256,
// P-384 or P-521, or an [ed25519.PrivateKey]. Its errors name neither the file
// nor anything in it.
func (n *Introspection) PrivateKey() (crypto.Signer, error) {
	data, err := readBounded(n.PrivateKeyFile, maxKeyFileBytes)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" || len(block.Headers) > 0 {
		return nil, errors.New(`does not begin with an unencrypted PKCS #8 key in PEM ("BEGIN PRIVATE KEY"); openssl pkcs8 -topk8 -nocrypt writes one`)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("holds a private key that cannot be parsed")
	}
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		// RFC 7518 sections 3.3 and 3.5: 2048 bits or more.
		if bits := key.N.BitLen(); bits < minRSABits {
			return nil, fmt.Errorf("holds an RSA key of %d bits; at least %d are needed", bits, minRSABits)
		}
		return key, nil
	case *ecdsa.PrivateKey:
		switch key.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return key, nil
		}
		return nil, fmt.Errorf("holds an ECDSA key on the curve %s; allowed: P-256, P-384, P-521", key.Curve.Params().Name)
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, errors.New("holds a private key that is neither RSA, ECDSA nor Ed25519")
}

// Secret reads the secret from SecretFile, which must not be "". Its errors name
// neither the file nor anything in it.
func (v *Revocation) Secret() ([]byte, error) {
	text, err := readLine(v.SecretFile)
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(string(text))
	if err != nil || len(secret) != fleetSecretBytes {
		return nil, fmt.Errorf("does not hold %d hexadecimal digits; openssl rand -hex %d makes them", 2*fleetSecretBytes, fleetSecretBytes)
	}
	return secret, nil
}

// readLine returns the content of a file of secrets without the line end that
// editors leave at its end.
func readLine(name string) ([]byte, error) {
	data, err := readBounded(name, maxSecretFileBytes)
	if err != nil {
		return nil, err
	}
	if line, ok := bytes.CutSuffix(data, []byte("\n")); ok {
		data = bytes.TrimSuffix(line, []byte("\r"))
	}
	return data, nil
}

// isPrintable tells whether s is *VSCHAR (RFC 6749 appendix A).
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// isBearerToken tells whether s is a b64token (RFC 6750 section 2.1).
func isBearerToken(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte("-._~+/", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}
