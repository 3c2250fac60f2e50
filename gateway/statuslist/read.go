package statuslist

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// statementTypes is the one type of a Status List Token (section 5.1).
var statementTypes = []string{"statuslist+jwt"}

// MediaType is what a list is asked for as, and must be answered as (sections 8.1 and 8.2).
const MediaType = "application/statuslist+jwt"

// rules are what a Status List Token must be, beyond what contentsOf checks (section 5.1).
func rules(maxBytes int, maxAge time.Duration) token.StatementRules {
	return token.StatementRules{
		Types:    statementTypes,
		MaxBytes: maxBytes,
		Require:  []string{"sub", "status_list"},
		// It was asked for at an address of the issuer's, and is proved by its key.
		IssuerOptional: true,
		MaxAge:         maxAge,
	}
}

// contents is what a Status List Token says, its list still packed. It refers to the statement.
type contents struct {
	bits uint8
	list packed
	// ttl is how long the list may be used before it is asked for again, 0 where that is not told.
	ttl time.Duration
}

// longest bounds ttl, whose range has no end: far beyond any bound of a configuration.
const longest = 365 * 24 * time.Hour

// contentsOf reads a verified statement. Errors: ErrSubject, ErrFormat.
func contentsOf(s *token.Statement, uri string) (contents, error) {
	// Section 5.1: sub is the address of the list; without this a list could stand in for another.
	if s.Subject != uri {
		return contents{}, ErrSubject
	}
	var c contents
	var err error
	if c.ttl, err = ttl(s.Claim("ttl")); err != nil {
		return contents{}, err
	}
	bits, lst, err := members(s.Claim("status_list"))
	if err != nil {
		return contents{}, err
	}
	// Section 4.2: bits is an integer, one of four.
	switch string(bits) {
	case "1", "2", "4", "8":
		c.bits = bits[0] - '0'
	default:
		return contents{}, fmt.Errorf("%w: bits", ErrFormat)
	}
	// lst is a string. Nothing in base64url has to be escaped, so that nothing has to be unescaped.
	if len(lst) < 2 || lst[0] != '"' || bytes.IndexByte(lst, '\\') >= 0 {
		return contents{}, fmt.Errorf("%w: lst", ErrFormat)
	}
	c.list = packed(lst[1 : len(lst)-1])
	return c, nil
}

// ttl reads a number of seconds greater than 0 (section 5.1), as JSON; 0 where there is none.
func ttl(value []byte) (time.Duration, error) {
	if value == nil {
		return 0, nil
	}
	// Of all that JSON has, only numbers are read, and those in exponent notation as well: it is no date.
	seconds, err := strconv.ParseFloat(string(value), 64)
	if err != nil || !(seconds > 0) {
		return 0, fmt.Errorf("%w: ttl", ErrFormat)
	}
	return time.Duration(max(1, min(seconds*float64(time.Second), float64(longest)))), nil
}

// members returns the members bits and lst of a JSON object of valid syntax, without duplicates, as written; nil where
// there is none.
func members(object []byte) (bits, lst []byte, err error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(object))
	if begin, err := dec.ReadToken(); err != nil || begin.Kind() != jsontext.KindBeginObject {
		return nil, nil, fmt.Errorf("%w: status_list", ErrFormat)
	}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, nil, fmt.Errorf("%w: status_list", ErrFormat)
		}
		member := name.String()
		raw, err := dec.ReadValue()
		if err != nil {
			return nil, nil, fmt.Errorf("%w: status_list", ErrFormat)
		}
		end := int(dec.InputOffset())
		switch written := object[end-len(raw) : end]; member {
		case "bits":
			bits = written
		case "lst":
			lst = written
		}
	}
	return bits, lst, nil
}
