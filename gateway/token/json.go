package token

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of the JSON in a token. They bound what an unverified token can cost, whatever its size.
const (
	maxDepth   = 8    // objects and arrays inside one another, the outermost counted
	maxMembers = 128  // members of the outermost object
	maxValues  = 1024 // names and values at all depths
)

// maxDate bounds NumericDates: all whole seconds up to here are exact in the floating point of other parsers.
const maxDate = 1 << 53

// member is one member of a JSON object.
type member struct {
	name  []byte // unescaped
	value []byte // as written, of valid syntax
}

// document reads one JSON object after another, reusing its memory.
type document struct {
	decoder jsontext.Decoder
	buffer  bytes.Buffer
}

// documents keeps the memory of those not in use: most of what a decoder allocates are its tables of names.
var documents = sync.Pool{New: func() any { return new(document) }}

// release ends the use of the document, which forgets what it read: claims are personal data.
func (d *document) release() {
	d.buffer = bytes.Buffer{}
	d.decoder.Reset(&d.buffer)
	documents.Put(d)
}

// object reads text, which must hold exactly one JSON object, and appends its members to members. They refer to text.
//
// The decoder refuses what RFC 8259 leaves open: duplicate names (compared unescaped, exact case, at every depth),
// invalid UTF-8 and lone surrogates. Its errors quote what they found, so none of them is passed on.
func (d *document) object(text []byte, members []member) ([]member, error) {
	d.buffer = *bytes.NewBuffer(text)
	d.decoder.Reset(&d.buffer)
	dec := &d.decoder
	if dec.PeekKind() != jsontext.KindBeginObject {
		return nil, fmt.Errorf("%w: not a JSON object", ErrMalformed)
	}
	before := len(members)
	start := 0 // of the outermost value that is being read
	for values := 0; ; values++ {
		if values > maxValues {
			return nil, fmt.Errorf("%w: too many JSON values", ErrMalformed)
		}
		switch kind := dec.PeekKind(); kind {
		case jsontext.KindBeginObject, jsontext.KindBeginArray, jsontext.KindEndObject, jsontext.KindEndArray:
			if _, err := dec.ReadToken(); err != nil {
				return nil, fmt.Errorf("%w: JSON syntax", ErrMalformed)
			}
			depth, end := dec.StackDepth(), int(dec.InputOffset())
			opened := kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray
			switch {
			case depth > maxDepth:
				return nil, fmt.Errorf("%w: JSON nested too deep", ErrMalformed)
			case depth == 0:
				// Reading on must find nothing but white space.
				if len(bytes.TrimLeft(text[end:], " \t\r\n")) != 0 {
					return nil, fmt.Errorf("%w: data after the JSON object", ErrMalformed)
				}
				return members, nil
			case depth == 2 && opened:
				start = end - 1
			case depth == 1 && !opened:
				members[len(members)-1].value = text[start:end]
			}
		default:
			raw, err := dec.ReadValue()
			if err != nil {
				return nil, fmt.Errorf("%w: JSON syntax", ErrMalformed)
			}
			if kind == jsontext.KindNumber && !inRange(raw) {
				return nil, fmt.Errorf("%w: JSON number out of range", ErrMalformed)
			}
			if dec.StackDepth() != 1 {
				continue
			}
			end := int(dec.InputOffset())
			written := text[end-len(raw) : end]
			if _, length := dec.StackIndex(1); length%2 == 0 {
				members[len(members)-1].value = written
				continue
			}
			if len(members)-before == maxMembers {
				return nil, fmt.Errorf("%w: too many JSON members", ErrMalformed)
			}
			members = append(members, member{name: unquote(written)})
		}
	}
}

// inRange reports whether a number of valid syntax is finite in binary64. Other parsers refuse one that is not, or read
// it as something else (RFC 8259 section 6, RFC 7493 section 2.2).
func inRange(number []byte) bool {
	// Without an exponent it takes more than 308 digits to leave the range.
	if len(number) <= 308 && !bytes.ContainsAny(number, "eE") {
		return true
	}
	_, err := strconv.ParseFloat(string(number), 64)
	return err == nil
}

// find returns the value of the member with exactly that name, nil where there is none.
func find(members []member, name string) []byte {
	for i := range members {
		if string(members[i].name) == name {
			return members[i].value
		}
	}
	return nil
}

// unquote returns what a JSON string of valid syntax says; it refers to quoted unless there is an escape in it.
func unquote(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		panic("BUG: the decoder let an invalid JSON string pass")
	}
	return text
}

// text returns what a string member says, nil where value is nil. ErrClaimInvalid where it is no string, is longer than
// MaxStringBytes, or has control characters, which have no place in a header or log line.
func text(value []byte) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	if value[0] != '"' {
		return nil, fmt.Errorf("%w: not a string", ErrClaimInvalid)
	}
	said := unquote(value)
	if len(said) > MaxStringBytes {
		return nil, fmt.Errorf("%w: string too long", ErrClaimInvalid)
	}
	if bytes.IndexFunc(said, unicode.IsControl) >= 0 {
		return nil, fmt.Errorf("%w: control character", ErrClaimInvalid)
	}
	return said, nil
}

// date returns a NumericDate (RFC 7519 section 2) in whole seconds, a fraction being dropped or, with up, counted as a
// second; 0 where value is nil. ErrClaimInvalid where it is no plain decimal number from 0 to 2^53: no sign, no
// exponent, no string.
func date(value []byte, up bool) (int64, error) {
	if value == nil {
		return 0, nil
	}
	whole, fraction, _ := bytes.Cut(value, []byte{'.'})
	// JSON's grammar has passed: digits after a point are digits unless an exponent follows them.
	if bytes.ContainsAny(fraction, "eE") {
		return 0, fmt.Errorf("%w: date with exponent", ErrClaimInvalid)
	}
	seconds, err := strconv.ParseUint(string(whole), 10, 64)
	if err != nil || seconds > maxDate {
		return 0, fmt.Errorf("%w: not a date in range", ErrClaimInvalid)
	}
	if up && len(bytes.TrimLeft(fraction, "0")) != 0 {
		seconds++
	}
	return int64(seconds), nil
}

// elements returns the strings in a JSON array of valid syntax, each under the rules of text.
func elements(array []byte) ([]string, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(array))
	if _, err := dec.ReadToken(); err != nil {
		panic("BUG: the decoder let an invalid JSON array pass")
	}
	var all []string
	for dec.PeekKind() != jsontext.KindEndArray {
		value, err := dec.ReadValue()
		if err != nil {
			panic("BUG: the decoder let an invalid JSON array pass")
		}
		said, err := text(value)
		if err != nil {
			return nil, err
		}
		all = append(all, string(said))
	}
	return all, nil
}
