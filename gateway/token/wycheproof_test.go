package token

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wycheproof reads a file of C2SP's Wycheproof vectors, which lie beside the project.
func wycheproof(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "vectors", "wycheproof", name))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the vectors must be there: %v", err)
		}
		t.Skipf("no vectors: %v", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

type jwsVectors struct {
	TestGroups []struct {
		Comment string
		Public  json.RawMessage
		Private json.RawMessage
		Tests   []struct {
			TCID    int `json:"tcId"`
			Comment string
			JWS     json.RawMessage
			Result  string
		}
	}
}

// Valid signatures that are refused: the vectors' PS384 token of RFC 7520 section 4.2 comes with a key whose alg is PS256.
var otherAlgorithmThanTheKeys = map[string]bool{"rfc7520 346": true, "rfc7520WithKeyOps 350": true}

func TestWycheproofSignatures(t *testing.T) {
	t.Parallel()
	var vectors jwsVectors
	wycheproof(t, "json_web_signature_test.json", &vectors)
	runJWSVectors(t, vectors, 300, 30)
}

func TestWycheproofKeys(t *testing.T) {
	t.Parallel()
	var vectors jwsVectors
	wycheproof(t, "json_web_key_test.json", &vectors)
	runJWSVectors(t, vectors, 20, 1)
}

// runJWSVectors verifies each vector's JWS under the key set of its group, by the code that tokens go through. A group
// without a public key is symmetric: all of it must be refused. At least so many vectors must have been refused and
// accepted, lest the reading of the file went wrong.
func runJWSVectors(t *testing.T, vectors jwsVectors, refusals, acceptances int) {
	t.Helper()
	refused, accepted := 0, 0
	for _, group := range vectors.TestGroups {
		document, symmetric := group.Public, false
		if document == nil {
			document, symmetric = group.Private, true
		}
		var probe struct{ Keys json.RawMessage }
		if err := json.Unmarshal(document, &probe); err != nil {
			t.Fatal(err)
		}
		if probe.Keys == nil {
			document = json.RawMessage(`{"keys":[` + string(document) + `]}`)
		}
		if strings.HasPrefix(group.Comment, "rfc7520") {
			// The vectors name the algorithm of their P-521 key ES521, which no specification knows.
			document = json.RawMessage(strings.Replace(string(document), `"ES521"`, `"ES512"`, 1))
		}
		keys, _, _ := ParseKeySet(document, KeySetOptions{})
		for _, test := range group.Tests {
			var raw string
			if json.Unmarshal(test.JWS, &raw) != nil {
				raw = string(test.JWS) // JSON serialisation
			}
			ok := false
			for _, key := range keys {
				ok = ok || provedAlone([]byte(raw), key) == nil
			}
			want := test.Result == "valid" && !symmetric &&
				!otherAlgorithmThanTheKeys[fmt.Sprint(group.Comment, " ", test.TCID)]
			if ok != want {
				t.Errorf("%d %s, %s: accepted %v, want %v (%s)", test.TCID, group.Comment, test.Comment, ok, want, raw)
			}
			if ok {
				accepted++
			} else {
				refused++
			}
		}
	}
	if refused < refusals || accepted < acceptances {
		t.Errorf("only %d refused and %d accepted", refused, accepted)
	}
}

type rawVectors struct {
	TestGroups []struct {
		PublicKeyJWK object `json:"publicKeyJwk"`
		KeyJWK       object `json:"keyJwk"`
		PublicKey    struct{ Uncompressed string }
		Tests        []struct {
			TCID    int `json:"tcId"`
			Comment string
			Flags   []string
			Msg     string
			Sig     string
			Result  string
		}
	}
}

// The raw vectors sign bytes that are no JWS, so they enter where the signature is checked: algorithm.verify.
func TestWycheproofRawSignatures(t *testing.T) {
	t.Parallel()
	for name, alg := range map[string]string{
		"ecdsa_secp256r1_sha256_p1363_test.json": "ES256",
		"ecdsa_secp384r1_sha384_p1363_test.json": "ES384",
		"ecdsa_secp521r1_sha512_p1363_test.json": "ES512",
		"ed25519_test.json":                      "EdDSA",
		"rsa_pss_2048_sha256_mgf1_32_test.json":  "PS256",
		"rsa_signature_2048_sha256_test.json":    "RS256",
	} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			var vectors rawVectors
			wycheproof(t, name, &vectors)
			decided := map[bool]int{}
			for _, group := range vectors.TestGroups {
				jwk := group.PublicKeyJWK
				if jwk == nil {
					jwk = group.KeyJWK
				}
				if jwk == nil { // Points with coordinates at the edges come without a JWK.
					point, err := hex.DecodeString(group.PublicKey.Uncompressed)
					if err != nil || len(point) == 0 {
						t.Fatalf("no public key: %v", err)
					}
					half := 1 + len(point)/2
					jwk = object{
						"kty": "EC", "crv": algorithmNamed(alg).curve.Params().Name,
						"x": b64.EncodeToString(point[1:half]), "y": b64.EncodeToString(point[half:]),
					}
				}
				keys, skipped, err := ParseKeySet(keySet(t, jwk), KeySetOptions{AllowOtherExponents: true})
				if err != nil {
					t.Errorf("key not loaded: %v, %v", err, skipped)
					continue
				}
				for _, test := range group.Tests {
					message, err := hex.DecodeString(test.Msg)
					if err != nil {
						t.Fatal(err)
					}
					signature, err := hex.DecodeString(test.Sig)
					if err != nil {
						t.Fatal(err)
					}
					p := Parsed{algorithm: algorithmNamed(alg), signingInput: message, signature: signature}
					ok := p.provedBy(keys[0]) == nil
					decided[ok]++
					// "acceptable" marks signatures of old formats: to be refused.
					if want := test.Result == "valid"; ok != want {
						t.Errorf("%d %s %v: accepted %v, want %v", test.TCID, test.Comment, test.Flags, ok, want)
					}
				}
			}
			if decided[true] == 0 || decided[false] == 0 {
				t.Errorf("decided %v", decided)
			}
		})
	}
}
