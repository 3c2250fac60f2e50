package token

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// IsCompactJWS reports whether raw has the shape of a compact JWS: three segments, none of them empty, between exactly
// two dots. It tells tokens that can be parsed from those that only their issuer can read, and says nothing else about
// either. It looks no further than the third dot, and does not allocate.
func IsCompactJWS(raw []byte) bool {
	// RFC 7515 section 3.1: header, payload and signature, separated by dots. A JWE has four of them (RFC 7516 section 3.1).
	header, rest, first := bytes.Cut(raw, []byte{'.'})
	payload, signature, second := bytes.Cut(rest, []byte{'.'})
	return first && second && len(header) > 0 && len(payload) > 0 && len(signature) > 0 &&
		bytes.IndexByte(signature, '.') < 0
}

// HasJOSEHeader reports whether raw begins with the header of a JWS, however badly the rest of it, or the header itself,
// is made: everything before the first dot is base64url of a JSON object, in any spelling that some decoder would take.
// It tells a JWT that Parse refuses, which is final, from a token that merely has two dots, and says nothing else about
// either. It allocates.
func HasJOSEHeader(raw []byte) bool {
	if len(raw) > MaxTokenBytes {
		return false
	}
	header, _, _ := bytes.Cut(raw, []byte{'.'})
	// More generous than RFC 7515 section 2 on purpose: padding, line breaks, unused bits and the other alphabet.
	header = bytes.Map(func(r rune) rune {
		switch r {
		case '+':
			return '-'
		case '/':
			return '_'
		}
		return r
	}, bytes.TrimRight(header, "="))
	text, err := base64.RawURLEncoding.AppendDecode(nil, header)
	value := jsontext.Value(text)
	return err == nil && value.Kind() == jsontext.KindBeginObject &&
		value.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// Introspected turns an issuer's answer about a token (RFC 7662 section 2.2) into claims, under the rules that hold for
// a JWT of that issuer: strict JSON in the same bounds, names, maps, audience and dates. The Key of what it returns is
// nil: that the issuer itself was asked, over an authenticated connection, is all the proof.
//
// An answer without exp is good until now + maxAge, in whole seconds; with a maxAge below a second such an answer is
// refused. Nothing in an answer says which token it is about: the caller relies on the issuer to answer what was asked.
// answer is not kept, and what it says of a status list is not followed: it is itself the issuer's word on the status.
//
// Errors: ErrInactive; ErrTooLarge and ErrMalformed where it is no answer at all; and, about a token that is active
// but not for us or not now, ErrType, ErrIssuer and all from ErrExpired to ErrClaimInvalid.
func (v *Verifier) Introspected(answer []byte, maxAge time.Duration, now time.Time) (Verified, error) {
	doc := documents.Get().(*document)
	defer doc.release()
	members, err := active(doc, answer)
	if err != nil {
		return Verified{}, err
	}
	if err := v.answered(members); err != nil {
		return Verified{}, err
	}
	// RFC 7662 section 2.2: exp is optional. What is believed without it is as old as it may get.
	if find(members, "exp") == nil && maxAge >= time.Second {
		until := strconv.AppendInt(nil, now.Add(maxAge).Unix(), 10)
		members = append(members, member{name: []byte("exp"), value: until})
	}
	claims, err := v.read(&Parsed{Issuer: v.profile.Issuer, claims: members}, now)
	if err != nil {
		return Verified{}, err
	}
	return Verified{Claims: claims}, nil
}

// Confirmed holds an issuer's answer about a JWT against what the JWT says and Verify has found true. Only active is
// required of the answer; iss, sub and jti must be those of the JWT where they are told. An exp that is earlier than the
// JWT's counts in its place. What it returns has the Key of verified. answer is not kept.
//
// Errors: as Introspected, where ErrClaimInvalid is also an answer about another token.
func (v *Verifier) Confirmed(answer []byte, verified Verified, now time.Time) (Verified, error) {
	doc := documents.Get().(*document)
	defer doc.release()
	members, err := active(doc, answer)
	if err != nil {
		return Verified{}, err
	}
	if err := v.answered(members); err != nil {
		return Verified{}, err
	}
	for _, same := range [...]struct{ name, want string }{
		{"sub", verified.Claims.Subject},
		{"jti", verified.Claims.TokenID},
	} {
		said, err := text(find(members, same.name))
		if err != nil {
			return Verified{}, fmt.Errorf("%s: %w", same.name, err)
		}
		if said != nil && string(said) != same.want {
			return Verified{}, fmt.Errorf("%s: %w: of another token", same.name, ErrClaimInvalid)
		}
	}
	exp := find(members, "exp")
	until, err := date(exp, false)
	if err != nil {
		return Verified{}, fmt.Errorf("exp: %w", err)
	}
	if exp != nil && until < verified.Claims.ExpiresAt {
		claims := *verified.Claims
		claims.ExpiresAt = until
		verified.Claims = &claims
	}
	if err := verified.Claims.ValidAt(now, v.profile.Leeway); err != nil {
		return Verified{}, err
	}
	return verified, nil
}

// active reads an introspection answer and returns its members, ErrInactive where the issuer vouches for nothing.
func active(doc *document, answer []byte) ([]member, error) {
	if len(answer) > MaxTokenBytes {
		return nil, ErrTooLarge
	}
	members, err := doc.object(answer, make([]member, 0, 24))
	if err != nil {
		return nil, err
	}
	// RFC 7662 section 2.2: active is required, and a boolean.
	switch string(find(members, "active")) {
	case "true":
		return members, nil
	case "false":
		return nil, ErrInactive
	}
	return nil, fmt.Errorf("%w: active", ErrMalformed)
}

// answered checks what an answer says about itself.
func (v *Verifier) answered(members []member) error {
	issuer, err := text(find(members, "iss"))
	if err != nil {
		return fmt.Errorf("iss: %w", err)
	}
	// RFC 7662 section 2.2: iss is optional, for it is the issuer who was asked.
	if issuer != nil && string(issuer) != v.profile.Issuer {
		return ErrIssuer
	}
	kind, err := text(find(members, "token_type"))
	if err != nil {
		return fmt.Errorf("token_type: %w", err)
	}
	// RFC 6749 section 5.1: compared without case. A token of another type is worth nothing without its proof (RFC 9449).
	if kind != nil && !strings.EqualFold(string(kind), "Bearer") {
		return ErrType
	}
	return nil
}
