package wire

import "bytes"

// Fields walks the field lines of a head that the checker has let through:
// every line is "name:value" ended by CRLF, without continuation lines. It
// allocates nothing; Name and Value alias the walked bytes and live as long.
type Fields struct {
	// Name is the current field's name as received.
	Name []byte
	// Value is the current field's value without surrounding white space.
	Value []byte

	rest []byte
}

// NewFields starts before the first of the lines in raw.
func NewFields(raw []byte) Fields { return Fields{rest: raw} }

// Next moves to the next field line. It reports false at the end, or at the
// first line that is not of the checked form: what cannot be read is never
// handed on.
func (f *Fields) Next() bool {
	end := bytes.IndexByte(f.rest, '\n')
	if end < 1 || f.rest[end-1] != '\r' {
		return false
	}
	line := f.rest[:end-1]
	f.rest = f.rest[end+1:]
	colon := bytes.IndexByte(line, ':')
	if colon < 1 {
		return false
	}
	f.Name = line[:colon]
	f.Value = trimOWS(line[colon+1:])
	return true
}

// trimOWS removes optional white space (RFC 9110 section 5.6.3) at both ends.
func trimOWS(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
