package config

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// written returns the name of a new file that only the owner can read.
func written(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestOneLineEndAfterASecretIsDropped(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ content, want string }{
		{"0123456789abcdef", "0123456789abcdef"},
		{"0123456789abcdef\n", "0123456789abcdef"},
		{"0123456789abcdef\r\n", "0123456789abcdef"},
		{"abcdefgh01234567==\n", "abcdefgh01234567=="},
	} {
		name := written(t, test.content)
		secret, err := (&Introspection{ClientSecretFile: name}).ClientSecret()
		if string(secret) != test.want || err != nil {
			t.Errorf("secret %q of %q: %v", secret, test.content, err)
		}
		token, err := (&Admin{TokenFile: name}).Token()
		if string(token) != test.want || err != nil {
			t.Errorf("token %q of %q: %v", token, test.content, err)
		}
	}
}

func TestAUnusableSecretIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	const control = "holds a second line, or a character that is not printable ASCII (RFC 6749 appendix A.2)"
	for content, want := range map[string]string{
		"":                               "is empty",
		"\n":                             "is empty",
		"\r\n":                           "is empty",
		"s3cret\n\n":                     control,
		"s3cret\r":                       control,
		"\ufeffs3cret":                   control,
		"s3cret\x7f":                     control,
		strings.Repeat("s3cret-", 4<<10): "has more than 4096 bytes",
	} {
		secret, err := (&Introspection{ClientSecretFile: written(t, content)}).ClientSecret()
		if err == nil || err.Error() != want || secret != nil {
			t.Errorf("%.20q: got %q, %v; want %s", content, secret, err, want)
		}
	}
}

func TestAnUnusableAdminTokenIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	const character = "holds a character that no bearer token has: letters, digits and -._~+/, = at the end (RFC 6750 section 2.1)"
	for content, want := range map[string]string{
		"":                         "holds 0 bytes; at least 16 are needed",
		"0123456789abcde\n":        "holds 15 bytes; at least 16 are needed",
		"s3cret s3cret s3cret":     character,
		"s3cret=s3cret=s3cret":     character,
		"================":         character,
		"s3cret-s3cret\ns3cret":    character,
		"s3cret-s3cret-mật-khẩu":   character,
		strings.Repeat("a", 4097):  "has more than 4096 bytes",
		"0123456789abcdef0123\n\n": character,
	} {
		token, err := (&Admin{TokenFile: written(t, content)}).Token()
		if err == nil || err.Error() != want || token != nil {
			t.Errorf("%.20q: got %q, %v; want %s", content, token, err, want)
		}
	}
}

// pkcs8 writes key as openssl does.
func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAPrivateKeyThatCanSignIsRead(t *testing.T) {
	t.Parallel()
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{
		"P-256":   ecKey(t, elliptic.P256()),
		"P-384":   ecKey(t, elliptic.P384()),
		"P-521":   ecKey(t, elliptic.P521()),
		"RSA":     rsaKey(t, 2048),
		"Ed25519": edKey,
	} {
		n := Introspection{PrivateKeyFile: written(t, "a comment\n"+pkcs8(t, key))}
		got, err := n.PrivateKey()
		if err != nil || !got.(interface{ Equal(crypto.PrivateKey) bool }).Equal(key) {
			t.Errorf("%s: got another key, %v", name, err)
		}
	}
}

func TestAnUnusablePrivateKeyIsRefused(t *testing.T) {
	t.Parallel()
	const form = `does not begin with an unencrypted PKCS #8 key in PEM ("BEGIN PRIVATE KEY"); openssl pkcs8 -topk8 -nocrypt writes one`
	p256 := ecKey(t, elliptic.P256())
	sec1, err := x509.MarshalECPrivateKey(p256)
	if err != nil {
		t.Fatal(err)
	}
	exchange, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, content []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
	}
	for name, test := range map[string]struct{ content, want string }{
		"empty":         {"", form},
		"no PEM":        {"s3cret", form},
		"SEC 1":         {block("EC PRIVATE KEY", sec1), form},
		"encrypted":     {block("ENCRYPTED PRIVATE KEY", sec1), form},
		"certificate 1": {block("CERTIFICATE", nil) + pkcs8(t, p256), form},
		"garbage":       {block("PRIVATE KEY", []byte("s3cret")), "holds a private key that cannot be parsed"},
		"short RSA":     {pkcs8(t, rsaKey(t, 1024)), "holds an RSA key of 1024 bits; at least 2048 are needed"},
		"P-224":         {pkcs8(t, ecKey(t, elliptic.P224())), "holds an ECDSA key on the curve P-224; allowed: P-256, P-384, P-521"},
		"X25519":        {pkcs8(t, exchange), "holds a private key that is neither RSA, ECDSA nor Ed25519"},
		"large":         {strings.Repeat(" ", maxKeyFileBytes+1), "has more than 65536 bytes"},
	} {
		key, err := (&Introspection{PrivateKeyFile: written(t, test.content)}).PrivateKey()
		if err == nil || err.Error() != test.want || key != nil {
			t.Errorf("%s: got %v; want %s", name, err, test.want)
		}
	}
}

func TestAClientCertificateAndItsKeyAreAPair(t *testing.T) {
	t.Parallel()
	mine, other := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P256())
	template := x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, mine.Public(), mine)
	if err != nil {
		t.Fatal(err)
	}
	cert := written(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	for key, faults := range map[*ecdsa.PrivateKey]int{mine: 0, other: 1} {
		r := newReport("x")
		checkBackend(&Backend{ClientCertFile: cert, ClientKeyFile: written(t, pkcs8(t, key))}, nil, r)
		if len(r.list) != faults {
			t.Errorf("got %v, want %d faults", r.list, faults)
		}
	}
}
