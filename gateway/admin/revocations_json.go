package admin

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// statedRevocation is one revocation as the operator states it. What is absent is
// nil, so that "" is seen.
type statedRevocation struct {
	Issuer     *string `json:"issuer"`
	JTI        *string `json:"jti"`
	SID        *string `json:"sid"`
	Sub        *string `json:"sub"`
	Client     *string `json:"client"`
	KID        *string `json:"kid"`
	Thumbprint *string `json:"thumbprint"`
	Before     *string `json:"before"`
	All        *bool   `json:"all"`
	Until      *string `json:"until"`
}

const (
	identifierMembers = "jti, sid, sub, client, kid, thumbprint"
	entryMembers      = "issuer, " + identifierMembers + ", before, all, until"
)

type identifier struct {
	member string
	kind   revocation.Kind
	value  *string
}

func (s *statedRevocation) identifiers() [6]identifier {
	return [...]identifier{
		{"jti", revocation.KindToken, s.JTI},
		{"sid", revocation.KindSession, s.SID},
		{"sub", revocation.KindSubject, s.Sub},
		{"client", revocation.KindClient, s.Client},
		{"kid", revocation.KindKeyID, s.KID},
		{"thumbprint", revocation.KindThumbprint, s.Thumbprint},
	}
}

// statedCall is the body of a call: one revocation or a list.
type statedCall struct {
	statedRevocation

	Revocations *revocationList `json:"revocations"`
	Reason      string          `json:"reason"`
}

// revocationList is bounded while it is read: a body has room for many more.
type revocationList []statedRevocation

var (
	errTooMany = errors.New("too many entries")
	errNoList  = errors.New("not a list")
)

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *revocationList) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != jsontext.KindBeginArray {
		return errNoList
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	*l = revocationList{}
	for d.PeekKind() != jsontext.KindEndArray {
		if len(*l) == MaxRevocations {
			return errTooMany
		}
		var s statedRevocation
		if err := json.UnmarshalDecode(d, &s); err != nil {
			return err
		}
		*l = append(*l, s)
	}
	_, err := d.ReadToken()
	return err
}

// decodeCall reads a body. Its errors say where the fault is and what is allowed,
// and repeat nothing of the body.
func decodeCall(body []byte) (*statedCall, error) {
	var call statedCall
	err := json.Unmarshal(body, &call, json.RejectUnknownMembers(true))
	if err == nil {
		return &call, nil
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at := place(syntax.JSONPointer, syntax.ByteOffset)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return nil, fmt.Errorf("%s: a member stands twice; allowed: once", at)
		}
		return nil, fmt.Errorf("%s: not valid JSON in UTF-8 (RFC 8259)", at)
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return nil, errors.New("not valid JSON in UTF-8 (RFC 8259)")
	}
	at := place(semantic.JSONPointer, semantic.ByteOffset)
	switch {
	case errors.Is(err, errTooMany):
		return nil, fmt.Errorf("revocations: must list 1 to %d", MaxRevocations)
	case errors.Is(err, errNoList):
		return nil, fmt.Errorf("%s: must be a list of objects", at)
	case errors.Is(err, json.ErrUnknownName) && strings.Count(string(semantic.JSONPointer), "/") > 1:
		return nil, fmt.Errorf("%s: unknown member; allowed: %s", at, entryMembers)
	case errors.Is(err, json.ErrUnknownName):
		return nil, fmt.Errorf("%s: unknown member; allowed: %s, reason, revocations", at, entryMembers)
	case semantic.GoType == nil:
		return nil, fmt.Errorf("%s: has the wrong type", at)
	}
	switch semantic.GoType.Kind() {
	case reflect.String:
		return nil, fmt.Errorf("%s: must be a string", at)
	case reflect.Bool:
		return nil, fmt.Errorf("%s: must be true or false", at)
	}
	return nil, fmt.Errorf("%s: must be an object", at)
}

// place writes "revocations[3].before, byte 212". A name that the body has made up
// is left out, and what is below it: it may be an identifier.
func place(p jsontext.Pointer, offset int64) string {
	at := ""
	for name := range p.Tokens() {
		if at == "revocations" {
			at += "[" + name + "]"
			continue
		}
		if !strings.Contains(", "+entryMembers+", reason, revocations, ", ", "+name+", ") {
			break
		}
		if at != "" {
			at += "."
		}
		at += name
	}
	if at != "" {
		at += ", "
	}
	return at + "byte " + strconv.FormatInt(offset, 10)
}
