package token

import (
	"strings"
	"time"
)

// Compact is Claims for keeping by the hundred thousand: what a garbage collection has to look at for each is one string
// instead of six. Immutable and safe for concurrent use. The zero Compact is that of no token: it has expired.
type Compact struct {
	issuer string // shared with all of the issuer's
	said   string // the other strings, one behind the other
	ends   [compactStrings]uint32
	status StatusReference

	expiresAt, notBefore, issuedAt, authTime int64

	kind                        Kind
	level                       uint8
	kindUnmapped, levelUnmapped bool
}

// compactStrings is how many strings stand in said.
const compactStrings = 5

// Compact returns the claims for keeping. It holds no reference to c, and allocates once.
func (c *Claims) Compact() Compact {
	said := [compactStrings]string{c.Subject, c.TokenID, c.SessionID, c.ClientID, c.ACR}
	k := Compact{
		issuer: c.Issuer, status: c.Status,
		expiresAt: c.ExpiresAt, notBefore: c.NotBefore, issuedAt: c.IssuedAt, authTime: c.AuthTime,
		kind: c.Kind, level: c.Level, kindUnmapped: c.KindUnmapped, levelUnmapped: c.LevelUnmapped,
	}
	end := 0
	for i, s := range said {
		end += len(s)
		k.ends[i] = uint32(end)
	}
	k.said = strings.Join(said[:], "")
	return k
}

// Expand returns the claims that were kept. The strings are k's. It does not allocate.
func (k *Compact) Expand() Claims {
	return Claims{
		Issuer:    k.issuer,
		Subject:   k.said[:k.ends[0]],
		TokenID:   k.said[k.ends[0]:k.ends[1]],
		SessionID: k.said[k.ends[1]:k.ends[2]],
		ClientID:  k.said[k.ends[2]:k.ends[3]],
		ACR:       k.said[k.ends[3]:k.ends[4]],
		ExpiresAt: k.expiresAt, NotBefore: k.notBefore, IssuedAt: k.issuedAt, AuthTime: k.authTime,
		Status: k.status,
		Kind:   k.kind, Level: k.level, KindUnmapped: k.kindUnmapped, LevelUnmapped: k.levelUnmapped,
	}
}

// ValidAt is that of the claims.
func (k *Compact) ValidAt(now time.Time, leeway time.Duration) error {
	return validAt(k.expiresAt, k.notBefore, now, leeway)
}

// Bytes is how much memory the claims refer to that is theirs alone. The issuer's name is shared; so is the name of a
// status list, as a rule, but it is counted all the same: an issuer may give each token a list of its own.
func (k *Compact) Bytes() int64 { return int64(len(k.said) + len(k.status.URI())) }
