package admin

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// revocationChange is what one call asks for.
type revocationChange struct {
	reason  string
	entries []revocation.Entry
	names   []string // of the entries' issuers
}

// maxReason bounds a reason, in characters.
const maxReason = 200

// parse reads the body of a call at the time now. Its errors say where the fault
// is and what is allowed, and repeat nothing of the body.
// forGood is an end that does not come (package revocation).
var forGood = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func (v *revocations) parse(body []byte, now time.Time) (*revocationChange, error) {
	call, err := decodeCall(body)
	if err != nil {
		return nil, err
	}
	c := &revocationChange{reason: call.Reason}
	if err := checkReason(call.Reason); err != nil {
		return nil, fmt.Errorf("reason: %w", err)
	}
	if call.Revocations == nil {
		return c, v.add(c, &call.statedRevocation, "", now)
	}
	if call.statedRevocation != (statedRevocation{}) {
		return nil, errors.New("revocations: beside it only reason is allowed")
	}
	if len(*call.Revocations) == 0 {
		return nil, fmt.Errorf("revocations: must list 1 to %d", MaxRevocations)
	}
	for i := range *call.Revocations {
		if err := v.add(c, &(*call.Revocations)[i], fmt.Sprintf("revocations[%d].", i), now); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// checkReason wants what a line of a log can show as it was meant.
func checkReason(reason string) error {
	digits := 0
	for _, r := range reason + "." {
		switch {
		case !unicode.IsGraphic(r):
			return errors.New("holds a control or invisible character; allowed: letters, digits, punctuation, symbols and spaces")
		case unicode.IsDigit(r):
			digits++
			continue
		case digits == personalNumberDigits:
			return fmt.Errorf("holds a number of %d digits, as a personal number is: name a ticket, not a person", personalNumberDigits)
		}
		digits = 0
	}
	if strings.TrimSpace(reason) == "" || utf8.RuneCountInString(reason) > maxReason {
		return fmt.Errorf("must say why, in 1 to %d characters; it goes into the audit log", maxReason)
	}
	return nil
}

// personalNumberDigits is how long a personal number (số định danh cá nhân) is.
const personalNumberDigits = 12

// add appends one entry; at is what its members are below.
func (v *revocations) add(c *revocationChange, s *statedRevocation, at string, now time.Time) error {
	fault := func(member, allowed string) error { return fmt.Errorf("%s%s: %s", at, member, allowed) }
	if s.Issuer == nil {
		return fault("issuer", "is required: the name or iss of a configured issuer")
	}
	name, iss, ok := v.cfg.Issuer(*s.Issuer)
	if !ok {
		return fault("issuer", "no such issuer is configured; allowed: a configured name or iss")
	}
	e := revocation.Entry{Issuer: iss}
	member := ""
	for _, id := range s.identifiers() {
		if id.value == nil {
			continue
		}
		if member != "" {
			return fault(id.member, "stands beside "+member+"; allowed: one of "+identifierMembers)
		}
		member, e.Kind, e.ID = id.member, id.kind, *id.value
	}
	if member == "" {
		return fault("jti", "names nothing to revoke; one is required of "+identifierMembers)
	}
	// No token has another (gateway/token): it would revoke nothing.
	if e.ID == "" || len(e.ID) > token.MaxStringBytes || strings.ContainsFunc(e.ID, unicode.IsControl) {
		return fault(member, fmt.Sprintf("must have 1 to %d bytes and no control characters", token.MaxStringBytes))
	}
	if e.Kind == revocation.KindThumbprint && !isThumbprint(e.ID) {
		return fault(member, "must be a SHA-256 JWK thumbprint (RFC 7638): 43 characters of base64url, without padding")
	}
	var err error
	if e.Before, err = s.before(e.Kind, now); err != nil {
		return fault("before", err.Error())
	}
	e.Until = now.Add(v.cfg.Lifetime(iss))
	if e.Kind == revocation.KindKeyID || e.Kind == revocation.KindThumbprint {
		e.Until = forGood // whoever has the key can sign again tomorrow
	}
	if s.Until != nil {
		if e.Until, err = readTime(*s.Until); err != nil {
			return fault("until", err.Error())
		}
		if !e.Until.After(now) {
			return fault("until", "is past; allowed: a time by which what is revoked has expired")
		}
	}
	c.entries, c.names = append(c.entries, e), append(c.names, name)
	return nil
}

// before returns Entry.Before.
func (s *statedRevocation) before(kind revocation.Kind, now time.Time) (time.Time, error) {
	all := s.All != nil && *s.All
	switch dated := kind == revocation.KindSubject || kind == revocation.KindClient; {
	case !dated && (s.Before != nil || all):
		return time.Time{}, errors.New("and all are allowed with sub and client only")
	case !dated:
		return time.Time{}, nil
	case all && s.Before != nil:
		return time.Time{}, errors.New("stands beside all, which covers tokens whenever they were issued; allowed: one of the two")
	case all:
		return time.Time{}, nil
	case s.Before == nil:
		return now, nil
	}
	before, err := readTime(*s.Before)
	switch {
	case err != nil:
		return time.Time{}, err
	case before.After(now):
		return time.Time{}, fmt.Errorf("is in the future (here it is %s); all covers tokens issued later", now.UTC().Format(time.RFC3339))
	case before.Unix() < 1:
		return time.Time{}, errors.New("is 1970 or earlier; no token is that old")
	}
	return before, nil
}

// readTime is strict about RFC 3339, and repeats nothing of text.
func readTime(text string) (t time.Time, err error) {
	if t.UnmarshalText([]byte(text)) != nil {
		return t, errors.New("must be a time as RFC 3339 writes it, such as 2025-07-01T09:00:00+07:00")
	}
	return t, nil
}

// isThumbprint reports whether id is 32 bytes in base64url (RFC 7515 section 2).
func isThumbprint(id string) bool {
	sum, err := base64.RawURLEncoding.Strict().DecodeString(id)
	return err == nil && len(sum) == 32
}
