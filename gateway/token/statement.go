package token

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxStatementBytes is the length that no statement may exceed, however generous its rules.
const MaxStatementBytes = 16 << 20

// StatementRules is what a statement must be: a signed JWT by which an issuer tells something, and which lets nobody in.
// Security Event Tokens (RFC 8417), logout tokens (OpenID Connect Back-Channel Logout 1.0) and status list tokens are
// statements.
type StatementRules struct {
	// Types are the header's typ values that are accepted, as in Profile.Types. Required. None may be at+jwt, nor one
	// that the issuer's access tokens have, save JWT and "" (no typ): these two tell nothing from anything, and need a
	// claim in Require that no access token has: events or status_list.
	Types []string
	// MaxBytes is the length of the longest statement, as sent. Optional. Defaults to MaxTokenBytes. Up to
	// MaxStatementBytes. Verifying takes up to three times that in memory.
	MaxBytes int
	// Audience are the audiences that are ours; aud must name at least one. Nil leaves aud unchecked.
	Audience []string
	// Require are the claims that must be there, neither null nor ""; events and status_list must be objects. iat is
	// always required.
	Require []string
	// IssuerOptional accepts statements without iss: the keys alone then say whose they are. Only for statements that
	// were asked for at an address of the issuer's (Token Status List section 5.1 does not have iss).
	IssuerOptional bool
	// ExpiryRequired refuses statements without exp. Where exp is told it is always checked.
	ExpiryRequired bool
	// MaxAge is the longest that iat may lie back, leeway not counted. 0 means any.
	MaxAge time.Duration
}

// Statement is a statement that passed. It is immutable, safe for concurrent use, and holds no reference to the bytes
// that were verified.
//
// Every string is at most MaxStringBytes long, valid UTF-8 and free of control characters; "" means absent.
// Every date is in seconds since the Unix epoch; 0 means absent.
type Statement struct {
	// Type is the header's typ in lower case, without a prefix "application/".
	Type string
	// Issuer is the profile's issuer, which iss is, byte for byte, where it is told.
	Issuer string
	// TokenID is jti.
	TokenID string
	// Subject is sub.
	Subject string
	// IssuedAt is iat, rounded up. Never in the future by more than the profile's leeway.
	IssuedAt int64
	// ExpiresAt is exp, rounded down.
	ExpiresAt int64
	// Key is the key that proves the statement. Who keeps the statement asks it whether it is Withdrawn.
	Key *Key

	claims []member
}

// Claim returns the value of the top-level claim with exactly that name, as JSON: of valid syntax and UTF-8, without
// duplicate names at any depth, and within the limits of a token in depth and count, though not in length. Nil where
// there is none. The caller must not change it.
func (s *Statement) Claim(name string) []byte { return find(s.claims, name) }

// Text returns what the claim of that name says, "" where there is none. ErrClaimInvalid where it is no string, is longer
// than MaxStringBytes, or has control characters.
func (s *Statement) Text(name string) (string, error) {
	said, err := text(find(s.claims, name))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(said), nil
}

// Date returns the NumericDate of the claim of that name in seconds since the Unix epoch, rounded up; 0 where there is
// none. ErrClaimInvalid where it is no plain decimal number from 0 to 2^53.
func (s *Statement) Date(name string) (int64, error) {
	at, err := date(find(s.claims, name), true)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return at, nil
}

// Statement decides whether raw is a statement of the issuer under the rules, proved by one of its keys, and in force
// now. The profile gives issuer, algorithms and leeway; its types and audience are those of access tokens and do not
// count. As with Verify, whatever can be refused without proof is refused before the signature is looked at, and nothing
// is accepted before it. raw is not kept.
//
// Errors: all of the taxonomy from ErrTooLarge to ErrClaimInvalid, save ErrLifetime and ErrInactive; ErrExpired also
// where the statement is older than MaxAge; ErrProfile where the rules themselves are unsound, as Check tells
// beforehand; and what keys returned.
func (v *Verifier) Statement(raw []byte, keys KeySource, rules StatementRules, now time.Time) (Statement, error) {
	if err := v.Check(rules); err != nil {
		return Statement{}, err
	}
	limit := rules.MaxBytes
	if limit == 0 {
		limit = MaxTokenBytes
	}
	p, err := parse(raw, limit)
	if err != nil {
		return Statement{}, err
	}
	// RFC 8725 section 3.1: only algorithms that the issuer was configured with.
	if !slices.Contains(v.algorithms, p.algorithm) {
		return Statement{}, ErrAlgorithm
	}
	// RFC 8725 section 3.11: explicit typing keeps access tokens, and statements of other kinds, out.
	if !typeAllowed(statementTypes(rules.Types), p.typ) {
		return Statement{}, ErrType
	}
	// RFC 8725 section 3.8: the keys that are asked below belong to this issuer and no other.
	switch {
	case p.Issuer == "" && find(p.claims, "iss") == nil && rules.IssuerOptional:
	case p.Issuer == "":
		return Statement{}, fmt.Errorf("iss: %w", ErrClaimMissing)
	case p.Issuer != v.profile.Issuer:
		return Statement{}, ErrIssuer
	}
	s, err := v.readStatement(&p, &rules, now)
	if err != nil {
		return Statement{}, err
	}
	if s.Key, err = keys.Key(p.KeyID, p.algorithm.name); err != nil {
		return Statement{}, err
	}
	if err := p.provedBy(s.Key); err != nil {
		return Statement{}, err
	}
	return s, nil
}

