package backend

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// maxIssued bounds how many opaque tokens are alive at once, and how many tokens are revoked.
const maxIssued = 1 << 17

// issued is what a backend knows of its tokens. The zero value knows none.
type issued struct {
	mu      sync.Mutex
	opaque  map[string]opaque
	revoked map[[sha256.Size]byte]struct{}
}

// opaque is what an opaque token stands for.
type opaque struct {
	claims  []byte // JSON
	from    time.Time
	expires time.Time // Zero: never.
}

// Opaque returns a fresh opaque token of one of [Accounts]. Errors are [ErrAccount] and [ErrFull].
func (b *Backend) Opaque(account string) (string, error) {
	token, known := b.describe(account)
	if !known {
		return "", fmt.Errorf("%w: %q is no account", ErrAccount, account)
	}
	return b.Issue(token)
}

// Issue returns a fresh opaque token that stands for what token describes, its faults included. It is active from
// NotBefore until Expires. The error is [ErrFull], or that a further claim is not of JSON.
func (b *Backend) Issue(token corpus.Token) (string, error) {
	raw := rand.Text()
	return raw, b.IssueAs(raw, token)
}

// IssueAs is [Backend.Issue] where the opaque token is raw, which may look like anything. It replaces one that is there.
func (b *Backend) IssueAs(raw string, token corpus.Token) error {
	claims, err := json.Marshal(token.ClaimSet())
	if err != nil {
		return fmt.Errorf("encoding the claims: %w", err)
	}
	now := b.now()
	b.issued.mu.Lock()
	defer b.issued.mu.Unlock()
	if len(b.issued.opaque) >= maxIssued {
		maps.DeleteFunc(b.issued.opaque, func(_ string, o opaque) bool { return !o.active(now) })
	}
	if len(b.issued.opaque) >= maxIssued {
		return ErrFull
	}
	if b.issued.opaque == nil {
		b.issued.opaque = map[string]opaque{}
	}
	b.issued.opaque[raw] = opaque{claims: claims, from: token.NotBefore, expires: token.Expires}
	return nil
}

func (o opaque) active(now time.Time) bool {
	return !now.Before(o.from) && (o.expires.IsZero() || now.Before(o.expires))
}

// Revoke makes a token, opaque or a JWT, inactive for good. A token that is not known may be revoked too: RFC 7009
// section 2.2. The error is [ErrFull].
func (b *Backend) Revoke(token string) error {
	b.issued.mu.Lock()
	defer b.issued.mu.Unlock()
	if _, known := b.issued.opaque[token]; known {
		delete(b.issued.opaque, token)
		return nil
	}
	if len(b.issued.revoked) >= maxIssued {
		return ErrFull
	}
	if b.issued.revoked == nil {
		b.issued.revoked = map[[sha256.Size]byte]struct{}{}
	}
	b.issued.revoked[sha256.Sum256([]byte(token))] = struct{}{}
	return nil
}

// active returns the claims of a token that is active, else nil.
func (b *Backend) active(token string) map[string]any {
	b.issued.mu.Lock()
	known, found := b.issued.opaque[token]
	_, revoked := b.issued.revoked[sha256.Sum256([]byte(token))]
	b.issued.mu.Unlock()
	switch {
	case revoked:
		return nil
	case found && known.active(b.now()):
		claims := map[string]any{}
		if err := json.Unmarshal(known.claims, &claims); err != nil {
			panic("BUG: claims were not stored as JSON: " + err.Error())
		}
		return claims
	case found:
		return nil
	}
	return b.activeJWT(token)
}

// activeJWT returns the claims of a JWT that a current key signed and whose times are right, else nil.
func (b *Backend) activeJWT(token string) map[string]any {
	keys, claims := b.keys.Load().signing, jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		i := indexOf(keys, kid)
		if i < 0 || keys[i].Algorithm() != t.Method.Alg() {
			return nil, errNotOurs
		}
		return keys[i].Public(), nil
	}, jwt.WithValidMethods(corpus.Algorithms()), jwt.WithIssuer(b.issuer), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(b.now), jwt.WithJSONNumber())
	if err != nil {
		return nil
	}
	delete(claims, "padding")
	return claims
}

var errNotOurs = errors.New("signed by no current key")
