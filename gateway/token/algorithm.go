package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// algorithm is one signature algorithm of RFC 7518 section 3.1 or RFC 8037 section 3.1, with everything that a key
// must be to serve it.
type algorithm struct {
	name   string
	kty    string
	curve  elliptic.Curve // EC only
	method jwt.SigningMethod
}

// algorithms is the whole list. HMAC is not in it: a gateway that could verify one could also forge it. Nor is none.
var algorithms = [...]algorithm{
	{name: "RS256", kty: "RSA", method: jwt.SigningMethodRS256},
	{name: "RS384", kty: "RSA", method: jwt.SigningMethodRS384},
	{name: "RS512", kty: "RSA", method: jwt.SigningMethodRS512},
	{name: "PS256", kty: "RSA", method: strictPSS(jwt.SigningMethodPS256)},
	{name: "PS384", kty: "RSA", method: strictPSS(jwt.SigningMethodPS384)},
	{name: "PS512", kty: "RSA", method: strictPSS(jwt.SigningMethodPS512)},
	{name: "ES256", kty: "EC", curve: elliptic.P256(), method: jwt.SigningMethodES256},
	{name: "ES384", kty: "EC", curve: elliptic.P384(), method: jwt.SigningMethodES384},
	{name: "ES512", kty: "EC", curve: elliptic.P521(), method: jwt.SigningMethodES512},
	{name: "EdDSA", kty: "OKP", method: jwt.SigningMethodEdDSA},
}

// strictPSS returns the method with a salt exactly as long as the hash (RFC 7518 section 3.5); golang-jwt itself takes
// any length.
func strictPSS(m *jwt.SigningMethodRSAPSS) jwt.SigningMethod {
	return &jwt.SigningMethodRSAPSS{
		SigningMethodRSA: m.SigningMethodRSA,
		Options:          m.Options,
		VerifyOptions:    &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash},
	}
}

// SupportedAlgorithms returns the names of all algorithms that the package can verify, in a new slice.
func SupportedAlgorithms() []string {
	names := make([]string, len(algorithms))
	for i := range algorithms {
		names[i] = algorithms[i].name
	}
	return names
}

// algorithmNamed returns the algorithm with that exact name (RFC 7515 section 4.1.1: case-sensitive), nil if there is
// none.
func algorithmNamed[T string | []byte](name T) *algorithm {
	i := slices.IndexFunc(algorithms[:], func(a algorithm) bool { return a.name == string(name) })
	if i < 0 {
		return nil
	}
	return &algorithms[i]
}

// fits reports whether a key of that type and curve can serve the algorithm.
func (a *algorithm) fits(public crypto.PublicKey) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return a.kty == "RSA" && k != nil
	case *ecdsa.PublicKey:
		return a.kty == "EC" && k != nil && k.Curve == a.curve
	case ed25519.PublicKey:
		return a.kty == "OKP" && len(k) == ed25519.PublicKeySize
	}
	return false
}

// signatureSize returns the only length in bytes that a signature under the key can have.
func (a *algorithm) signatureSize(public crypto.PublicKey) int {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return k.Size() // RFC 8017 sections 8.1.2 and 8.2.2: k octets, not one less.
	case *ecdsa.PublicKey:
		return 2 * ((k.Curve.Params().BitSize + 7) / 8) // RFC 7518 section 3.4: R || S, full length.
	default:
		return ed25519.SignatureSize // RFC 8032 section 5.1.6.
	}
}

// verify checks a signature over the signing input. The caller has made sure that the algorithm fits the key.
func (a *algorithm) verify(signingInput string, signature []byte, public crypto.PublicKey) error {
	if len(signature) != a.signatureSize(public) {
		return fmt.Errorf("%w: wrong length", ErrSignature)
	}
	if err := a.method.Verify(signingInput, signature, public); err != nil {
		return ErrSignature
	}
	return nil
}
