package corpus

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// DefaultRSABits is the size of the modulus that [NewKey] makes.
const DefaultRSABits = 2048

// Algorithms returns the names of RFC 7518 section 3.1 and RFC 8037 section 3.1 that keys are made for.
func Algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// Key is a key pair bound to one algorithm and one kid. It is immutable and safe for concurrent use.
type Key struct {
	kid     string
	method  jwt.SigningMethod
	private crypto.Signer
	twin    func() (*Key, error)
}

// NewKey makes a fresh key for one of [Algorithms], else [ErrAlgorithm]. RSA keys have [DefaultRSABits] bits.
func NewKey(alg, kid string) (*Key, error) {
	return newKey(alg, kid, DefaultRSABits)
}

// NewRSAKey is [NewKey] with a modulus of the given number of bits, for one of the RS and PS algorithms. Go refuses to
// make keys below 1024 bits.
func NewRSAKey(alg, kid string, bits int) (*Key, error) {
	switch jwt.GetSigningMethod(alg).(type) {
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		return newKey(alg, kid, bits)
	}
	return nil, fmt.Errorf("%w: %q is not of RSA", ErrAlgorithm, alg)
}

func newKey(alg, kid string, bits int) (*Key, error) {
	k := &Key{kid: kid, method: jwt.GetSigningMethod(alg)}
	var err error
	switch k.method.(type) {
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		k.private, err = rsa.GenerateKey(rand.Reader, bits)
	case *jwt.SigningMethodECDSA:
		k.private, err = ecdsa.GenerateKey(curves[alg], rand.Reader)
	case *jwt.SigningMethodEd25519:
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("%w: %q", ErrAlgorithm, alg)
	}
	if err != nil {
		return nil, fmt.Errorf("making a key for %s: %w", alg, err)
	}
	k.twin = sync.OnceValues(func() (*Key, error) { return newKey(alg, kid, bits) })
	return k, nil
}

// ParseKey reads a key that [Key.PrivatePEM] wrote, for one of [Algorithms]. The error is [ErrAlgorithm] where the key
// is not one for alg, or that it is no key; it holds nothing of the key.
func ParseKey(alg, kid string, private []byte) (*Key, error) {
	block, _ := pem.Decode(private)
	if block == nil {
		return nil, errors.New("not a key in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("not a key of PKCS #8")
	}
	k := &Key{kid: kid, method: jwt.GetSigningMethod(alg)}
	bits, fits := DefaultRSABits, false
	switch private := parsed.(type) {
	case *rsa.PrivateKey:
		k.private, bits = private, private.N.BitLen()
		switch k.method.(type) {
		case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
			fits = true
		}
	case *ecdsa.PrivateKey:
		k.private, fits = private, private.Curve == curves[alg]
	case ed25519.PrivateKey:
		k.private = private
		_, fits = k.method.(*jwt.SigningMethodEd25519)
	}
	if !fits {
		return nil, fmt.Errorf("%w: the key is not one for %q", ErrAlgorithm, alg)
	}
	k.twin = sync.OnceValues(func() (*Key, error) { return newKey(alg, kid, bits) })
	return k, nil
}

// RFC 7518 section 3.4: each ECDSA algorithm has one curve.
var curves = map[string]elliptic.Curve{
	"ES256": elliptic.P256(),
	"ES384": elliptic.P384(),
	"ES512": elliptic.P521(),
}

// ID returns the kid.
func (k *Key) ID() string { return k.kid }

// Algorithm returns the name of the algorithm that the key is bound to.
func (k *Key) Algorithm() string { return k.method.Alg() }

// Public returns the public half: *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.private.Public() }

// PrivatePEM returns the private half as PKCS #8 in PEM (RFC 5958, RFC 7468 section 10), as a client that authenticates
// with private_key_jwt reads it from a file.
func (k *Key) PrivatePEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		panic("BUG: a key made here has no PKCS #8 form: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Twin returns another key with the same kid and algorithm: a forger's. It is made at the first call.
func (k *Key) Twin() (*Key, error) { return k.twin() }

// SignCompact signs header and payload as they are, whatever they say, and returns the compact JWS of RFC 7515 section
// 7.1. It is how tokens with duplicate members or a false "alg" are made.
func (k *Key) SignCompact(header, payload []byte) (string, error) {
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := k.method.Sign(input, k.private)
	if err != nil {
		return "", fmt.Errorf("signing with %s: %w", k.Algorithm(), err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// signatureLength returns the length of this key's signatures in bytes, before base64url.
func (k *Key) signatureLength() int {
	switch public := k.Public().(type) {
	case *rsa.PublicKey:
		return public.Size()
	case *ecdsa.PublicKey:
		// RFC 7518 section 3.4: r and s, each of the full size of the curve.
		return 2 * ((public.Params().BitSize + 7) / 8)
	default:
		return ed25519.SignatureSize
	}
}

// JWK is the public half of a key as RFC 7517 section 4 writes it. Members that do not belong to the key type are empty.
type JWK struct {
	KeyType   string `json:"kty"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	ID        string `json:"kid,omitempty"`
	Modulus   string `json:"n,omitempty"`
	Exponent  string `json:"e,omitempty"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
}

// PublicJWK returns the public half, with use, alg and kid.
func (k *Key) PublicJWK() JWK {
	jwk := JWK{Use: "sig", Algorithm: k.Algorithm(), ID: k.kid}
	encode := base64.RawURLEncoding.EncodeToString
	switch public := k.Public().(type) {
	case *rsa.PublicKey:
		jwk.KeyType = "RSA"
		jwk.Modulus = encode(public.N.Bytes())
		jwk.Exponent = encode(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		jwk.KeyType, jwk.Curve = "EC", public.Params().Name
		// RFC 7518 section 6.2.1.2: each coordinate has the full size of the curve. A point is 4, x, y.
		point, err := public.Bytes()
		if err != nil {
			panic("BUG: a key made here is not on its curve: " + err.Error())
		}
		half := (len(point) - 1) / 2
		jwk.X, jwk.Y = encode(point[1:1+half]), encode(point[1+half:])
	case ed25519.PublicKey:
		// RFC 8037 section 2: an Ed25519 key is an octet key pair without y.
		jwk.KeyType, jwk.Curve = "OKP", "Ed25519"
		jwk.X = encode(public)
	}
	return jwk
}

// KeySetJSON returns the key set of RFC 7517 section 5 with the public halves of keys, in that order. Without keys it
// is a set with none.
func KeySetJSON(keys ...*Key) []byte { return PublicKeySetJSON(nil, keys...) }

// PublicKeySetJSON is [KeySetJSON] with the keys of others, of which the public halves are known, before them.
func PublicKeySetJSON(others []JWK, keys ...*Key) []byte {
	set := struct {
		Keys []JWK `json:"keys"`
	}{Keys: append([]JWK{}, others...)}
	for _, k := range keys {
		set.Keys = append(set.Keys, k.PublicJWK())
	}
	raw, err := json.Marshal(set)
	if err != nil {
		panic("BUG: strings do not marshal: " + err.Error())
	}
	return raw
}
