package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ErrCredentials means that the gateway's own credentials at an issuer cannot
// be used: they are missing, or of no known kind.
var ErrCredentials = errors.New("identity: client credentials unusable")

// The ways in which the gateway authenticates at an issuer (OpenID Connect Core
// 1.0 section 9).
const (
	ClientSecretBasic = "client_secret_basic"
	ClientSecretPost  = "client_secret_post"
	PrivateKeyJWT     = "private_key_jwt"
)

const (
	minRSABits = 2048
	// assertionLife is short: an assertion is used once, at once. It leaves
	// room for clocks that differ.
	assertionLife = time.Minute
	// assertionType is the client_assertion_type of RFC 7523 section 2.2.
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// ClientAuthConfig says who the gateway is at an issuer.
type ClientAuthConfig struct {
	// Method is ClientSecretBasic, ClientSecretPost or PrivateKeyJWT.
	Method string
	// ClientID is the gateway's client_id. Required.
	ClientID string
	// Secret is the client secret, for the methods with one.
	Secret string
	// PrivateKey is an RSA key of at least 2048 bits (signs RS256), an ECDSA
	// key (ES256, ES384 or ES512 by its curve) or an Ed25519 key (EdDSA). For
	// PrivateKeyJWT.
	PrivateKey crypto.Signer
	// PrivateKeyID is the assertions' kid. "" sends none.
	PrivateKeyID string
	// Audience is the assertions' aud, for PrivateKeyJWT: the issuer's
	// identifier, which every server accepts that follows RFC 7523 section 3,
	// and which no other server can pass off as its own address.
	Audience string
}

// ClientAuth puts the gateway's credentials into requests. It is safe for
// concurrent use, and shows nothing of them when it is printed.
type ClientAuth struct {
	// The credentials are in its closure.
	sign func(form url.Values, header http.Header, now time.Time) error
}

// NewClientAuth checks that the credentials are there and fit. Errors wrap
// ErrCredentials, and say nothing of what they are.
func NewClientAuth(cfg ClientAuthConfig) (*ClientAuth, error) {
	if cfg.ClientID == "" {
		return nil, fmt.Errorf("%w: no client_id", ErrCredentials)
	}
	switch cfg.Method {
	case ClientSecretBasic, ClientSecretPost:
		switch {
		case cfg.Secret == "":
			return nil, fmt.Errorf("%w: no secret", ErrCredentials)
		case cfg.Method == ClientSecretPost:
			return &ClientAuth{sign: secretPost(cfg.ClientID, cfg.Secret)}, nil
		}
		return &ClientAuth{sign: secretBasic(cfg.ClientID, cfg.Secret)}, nil
	case PrivateKeyJWT:
		if cfg.Audience == "" {
			return nil, fmt.Errorf("%w: no audience for assertions", ErrCredentials)
		}
		method := signingMethod(cfg.PrivateKey)
		if method == nil {
			return nil, fmt.Errorf("%w: no algorithm for the private key", ErrCredentials)
		}
		return &ClientAuth{sign: assertion(cfg, method)}, nil
	}
	return nil, fmt.Errorf("%w: unknown method", ErrCredentials)
}

func secretBasic(id, secret string) func(url.Values, http.Header, time.Time) error {
	// RFC 6749 section 2.3.1: both are encoded as form values first.
	pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
	credentials := "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	return func(_ url.Values, header http.Header, _ time.Time) error {
		header.Set("Authorization", credentials)
		return nil
	}
}

func secretPost(id, secret string) func(url.Values, http.Header, time.Time) error {
	return func(form url.Values, _ http.Header, _ time.Time) error {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
		return nil
	}
}

func assertion(cfg ClientAuthConfig, method jwt.SigningMethod) func(url.Values, http.Header, time.Time) error {
	return func(form url.Values, _ http.Header, now time.Time) error {
		// RFC 7523 section 3, items 1 to 4 and 6; jti by OpenID Connect Core
		// 1.0 section 9, once and never again.
		unsigned := jwt.NewWithClaims(method, jwt.MapClaims{
			"iss": cfg.ClientID,
			"sub": cfg.ClientID,
			"aud": cfg.Audience,
			"jti": rand.Text(),
			"iat": now.Unix(),
			"exp": now.Add(assertionLife).Unix(),
		})
		if cfg.PrivateKeyID != "" {
			unsigned.Header["kid"] = cfg.PrivateKeyID
		}
		signed, err := unsigned.SignedString(cfg.PrivateKey)
		if err != nil {
			return fmt.Errorf("%w: signing", ErrCredentials)
		}
		form.Set("client_id", cfg.ClientID)
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", signed)
		return nil
	}
}

// signingMethod chooses the one algorithm for a key.
func signingMethod(key crypto.Signer) jwt.SigningMethod {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		// RFC 7518 section 3.3: 2048 bits or more. RS256 is the algorithm that
		// all servers know (OpenID Connect Core 1.0 section 15.1).
		if key.N.BitLen() >= minRSABits {
			return jwt.SigningMethodRS256
		}
	case *ecdsa.PrivateKey:
		// RFC 7518 section 3.4: each curve has one algorithm.
		switch key.Curve {
		case elliptic.P256():
			return jwt.SigningMethodES256
		case elliptic.P384():
			return jwt.SigningMethodES384
		case elliptic.P521():
			return jwt.SigningMethodES512
		}
	case ed25519.PrivateKey:
		return jwt.SigningMethodEdDSA
	}
	return nil
}
