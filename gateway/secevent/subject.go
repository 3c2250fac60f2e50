package secevent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// maxAliases bounds the identifiers of one subject.
const maxAliases = 16

// target is what tokens name: a subject, a session, a client or a token.
type target struct {
	kind   revocation.Kind
	issuer string
	id     string
}

// role is what a subject identifier is about.
type role uint8

const (
	rolePrincipal role = iota // the subject of the event, whatever it is
	roleUser
	roleSession
	roleApplication
)

// aim looks for targets in the subject identifiers of one event.
type aim struct {
	issuers      []string // those for which the transmitter may speak; where none is told the first is meant
	sessions     bool     // the event is about a session
	noSessionIDs bool     // tokens have no sid: what names nothing but a session is no target
	found        []target
	foreign      bool   // an identifier was of an issuer for which the transmitter may not speak
	format       string // of an identifier that is no target
}

// identifier is a subject identifier (RFC 9493), its members not looked at yet.
type identifier map[string]jsontext.Value

func readIdentifier(raw jsontext.Value) (identifier, error) {
	var id identifier
	if raw.Kind() != jsontext.KindBeginObject || json.Unmarshal(raw, &id) != nil {
		return nil, fmt.Errorf("%w: subject is no object", ErrRequest)
	}
	return id, nil
}

// text returns what a member says. RFC 9493 section 3.2: members that a format defines are required; a null or "" would
// stand for nobody.
func (id identifier) text(name string) (string, error) {
	var s string
	if v := id[name]; v.Kind() != jsontext.KindString || json.Unmarshal(v, &s) != nil || s == "" {
		return "", fmt.Errorf("%w: %s of a subject", ErrRequest, name)
	}
	return s, nil
}

// formatOf returns the name of the identifier's format. "complex" is also what has none: SSF drafts had it that way.
func (id identifier) formatOf() (string, error) {
	if _, ok := id["format"]; ok {
		return id.text("format")
	}
	// The member's name in the drafts of RFC 9493, and in the examples of RFC 8417, 8935 and 8936: "iss-sub".
	if _, ok := id["subject_type"]; ok {
		format, err := id.text("subject_type")
		return strings.ReplaceAll(format, "-", "_"), err
	}
	return "complex", nil
}

// formats are those that are logged by their name.
var formats = []string{
	"account", "aliases", "complex", "did", "email", "id_token_claims", "ip-addresses", "iss_sub", "jwt_id", "opaque",
	"phone_number", "saml_assertion_id", "scim", "uri",
}

// take adds the targets of an identifier that plays a role. issuer is that of identifiers that tell none.
func (a *aim) take(id identifier, as role, issuer string) error {
	format, err := id.formatOf()
	if err != nil {
		return err
	}
	switch format {
	case "iss_sub": // RFC 9493 section 3.2.3
		return a.named(id, "sub", a.kindsOf(as, false))
	case "jwt_id": // SSF 1.0 section 3.5.1
		return a.named(id, "jti", []revocation.Kind{revocation.KindToken})
	case "opaque": // RFC 9493 section 3.2.4
		name, err := id.text("id")
		if err != nil {
			return err
		}
		a.add(issuer, name, a.kindsOf(as, true))
	case "aliases": // RFC 9493 section 3.2.8
		return a.aliases(id, as, issuer)
	case "complex": // SSF 1.0 section 3, complex subjects
		return a.complex(id, issuer)
	default:
		a.miss(format)
	}
	return nil
}

// kindsOf says what an identifier names that plays a role. An opaque one in an event about a session names that session
// (CAEP 1.0 section 3.1.2, first example) or the user whose sessions it is about, and nothing tells which: both. An entry
// for what does not exist covers nothing.
func (a *aim) kindsOf(as role, opaque bool) []revocation.Kind {
	switch {
	case as == roleSession:
		return []revocation.Kind{revocation.KindSession}
	case as == roleApplication:
		return []revocation.Kind{revocation.KindClient}
	case as == rolePrincipal && opaque && a.sessions && !a.noSessionIDs:
		return []revocation.Kind{revocation.KindSession, revocation.KindSubject}
	}
	return []revocation.Kind{revocation.KindSubject}
}

// named adds an identifier that tells its issuer.
func (a *aim) named(id identifier, member string, kinds []revocation.Kind) error {
	issuer, err := id.text("iss")
	if err != nil {
		return err
	}
	name, err := id.text(member)
	if err != nil {
		return err
	}
	a.add(issuer, name, kinds)
	return nil
}

func (a *aim) add(issuer, id string, kinds []revocation.Kind) {
	if !slices.Contains(a.issuers, issuer) {
		a.foreign = true
		return
	}
	// No token has a claim that long: it is no target.
	if len(id) > token.MaxStringBytes {
		a.miss("other")
		return
	}
	for _, kind := range kinds {
		a.found = append(a.found, target{kind, issuer, id})
	}
}

// miss notes an identifier that is no target.
func (a *aim) miss(format string) {
	if !slices.Contains(formats, format) {
		format = "other"
	}
	a.format = format
}

// aliases takes several identifiers of one subject: each of those that are targets.
func (a *aim) aliases(id identifier, as role, issuer string) error {
	var all []jsontext.Value
	if v := id["identifiers"]; v.Kind() != jsontext.KindBeginArray || json.Unmarshal(v, &all) != nil || len(all) == 0 {
		return fmt.Errorf("%w: identifiers of a subject", ErrRequest)
	}
	if len(all) > maxAliases {
		return fmt.Errorf("%w: more than %d identifiers of a subject", ErrRequest, maxAliases)
	}
	for _, raw := range all {
		alias, err := readIdentifier(raw)
		if err != nil {
			return err
		}
		// RFC 9493 section 3.2.8: aliases are not nested.
		switch format, err := alias.formatOf(); {
		case err != nil:
			return err
		case format == "aliases":
			return fmt.Errorf("%w: nested aliases", ErrRequest)
		}
		if err := a.take(alias, as, issuer); err != nil {
			return err
		}
	}
	return nil
}

// complex takes what a combination of identifiers names. It stands for what fits all of them (CAEP 1.0 section 3.1), so
// one of them, the narrowest that tokens name, covers all that is meant: for an event about a session, that session, else
// the user, else the application; for others the user first. Devices, tenants, groups and units are in no token.
func (a *aim) complex(id identifier, issuer string) error {
	members := []struct {
		name string
		as   role
	}{{"session", roleSession}, {"user", roleUser}, {"application", roleApplication}}
	if !a.sessions {
		members[0], members[1] = members[1], members[0]
	}
	// An identifier that tells no issuer has that of the user beside it.
	if user, err := readIdentifier(id["user"]); err == nil {
		if told, err := user.text("iss"); err == nil {
			issuer = told
		}
	}
	for _, m := range members {
		raw, ok := id[m.name]
		if !ok || m.as == roleSession && a.noSessionIDs {
			continue
		}
		part, err := readIdentifier(raw)
		if err != nil {
			return err
		}
		before := len(a.found)
		if err := a.take(part, m.as, issuer); err != nil {
			return err
		}
		if len(a.found) > before {
			return nil
		}
	}
	if !a.foreign && a.format == "" {
		a.miss("complex")
	}
	return nil
}
