// Package corpus makes the keys and tokens that a gateway is tested and measured with.
//
// Keys live as long as the process; nothing here is a secret of anyone, and every personal number starts with 000,
// which no province has.
package corpus

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"time"
)

const (
	// DefaultLifetime is how long a token of [NewToken] is valid.
	DefaultLifetime = 30 * time.Minute
	// DefaultSize is the length of a token of [NewToken], in bytes.
	DefaultSize = 900

	// KindCitizen is the value of the account kind claim for a citizen.
	KindCitizen = "1"
	// KindOrganisation is the value of the account kind claim for an organisation. No list of these values is public:
	// it is an assumption, like all names here.
	KindOrganisation = "2"

	// TypeAccessToken is the "typ" of RFC 9068 section 2.1.
	TypeAccessToken = "at+jwt"
	// TypeJWT is the "typ" that most issuers write.
	TypeJWT = "JWT"
)

// ClaimNames says under which names an issuer states what RFC 7519 has no name for. An empty name leaves its claim out.
type ClaimNames struct {
	AuthorizedParty string
	PersonalNumber  string
	AccountKind     string
	AccountLevel    string
}

// DefaultClaimNames returns the names of a Keycloak-like identity backend.
func DefaultClaimNames() ClaimNames {
	return ClaimNames{
		AuthorizedParty: "azp",
		PersonalNumber:  "preferred_username",
		AccountKind:     "account_type",
		AccountLevel:    "account_level",
	}
}

// Token describes an access token. A field's zero value leaves its claim or header member out; [NewToken] fills them.
// It is a value: change a copy, then Sign it.
type Token struct {
	Type string // "typ" of the header.

	Issuer          string
	Audience        []string // One value is written as a string, several as an array: RFC 7519 section 4.1.3.
	AuthorizedParty string
	Subject         string
	ID              string // "jti".
	SessionID       string // "sid".

	IssuedAt  time.Time // Times are written in whole seconds.
	NotBefore time.Time
	Expires   time.Time
	AuthTime  time.Time

	ACR            string // Authentication level; not the account level.
	PersonalNumber string
	AccountKind    string
	AccountLevel   int

	Names  ClaimNames
	Header map[string]any // Further header members; they win over the above.
	Claims map[string]any // Further claims; they win over the above. A nil value removes a claim.

	// Size is the least length of the compact token in bytes, reached with a claim "padding". The token is at most 20
	// bytes longer, unless it is longer without padding. Zero means no padding.
	Size int
}

// NewToken describes a valid token of a citizen with account level 2, issued now, with a random subject, jti and sid.
// The authorized party is the audience too.
func NewToken(issuer, audience string, now time.Time) Token {
	return Token{
		Type:            TypeAccessToken,
		Issuer:          issuer,
		Audience:        []string{audience},
		AuthorizedParty: audience,
		Subject:         uuid(),
		ID:              uuid(),
		SessionID:       uuid(),
		IssuedAt:        now,
		NotBefore:       now,
		Expires:         now.Add(DefaultLifetime),
		AuthTime:        now,
		ACR:             "1",
		PersonalNumber:  personalNumber(),
		AccountKind:     KindCitizen,
		AccountLevel:    2,
		Names:           DefaultClaimNames(),
		Size:            DefaultSize,
	}
}

// Organisation returns t as a token of an organisation, which has no account level and no personal number.
func (t Token) Organisation() Token {
	t.AccountKind, t.AccountLevel, t.PersonalNumber = KindOrganisation, 0, ""
	return t
}

// Sign returns the compact token, signed by key.
func (t Token) Sign(key *Key) (string, error) {
	header, payload, err := t.encode(key)
	if err != nil {
		return "", err
	}
	return key.SignCompact(header, payload)
}

// encode returns the header that names key, and the padded payload.
func (t Token) encode(key *Key) (header, payload []byte, err error) {
	members := map[string]any{"alg": key.Algorithm()}
	put(members, "kid", key.ID())
	put(members, "typ", t.Type)
	override(members, t.Header)
	if header, err = json.Marshal(members); err != nil {
		return nil, nil, fmt.Errorf("encoding the header: %w", err)
	}

	claims := t.ClaimSet()
	if payload, err = json.Marshal(claims); err != nil {
		return nil, nil, fmt.Errorf("encoding the claims: %w", err)
	}
	missing := t.Size - compactLength(len(header), len(payload), key.signatureLength())
	if missing <= 0 {
		return header, payload, nil
	}
	// base64 writes 3 bytes as 4 characters: RFC 4648 section 4.
	missing = (missing*3+3)/4 - len(`"padding":""`)
	claims["padding"] = strings.Repeat("x", max(missing, 0))
	payload, err = json.Marshal(claims)
	return header, payload, err
}

// ClaimSet returns the claims that [Token.Sign] writes, without padding. The map is the caller's.
func (t Token) ClaimSet() map[string]any {
	claims := map[string]any{}
	put(claims, "iss", t.Issuer)
	switch len(t.Audience) {
	case 0:
	case 1:
		claims["aud"] = t.Audience[0]
	default:
		claims["aud"] = t.Audience
	}
	put(claims, t.Names.AuthorizedParty, t.AuthorizedParty)
	put(claims, "sub", t.Subject)
	put(claims, "jti", t.ID)
	put(claims, "sid", t.SessionID)
	putTime(claims, "iat", t.IssuedAt)
	putTime(claims, "nbf", t.NotBefore)
	putTime(claims, "exp", t.Expires)
	putTime(claims, "auth_time", t.AuthTime)
	put(claims, "acr", t.ACR)
	put(claims, t.Names.PersonalNumber, t.PersonalNumber)
	put(claims, t.Names.AccountKind, t.AccountKind)
	put(claims, t.Names.AccountLevel, t.AccountLevel)
	override(claims, t.Claims)
	return claims
}

func put[V comparable](members map[string]any, name string, value V) {
	var zero V
	if name != "" && value != zero {
		members[name] = value
	}
}

func putTime(members map[string]any, name string, value time.Time) {
	if !value.IsZero() {
		members[name] = value.Unix()
	}
}

func override(members, further map[string]any) {
	maps.Copy(members, further)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
}

func compactLength(header, payload, signature int) int {
	encoded := base64.RawURLEncoding.EncodedLen
	return encoded(header) + 1 + encoded(payload) + 1 + encoded(signature)
}

// uuid returns a random UUID: RFC 9562 section 5.4.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// personalNumber returns 12 digits that belong to nobody.
func personalNumber() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000))
	if err != nil {
		panic("BUG: rand.Reader never fails: " + err.Error())
	}
	return fmt.Sprintf("000%09d", n)
}
