package gateway

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// maxCookieFields bounds the Cookie fields that are searched for a credential;
// HTTP/1.1 clients send one (RFC 6265 section 5.4).
const maxCookieFields = 4

// head is what one pass over the received fields finds. Its slices alias the
// request's head.
type head struct {
	authorization  []byte
	authorizations int
	// bearer is set once credential has found its token in Authorization.
	bearer      bool
	cookies     [maxCookieFields][]byte
	nCookies    int
	requestID   []byte
	traceparent []byte
	tracestate  []byte
	// forwardedFor is the last X-Forwarded-For field.
	forwardedFor []byte
	// accept is the last of the Accept fields.
	accept  []byte
	accepts int
	read    bool // the pass was made
}

// find makes the pass.
func (h *head) find(fields wire.Fields) {
	*h = head{read: true}
	for fields.Next() {
		switch len(fields.Name) {
		case len("Cookie"): // and len("Accept")
			switch {
			case bytes.EqualFold(fields.Name, []byte("Accept")):
				h.accept = fields.Value
				h.accepts++
			case bytes.EqualFold(fields.Name, []byte("Cookie")):
				if h.nCookies < maxCookieFields {
					h.cookies[h.nCookies] = fields.Value
				}
				h.nCookies++
			}
		case len("tracestate"):
			if bytes.EqualFold(fields.Name, []byte("tracestate")) {
				h.tracestate = fields.Value
			}
		case len("traceparent"):
			if bytes.EqualFold(fields.Name, []byte("traceparent")) {
				h.traceparent = fields.Value
			}
		case len("X-Request-Id"):
			if bytes.EqualFold(fields.Name, []byte("X-Request-Id")) {
				h.requestID = fields.Value
			}
		case len("X-Forwarded-For"):
			if bytes.EqualFold(fields.Name, []byte("X-Forwarded-For")) {
				h.forwardedFor = fields.Value
			}
		case len("Authorization"):
			if bytes.EqualFold(fields.Name, []byte("Authorization")) {
				h.authorization = fields.Value
				h.authorizations++
			}
		}
	}
}

// prefersPage reports whether the client wants a page more than a problem document.
func (h *head) prefersPage(header *fasthttp.RequestHeader) bool {
	switch {
	case h.read && h.accepts == 0:
		return false
	case h.read && h.accepts == 1:
		return reject.AcceptPrefersPage(h.accept)
	}
	return reject.PrefersPage(header)
}

// credential returns the one token that the request carries: Authorization:
// Bearer (RFC 6750 section 2.1), else the site's cookie. Anything that could be
// read as two credentials is refused, and all of it before any cryptography.
// Another scheme is no credential of ours. Tokens in the query (RFC 6750
// section 2.3) are not looked at.
func (h *head) credential(cookie []byte, maxBytes int) ([]byte, reject.Code, bool) {
	if h.authorizations > 1 {
		return nil, reject.CredentialsMultiple, false
	}
	var found []byte
	if h.authorizations == 1 {
		scheme, rest := h.authorization, []byte(nil)
		// A tab is no separator here, but is one to others: it ends the scheme,
		// and is refused in what follows.
		if end := bytes.IndexAny(h.authorization, " \t"); end >= 0 {
			scheme, rest = h.authorization[:end], h.authorization[end:]
		}
		// RFC 9110 section 11.1: the scheme is case-insensitive.
		if bytes.EqualFold(scheme, []byte("Bearer")) {
			found = bytes.TrimLeft(rest, " ")
			// Not ContainsAny, which looks at each byte of a token for itself.
			if len(found) == 0 || bytes.IndexByte(found, ' ') >= 0 || bytes.IndexByte(found, '\t') >= 0 || bytes.IndexByte(found, ',') >= 0 {
				return nil, reject.CredentialMalformed, false
			}
			h.bearer = true
		}
	}
	if len(cookie) > 0 && h.nCookies > 0 {
		value, n := h.cookie(cookie)
		if n > 1 || n == 1 && found != nil {
			return nil, reject.CredentialsMultiple, false
		}
		if n == 1 {
			found = value
		}
	}
	switch {
	case found == nil:
		return nil, reject.CredentialMissing, false
	case len(found) > maxBytes:
		return nil, reject.TokenTooLarge, false
	case len(found) == 0:
		return nil, reject.CredentialMalformed, false
	}
	return found, 0, true
}

// cookie finds the value of the cookie called name and how often it stands in
// the request. Where there are more Cookie fields than are searched, the count
// is never 1: what was not seen might be a second credential.
func (h *head) cookie(name []byte) (value []byte, n int) {
	if h.nCookies > maxCookieFields {
		return nil, 2
	}
	for _, field := range h.cookies[:h.nCookies] {
		for len(field) > 0 {
			pair := field
			if end := bytes.IndexByte(field, ';'); end >= 0 {
				pair, field = field[:end], field[end+1:]
			} else {
				field = nil
			}
			key, v, ok := bytes.Cut(bytes.TrimSpace(pair), []byte("="))
			if ok && bytes.Equal(bytes.TrimSpace(key), name) {
				value = bytes.Trim(bytes.TrimSpace(v), `"`)
				n++
			}
		}
	}
	return value, n
}
