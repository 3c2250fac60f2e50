package token

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// read normalises a parsed token's claims and checks all of them but the signature.
func (v *Verifier) read(p *Parsed, now time.Time) (*Claims, error) {
	c := &Claims{Issuer: v.profile.Issuer} // Equal to iss, and shared by all claims of the issuer.
	for _, d := range [...]struct {
		name string
		to   *int64
		up   bool // Each date is rounded towards refusal.
	}{
		{"exp", &c.ExpiresAt, false},
		{"nbf", &c.NotBefore, true},
		{"iat", &c.IssuedAt, true},
		{"auth_time", &c.AuthTime, false},
	} {
		var err error
		if *d.to, err = date(find(p.claims, d.name), d.up); err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
	}
	if err := v.validation.check(p, c, now); err != nil {
		return nil, err
	}
	if err := c.readStrings(p.claims); err != nil {
		return nil, err
	}
	c.readKind(p.claims, &v.profile)
	c.readLevel(p.claims, &v.profile)
	return c, nil
}

// readStrings copies the string claims, all into one piece of memory: claims live long, in great numbers.
func (c *Claims) readStrings(members []member) error {
	fields := [...]struct {
		name string
		to   *string
		said []byte
	}{
		{name: "sub", to: &c.Subject},
		{name: "jti", to: &c.TokenID},
		{name: "sid", to: &c.SessionID},
		{name: "acr", to: &c.ACR},
		{name: "client_id", to: &c.ClientID},
		{name: "azp", to: &c.ClientID}, // OpenID Connect Core section 2: the authorised party, where there is one.
	}
	size := 0
	for i := range fields {
		said, err := text(find(members, fields[i].name))
		if err != nil {
			return fmt.Errorf("%s: %w", fields[i].name, err)
		}
		fields[i].said = said
		size += len(said)
	}
	var all strings.Builder
	all.Grow(size)
	for _, f := range fields {
		all.Write(f.said)
	}
	rest := all.String()
	for _, f := range fields {
		if len(f.said) > 0 {
			*f.to = rest[:len(f.said)]
		}
		rest = rest[len(f.said):]
	}
	return nil
}

// readKind sets the account kind by the profile.
func (c *Claims) readKind(members []member, p *Profile) {
	c.Kind = p.KindDefault
	if p.KindClaim == "" {
		return
	}
	value := find(members, p.KindClaim)
	if value == nil {
		return
	}
	c.Kind, c.KindUnmapped = KindUnknown, true
	code, ok := scalar(value)
	if !ok {
		return
	}
	kind, known := p.KindMap[string(code)]
	if p.KindMap == nil {
		var err error
		kind, err = ParseKind(string(code))
		known = err == nil
	}
	if known {
		c.Kind, c.KindUnmapped = kind, false
	}
}

// readLevel sets the account level by the profile.
func (c *Claims) readLevel(members []member, p *Profile) {
	if p.LevelClaim == "" {
		return
	}
	value := find(members, p.LevelClaim)
	if value == nil {
		return
	}
	c.LevelUnmapped = true
	code, ok := scalar(value)
	if !ok {
		return
	}
	level, known := p.LevelMap[string(code)]
	if p.LevelMap == nil {
		n, err := strconv.ParseUint(string(code), 10, 8)
		level, known = uint8(n), err == nil
	}
	if known {
		c.Level, c.LevelUnmapped = level, false
	}
}

// scalar returns what a code list can name: a string's content, a number or boolean as written. Not null: a backend
// that says "no value" has not said one that an operator could have listed.
func scalar(value []byte) (code []byte, ok bool) {
	switch value[0] {
	case '"':
		return unquote(value), true
	case '{', '[', 'n':
		return nil, false
	default:
		return value, true
	}
}
