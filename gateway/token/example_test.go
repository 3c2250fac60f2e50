package token_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// source is the simplest KeySource: a list.
type source []*token.Key

func (s source) Key(kid, alg string) (*token.Key, error) {
	for _, k := range s {
		if k.ID() == kid && k.Serves(alg) {
			return k, nil
		}
	}
	return nil, token.ErrKeyUnknown
}

// A token is parsed, its issuer's verifier is chosen by the unverified iss, and then it is verified.
func Example() {
	// An identity backend: its published keys, and a token that it made.
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	x := base64.RawURLEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	published := `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"2024","use":"sig","x":"` + x + `"},{"kty":"oct","k":"AA"}]}`
	made := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss": "https://sso.example.vn", "aud": "tthc", "sub": "f81d4fae", "exp": 1_719_766_800,
		"accountType": "1", "accountLevel": 2,
	})
	made.Header["kid"] = "2024"
	raw, err := made.SignedString(private)
	if err != nil {
		fmt.Println(err)
		return
	}

	keys, skipped, err := token.ParseKeySet([]byte(published), token.KeySetOptions{Algorithms: []string{"EdDSA"}})
	fmt.Println(len(keys), "key,", "skipped:", skipped[0].Reason, err)
	verifier, err := token.NewVerifier(token.Profile{
		Issuer: "https://sso.example.vn", Algorithms: []string{"EdDSA"}, Audience: []string{"tthc"},
		KindClaim: "accountType", KindMap: map[string]token.Kind{"1": token.KindCitizen}, LevelClaim: "accountLevel",
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	parsed, err := token.Parse([]byte(raw))
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(1_719_766_799, 0)
	verified, err := verifier.Verify(&parsed, source(keys), now)
	fmt.Println(verified.Claims.Kind, verified.Claims.Level, verified.Key.ID(), err)
	_, err = verifier.Verify(&parsed, source(keys), now.Add(time.Second))
	fmt.Println(errors.Is(err, token.ErrExpired), err)

	// Output:
	// 1 key, skipped: symmetric <nil>
	// citizen 2 2024 <nil>
	// true token: expired
}
