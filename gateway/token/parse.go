package token

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

// Limits of form.
const (
	// MaxTokenBytes is the length that no token may exceed, however generous a caller's own limit.
	MaxTokenBytes = 64 << 10
	// MaxStringBytes is the length of the longest kid, typ or string claim that is accepted.
	MaxStringBytes = 256
)

// Parsed is a token of sound form, about which nothing is verified yet. It refers to the bytes that were given to
// Parse: they must not change before the last Verify on it has returned. Not for concurrent use.
type Parsed struct {
	// Issuer is the unverified iss: good for choosing a Verifier, and for nothing else. Never "".
	Issuer string
	// KeyID is the header's kid, "" where absent.
	KeyID string

	algorithm    *algorithm
	typ          []byte
	signingInput []byte // header and payload as sent
	signature    []byte
	claims       []member
}

// Algorithm returns the name of the header's alg: one of SupportedAlgorithms, "" for the zero Parsed.
func (p *Parsed) Algorithm() string {
	if p.algorithm == nil {
		return ""
	}
	return p.algorithm.name
}

// Parse checks the form of a compact JWS (RFC 7515 section 3.1) whose payload is a claims set, strictly: three segments
// of canonical base64url without padding, header and payload JSON objects without duplicate members, in valid UTF-8,
// of bounded depth and count. It never looks at jku, jwk, x5u, x5c or x5t: a token does not choose the key that
// proves it (RFC 8725 section 3.10).
//
// Errors: ErrTooLarge, ErrMalformed, ErrCritical, ErrAlgorithm, ErrClaimMissing, ErrClaimInvalid. Parse takes time
// linear in len(raw). A caller that has a smaller limit than MaxTokenBytes checks it before.
func Parse(raw []byte) (Parsed, error) {
	p, err := parse(raw, MaxTokenBytes)
	if err == nil && p.Issuer == "" {
		err = fmt.Errorf("iss: %w", ErrClaimMissing)
	}
	if err != nil {
		return Parsed{}, err
	}
	return p, nil
}

// parse is Parse with another limit of size, and lets iss be missing. The limits of depth and count hold for all: see
// object.
func parse(raw []byte, maxBytes int) (Parsed, error) {
	if len(raw) > maxBytes {
		return Parsed{}, ErrTooLarge
	}
	s, err := split(raw)
	if err != nil {
		return Parsed{}, err
	}
	p := Parsed{signingInput: raw[:len(s.header)+1+len(s.payload)]}
	doc := documents.Get().(*document)
	defer doc.release()
	decoded := make([]byte, 0, base64.RawURLEncoding.DecodedLen(len(raw)))
	members := make([]member, 0, 24)

	decoded, header, err := decode(decoded, s.header)
	if err != nil {
		return Parsed{}, err
	}
	if members, err = doc.object(header, members); err != nil {
		return Parsed{}, err
	}
	if err = p.readHeader(members); err != nil {
		return Parsed{}, err
	}
	decoded, payload, err := decode(decoded, s.payload)
	if err != nil {
		return Parsed{}, err
	}
	if _, p.signature, err = decode(decoded, s.signature); err != nil {
		return Parsed{}, err
	}
	if p.claims, err = doc.object(payload, members[:0]); err != nil {
		return Parsed{}, err
	}
	issuer, err := text(find(p.claims, "iss"))
	if err != nil {
		return Parsed{}, fmt.Errorf("iss: %w", err)
	}
	p.Issuer = string(issuer)
	return p, nil
}

// segments are the parts of a compact JWS, still encoded.
type segments struct{ header, payload, signature []byte }

// split cuts a token at its two dots. It looks for a third and no further: a token of many dots costs no more than one
// of few.
func split(raw []byte) (segments, error) {
	header, rest, found := bytes.Cut(raw, []byte{'.'})
	payload, signature, again := bytes.Cut(rest, []byte{'.'})
	// RFC 7516 section 9: five segments would be a JWE.
	if !found || !again || bytes.IndexByte(signature, '.') >= 0 {
		return segments{}, fmt.Errorf("%w: not three segments", ErrMalformed)
	}
	return segments{header, payload, signature}, nil
}

// decode appends what a segment encodes to decoded, and returns that and the appended part.
//
// RFC 7515 section 2: base64url without padding, line breaks, white space or other characters; Strict adds that unused
// last bits are zero, so that one token has one spelling.
func decode(decoded, segment []byte) (all, part []byte, err error) {
	// The standard library's decoder skips line breaks, which are not base64url.
	if bytes.IndexByte(segment, '\n') >= 0 || bytes.IndexByte(segment, '\r') >= 0 {
		return nil, nil, fmt.Errorf("%w: line break", ErrMalformed)
	}
	if len(segment) == 0 {
		return nil, nil, fmt.Errorf("%w: empty segment", ErrMalformed)
	}
	before := len(decoded)
	decoded, err = base64.RawURLEncoding.Strict().AppendDecode(decoded, segment)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: base64url", ErrMalformed)
	}
	return decoded, decoded[before:len(decoded):len(decoded)], nil
}

// readHeader keeps what Verify needs of a JOSE header.
func (p *Parsed) readHeader(members []member) error {
	for _, refused := range [...]string{
		"crit", // RFC 7515 section 4.1.11: no extension is understood here, so any list of them is refused.
		"b64",  // RFC 7797 section 3: says how the payload is read, true or false.
		"zip",  // RFC 7516 section 4.1.3: compressed, a JWE.
		"enc",  // RFC 7516 section 4.1.2: a JWE.
	} {
		if find(members, refused) != nil {
			return fmt.Errorf("%w: %s", ErrCritical, refused)
		}
	}
	alg, err := text(find(members, "alg"))
	if err != nil || alg == nil {
		return fmt.Errorf("%w: alg", ErrMalformed)
	}
	kid, err := text(find(members, "kid"))
	if err != nil {
		return fmt.Errorf("%w: kid", ErrMalformed)
	}
	p.KeyID = string(kid)
	if p.typ, err = text(find(members, "typ")); err != nil {
		return fmt.Errorf("%w: typ", ErrMalformed)
	}
	if p.algorithm = algorithmNamed(alg); p.algorithm == nil {
		return ErrAlgorithm
	}
	return nil
}
