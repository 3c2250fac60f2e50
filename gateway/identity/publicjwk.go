package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"math/big"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// publicJWK lists the members of public keys that were accepted for signatures
// (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2), and no other.
type publicJWK struct {
	KeyType   string `json:"kty"`
	Algorithm string `json:"alg,omitzero"`
	ID        string `json:"kid,omitzero"`
	Modulus   string `json:"n,omitzero"`
	Exponent  string `json:"e,omitzero"`
	Curve     string `json:"crv,omitzero"`
	X         string `json:"x,omitzero"`
	Y         string `json:"y,omitzero"`
}

// publicOf is the inverse of token.ParseKeySet: the same key, bound alike, comes
// of it.
func publicOf(key *token.Key) publicJWK {
	encode := base64.RawURLEncoding.EncodeToString
	j := publicJWK{KeyType: key.Type(), Algorithm: key.Algorithm(), ID: key.ID()}
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		j.Modulus = encode(public.N.Bytes())
		j.Exponent = encode(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		j.Curve = public.Params().Name
		// RFC 7518 section 6.2.1.2: each coordinate has the full size of the
		// curve. A point is 4, x, y.
		if point, err := public.Bytes(); err == nil {
			half := (len(point) - 1) / 2
			j.X, j.Y = encode(point[1:1+half]), encode(point[1+half:])
		}
	case ed25519.PublicKey:
		j.Curve, j.X = "Ed25519", encode(public)
	}
	return j
}
