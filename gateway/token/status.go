package token

import (
	"fmt"
	"net/url"
	"strconv"
	"unique"
)

// maxStatusIndex bounds idx: all whole numbers up to here are exact in the floating point of other parsers.
const maxStatusIndex = 1 << 53

// StatusReference is where the status of a token is told: an entry of a Token Status List (draft-ietf-oauth-status-list,
// cited here by the sections of its version 20). The zero StatusReference is that of a token that refers to none. It is
// immutable, comparable, and takes 16 bytes however long the URI: tokens that share a list share its name.
type StatusReference struct {
	uri   unique.Handle[string]
	index uint64
}

// NewStatusReference returns the reference to an entry of the list of that URI, which is not "".
func NewStatusReference(uri string, index uint64) StatusReference {
	if uri == "" {
		panic("BUG: a status list without a URI")
	}
	return StatusReference{uri: unique.Make(uri), index: index}
}

// Present reports whether there is a reference at all. It does not allocate.
func (r StatusReference) Present() bool { return r.uri != unique.Handle[string]{} }

// URI names the list, byte for byte as the token has it; "" where there is none. It does not allocate.
func (r StatusReference) URI() string {
	if !r.Present() {
		return ""
	}
	return r.uri.Value()
}

// Index is the position of the token's entry in the list, from 0 to 2^53.
func (r StatusReference) Index() uint64 { return r.index }

// statusClaim is what a token says of its status, before anything is proved.
type statusClaim struct {
	uri   string // "" where the token says nothing
	index uint64
}

// reference shares the name of the list with all other tokens that refer to it. It is made of tokens that were proved, so
// that nobody but the issuer decides what names there are.
func (s statusClaim) reference() StatusReference {
	if s.uri == "" {
		return StatusReference{}
	}
	return NewStatusReference(s.uri, s.index)
}

// readStatus reads the claim status under the profile. Whatever is there and cannot be followed is ErrClaimInvalid: the
// issuer has said that the token counts for nothing without its status.
func readStatus(claims []member, p *Profile) (statusClaim, error) {
	value := find(claims, "status")
	if value == nil || p.StatusIgnored {
		return statusClaim{}, nil
	}
	// Token Status List section 6.2: an object with at least one reference to a status mechanism. Section 8.3: where the
	// one that is known here is not among them, no statement about the status can be made, and the token is refused.
	var room [4]member
	mechanisms, err := inner(value, room[:0])
	if err != nil {
		return statusClaim{}, fmt.Errorf("status: %w", err)
	}
	// Section 6.1: other members are other mechanisms.
	reference, err := inner(find(mechanisms, "status_list"), room[:0])
	if err != nil {
		return statusClaim{}, fmt.Errorf("status.status_list: %w", err)
	}
	// Section 6.2: idx is a non-negative integer.
	index, err := strconv.ParseUint(string(find(reference, "idx")), 10, 64)
	if err != nil || index > maxStatusIndex {
		return statusClaim{}, fmt.Errorf("status.status_list.idx: %w: not an index in range", ErrClaimInvalid)
	}
	uri, err := text(find(reference, "uri"))
	if err != nil {
		return statusClaim{}, fmt.Errorf("status.status_list.uri: %w", err)
	}
	if !fetchable(uri, p.StatusPlainHTTP) {
		return statusClaim{}, fmt.Errorf("status.status_list.uri: %w: not the address of a list", ErrClaimInvalid)
	}
	return statusClaim{uri: string(uri), index: index}, nil
}

// inner appends the members of a JSON object inside another that was read. ErrClaimInvalid where it is none, or nil.
func inner(value []byte, members []member) ([]member, error) {
	if len(value) == 0 || value[0] != '{' {
		return nil, fmt.Errorf("%w: not an object", ErrClaimInvalid)
	}
	doc := documents.Get().(*document)
	defer doc.release()
	members, err := doc.object(value, members)
	if err != nil {
		return nil, fmt.Errorf("%w: too many members", ErrClaimInvalid)
	}
	return members, nil
}

// fetchable reports whether uri is an absolute https URL (or http, where plain is set) that names a host and holds no
// credentials. Whether it may be fetched is for the list's holder to say.
func fetchable(uri []byte, plain bool) bool {
	for _, c := range uri {
		// RFC 3986 section 2: what has no place in a URI has to be escaped.
		switch {
		case c <= ' ', c >= 0x7f, c == '"', c == '<', c == '>', c == '\\', c == '^', c == '`', c == '{', c == '|', c == '}':
			return false
		// RFC 9110 section 4.2.5: a fragment is not sent. It could only be there to give one list many names.
		case c == '#':
			return false
		}
	}
	u, err := url.Parse(string(uri))
	return err == nil && (u.Scheme == "https" || plain && u.Scheme == "http") && u.Hostname() != "" && u.User == nil
}
