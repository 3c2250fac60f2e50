package token

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
)

// jwk is one JSON Web Key (RFC 7517), its members of the right JSON types.
type jwk struct {
	kty, kid, alg, crv string
	n, e, x, y         string // as written: base64url
}

// privateMembers are those of RFC 7518 sections 6.2.2, 6.3.2 and 6.4 and RFC 8037 section 2 that are not for the public.
var privateMembers = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// readJWK reads a key's members and checks those that say what it is for. The kid is set whenever it is fit to be shown.
func readJWK(doc []byte) (jwk, SkipReason) {
	var d document
	members, err := d.object(doc, nil)
	if err != nil {
		return jwk{}, SkipMalformed
	}
	var j jwk
	var use string
	for _, field := range [...]struct {
		name string
		to   *string
	}{
		{"kid", &j.kid},
		{"kty", &j.kty},
		{"alg", &j.alg},
		{"crv", &j.crv},
		{"use", &use},
	} {
		said, err := text(find(members, field.name))
		if err != nil {
			return j, SkipMalformed
		}
		*field.to = string(said)
	}
	switch j.kty {
	case "RSA", "EC", "OKP":
	case "oct":
		return j, SkipSymmetric
	default:
		return j, SkipKeyType
	}
	for _, name := range privateMembers {
		if find(members, name) != nil {
			return j, SkipPrivate
		}
	}
	// RFC 7517 section 4.2: use is optional.
	if use != "" && use != "sig" {
		return j, SkipUse
	}
	// RFC 7517 section 4.3: and so is key_ops.
	if operations := find(members, "key_ops"); operations != nil {
		if operations[0] != '[' {
			return j, SkipMalformed
		}
		named, err := elements(operations)
		if err != nil {
			return j, SkipMalformed
		}
		if !slices.Contains(named, "verify") {
			return j, SkipOperations
		}
	}
	for _, field := range [...]struct {
		name string
		to   *string
	}{
		{"n", &j.n},
		{"e", &j.e},
		{"x", &j.x},
		{"y", &j.y},
	} {
		value := find(members, field.name)
		if value == nil {
			continue
		}
		if value[0] != '"' {
			return j, SkipMalformed
		}
		*field.to = string(unquote(value))
	}
	return j, ""
}

// key makes a usable Key of it, bound to those of the allowed algorithms that it fits.
func (j *jwk) key(allowed []string, otherExponents bool) (*Key, SkipReason) {
	k := &Key{id: j.kid, algorithm: j.alg, kty: j.kty}
	var reason SkipReason
	var members []string // RFC 7638 section 3.2: the required ones, in lexicographic order.
	switch j.kty {
	case "RSA":
		k.public, reason = rsaPublic(j.n, j.e, otherExponents)
		members = []string{`"e":"`, j.e, `","kty":"RSA","n":"`, j.n}
	case "EC":
		k.public, reason = ecPublic(j.crv, j.x, j.y)
		members = []string{`"crv":"`, j.crv, `","kty":"EC","x":"`, j.x, `","y":"`, j.y}
	default:
		k.public, reason = okpPublic(j.crv, j.x)
		members = []string{`"crv":"`, j.crv, `","kty":"OKP","x":"`, j.x}
	}
	if reason != "" {
		return nil, reason
	}
	// Canonical base64url, and crv from a closed list: nothing in the members needs escaping.
	k.thumbprint = sha256.Sum256([]byte("{" + strings.Join(members, "") + `"}`))
	for i := range algorithms {
		a := &algorithms[i]
		if a.fits(k.public) && (j.alg == "" || j.alg == a.name) && slices.Contains(allowed, a.name) {
			k.algorithms = append(k.algorithms, a)
		}
	}
	if len(k.algorithms) == 0 {
		return nil, SkipAlgorithm
	}
	return k, ""
}

// number decodes a Base64urlUInt or coordinate of size bytes, or of any size where size is 0.
func number(encoded string, size int) ([]byte, bool) {
	if strings.ContainsAny(encoded, "\r\n") { // The standard library's decoder skips them.
		return nil, false
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(decoded) == 0 || (size > 0 && len(decoded) != size) {
		return nil, false
	}
	return decoded, true
}