// Check returns an error that wraps ErrProfile where the rules are out of range, or would let an access token of the
// issuer pass as a statement or the other way round.
func (v *Verifier) Check(rules StatementRules) error {
	types := statementTypes(rules.Types)
	switch {
	case len(types) == 0:
		return fmt.Errorf("%w: no statement types", ErrProfile)
	case rules.MaxBytes < 0 || rules.MaxBytes > MaxStatementBytes:
		return fmt.Errorf("%w: a statement may have at most %d bytes", ErrProfile, MaxStatementBytes)
	case rules.MaxAge < 0:
		return fmt.Errorf("%w: maximum age is negative", ErrProfile)
	case rules.Audience != nil && (len(rules.Audience) == 0 || slices.Contains(rules.Audience, "")):
		return fmt.Errorf("%w: an audience is empty", ErrProfile)
	}
	for _, t := range types {
		implicit := t == "jwt" || t == ""
		switch {
		case implicit && !slices.ContainsFunc(rules.Require, statementClaim):
			return fmt.Errorf("%w: a statement without a type of its own needs a claim of its own", ErrProfile)
		case !implicit && (t == "at+jwt" || slices.Contains(v.profile.Types, t)):
			return fmt.Errorf("%w: a type is both an access token's and a statement's", ErrProfile)
		}
	}
	return nil
}

// statementClaims are top-level claims that make a JWT a statement, whatever its typ says: what happened (RFC 8417
// section 2.2, OpenID Connect Back-Channel Logout 1.0 section 2.4), and a list of statuses.
var statementClaims = [...]string{"events", "status_list"}

func statementClaim(name string) bool { return slices.Contains(statementClaims[:], name) }

// isStatement reports whether a JWT has a claim that makes it a statement, which is an object.
func isStatement(members []member) bool {
	for _, name := range statementClaims {
		if value := find(members, name); value != nil && value[0] == '{' {
			return true
		}
	}
	return false
}

// statementTypes returns types in lower case and without prefix, in a new slice.
func statementTypes(types []string) []string {
	plain := make([]string, len(types))
	for i, t := range types {
		plain[i] = strings.ToLower(string(withoutPrefix([]byte(t))))
	}
	return plain
}

// readStatement checks all of a statement but type, issuer and signature.
func (v *Verifier) readStatement(p *Parsed, rules *StatementRules, now time.Time) (Statement, error) {
	s := Statement{
		Type:   string(bytes.ToLower(withoutPrefix(p.typ))),
		Issuer: v.profile.Issuer,
		claims: p.claims,
	}
	for _, name := range rules.Require {
		value := s.Claim(name)
		switch string(value) {
		case "", "null", `""`:
			return Statement{}, fmt.Errorf("%s: %w", name, ErrClaimMissing)
		}
		if statementClaim(name) && value[0] != '{' {
			return Statement{}, fmt.Errorf("%s: %w", name, ErrClaimInvalid)
		}
	}
	if err := v.dates(&s, rules, now); err != nil {
		return Statement{}, err
	}
	if rules.Audience != nil {
		named, err := audience(s.claims, defaultAudienceClaims)
		if err != nil {
			return Statement{}, err
		}
		// RFC 7519 section 4.1.3: refuse what is meant for others.
		if !slices.ContainsFunc(named, func(aud string) bool { return slices.Contains(rules.Audience, aud) }) {
			return Statement{}, ErrAudience
		}
	}
	var err error
	if s.TokenID, err = s.Text("jti"); err != nil {
		return Statement{}, err
	}
	if s.Subject, err = s.Text("sub"); err != nil {
		return Statement{}, err
	}
	return s, nil
}

// dates checks exp, nbf and iat, and sets those that the statement keeps. Each is rounded towards refusal.
func (v *Verifier) dates(s *Statement, rules *StatementRules, now time.Time) error {
	exp := s.Claim("exp")
	if exp == nil && rules.ExpiryRequired {
		return fmt.Errorf("exp: %w", ErrClaimMissing)
	}
	var err error
	if s.ExpiresAt, err = date(exp, false); err != nil {
		return fmt.Errorf("exp: %w", err)
	}
	// RFC 7519 section 4.1.4: refuse when now >= exp + leeway.
	if exp != nil && !now.Before(time.Unix(s.ExpiresAt, 0).Add(v.profile.Leeway)) {
		return ErrExpired
	}
	notBefore, err := s.Date("nbf")
	if err != nil {
		return err
	}
	// RFC 7519 section 4.1.5: refuse when now < nbf - leeway.
	if notBefore != 0 && now.Before(time.Unix(notBefore, 0).Add(-v.profile.Leeway)) {
		return ErrNotYetValid
	}
	// RFC 8417 section 2.2, Back-Channel Logout 1.0 section 2.4 and Token Status List section 5.1: iat is required.
	if s.Claim("iat") == nil {
		return fmt.Errorf("iat: %w", ErrClaimMissing)
	}
	if s.IssuedAt, err = s.Date("iat"); err != nil {
		return err
	}
	issued := time.Unix(s.IssuedAt, 0)
	// RFC 7519 section 4.1.6: refuse when now < iat - leeway.
	if now.Before(issued.Add(-v.profile.Leeway)) {
		return ErrIssuedInFuture
	}
	// Refuse when now > iat + MaxAge + leeway.
	if rules.MaxAge > 0 && now.After(issued.Add(rules.MaxAge).Add(v.profile.Leeway)) {
		return ErrExpired
	}
	return nil
}
