package token

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// validation is golang-jwt's validation of the registered claims, under one profile.
type validation struct {
	options        []jwt.ParserOption
	audienceClaims []string
	leeway         time.Duration
	maxLifetime    time.Duration
}

func newValidation(p Profile) validation {
	options := []jwt.ParserOption{
		jwt.WithIssuer(p.Issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(p.Leeway),
	}
	v := validation{leeway: p.Leeway, maxLifetime: p.MaxLifetime}
	if !p.AudienceUnchecked {
		options = append(options, jwt.WithAudience(p.Audience...))
		v.audienceClaims = p.AudienceClaims
	}
	v.options = slices.Clip(options) // Appending the clock copies, so that checks can run concurrently.
	return v
}

// refusals gives the reason for each refusal by golang-jwt. Of several that hold at once, the first is told.
var refusals = [...]struct{ from, to error }{
	{jwt.ErrTokenRequiredClaimMissing, ErrClaimMissing},
	{jwt.ErrTokenInvalidIssuer, ErrIssuer},
	{jwt.ErrTokenInvalidAudience, ErrAudience},
	{jwt.ErrTokenExpired, ErrExpired},
	{jwt.ErrTokenNotValidYet, ErrNotYetValid},
	{jwt.ErrTokenUsedBeforeIssued, ErrIssuedInFuture},
}

// check decides whether the claims are for us and in force now.
func (v *validation) check(p *Parsed, c *Claims, now time.Time) error {
	audience, err := audience(p.claims, v.audienceClaims)
	if err != nil {
		return err
	}
	clock := jwt.WithTimeFunc(func() time.Time { return now })
	if err := jwt.NewValidator(append(v.options, clock)...).Validate(&registered{p.Issuer, audience, c}); err != nil {
		for _, known := range refusals {
			if errors.Is(err, known.from) {
				return known.to
			}
		}
		return ErrClaimInvalid
	}
	if v.maxLifetime > 0 {
		from := now.Add(v.leeway)
		if c.IssuedAt != 0 {
			from = time.Unix(c.IssuedAt, 0)
		}
		if time.Unix(c.ExpiresAt, 0).Sub(from) > v.maxLifetime {
			return ErrLifetime
		}
	}
	return nil
}

// audience returns all that the audience claims name.
func audience(members []member, claims []string) (jwt.ClaimStrings, error) {
	var named jwt.ClaimStrings
	for _, claim := range claims {
		value := find(members, claim)
		// RFC 7519 section 4.1.3: aud is a string or an array of them.
		if claim == "aud" && value != nil && value[0] == '[' {
			values, err := elements(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", claim, err)
			}
			named = append(named, values...)
			continue
		}
		said, err := text(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", claim, err)
		}
		if len(said) > 0 {
			named = append(named, string(said))
		}
	}
	return named, nil
}

// registered shows a token's claims to golang-jwt. A date of 0 is absent.
type registered struct {
	issuer   string
	audience jwt.ClaimStrings
	claims   *Claims
}

func (r *registered) GetExpirationTime() (*jwt.NumericDate, error) {
	return numericDate(r.claims.ExpiresAt), nil
}

func (r *registered) GetNotBefore() (*jwt.NumericDate, error) {
	return numericDate(r.claims.NotBefore), nil
}

func (r *registered) GetIssuedAt() (*jwt.NumericDate, error) {
	return numericDate(r.claims.IssuedAt), nil
}
func (r *registered) GetAudience() (jwt.ClaimStrings, error) { return r.audience, nil }
func (r *registered) GetIssuer() (string, error)             { return r.issuer, nil }
func (r *registered) GetSubject() (string, error)            { return "", nil }

func numericDate(seconds int64) *jwt.NumericDate {
	if seconds == 0 {
		return nil
	}
	return &jwt.NumericDate{Time: time.Unix(seconds, 0)}
}
