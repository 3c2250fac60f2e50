package upstream

import (
	"bytes"
	"net/netip"
	"strconv"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// Request is what goes to an upstream. Every slice is borrowed until Do
// returns.
type Request struct {
	// Method, Path and Query form the request line. Path is the normalised
	// path that routing matched; Query goes as received where HasQuery.
	Method, Path, Query []byte
	HasQuery            bool
	// Host is the Host field's value to send, ClientHost the received one.
	Host, ClientHost []byte
	// UpstreamHost sends the chosen upstream's own authority in place of Host,
	// which Do then sets.
	UpstreamHost bool
	// Fields are the received field lines, checked by package wire.
	Fields []byte
	// Own are complete field lines of the gateway's, written last.
	Own []byte
	// Client is the address of the peer, Secure whether it spoke TLS to us.
	Client netip.Addr
	Secure bool
	// TrustProxy believes the peer's X-Forwarded-* and Forwarded fields.
	TrustProxy bool
	// ForwardAuthorization passes Authorization on, ForwardCookie the
	// credential cookie.
	ForwardAuthorization, ForwardCookie bool
	// CredentialCookie names the cookie that may hold the credential.
	CredentialCookie []byte
	// ContentLength is the body's length in bytes, or -1 for a body of unknown
	// length, or [NoBody].
	ContentLength int64
	// MaxBody bounds the body in bytes; 0 is no bound.
	MaxBody int64
	// Streaming is what the site says of exchanges that last; nil says nothing.
	Streaming *Streaming
	// Until ends a tunnel or a stream of server-sent events, which the
	// credential of its request would otherwise outlive. Zero is never. Other
	// bodies end by themselves, and are not cut.
	Until time.Time

	// upgrade is the protocol that the upstream is asked to change to, "" for
	// none; upgraded says that the connection is a tunnel now.
	upgrade  string
	upgraded bool
}

// NoBody is the ContentLength of a request without any body.
const NoBody = -2

const crlf = "\r\n"

// appendHead appends the request head. What it leaves out of the gateway's
// concerns is decided by name alone, so no spelling of a field and no
// nomination in Connection can add to or take from what the gateway states.
func (r *Request) appendHead(dst []byte, nominated *nominations) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	dst = append(dst, r.Path...)
	if r.HasQuery {
		dst = append(dst, '?')
		dst = append(dst, r.Query...)
	}
	dst = append(dst, " HTTP/1.1\r\n"...)
	dst = appendField(dst, "Host", r.Host)

	var proxies proxyFields
	fields := wire.NewFields(r.Fields)
	for fields.Next() {
		switch classify(fields.Name) {
		case classHop, classIdentity, classTrace:
			continue
		case classProxy:
			if r.TrustProxy && !proxies.take(fields.Name, fields.Value) {
				dst = appendField(dst, fields.Name, fields.Value)
			}
			continue
		case classAuthorization:
			if !r.ForwardAuthorization {
				continue
			}
		case classCookie:
			if !r.ForwardCookie && len(r.CredentialCookie) > 0 {
				if !nominated.has(fields.Name) {
					dst = appendCookies(dst, fields.Name, fields.Value, r.CredentialCookie)
				}
				continue
			}
		case classEndToEnd:
		}
		if !nominated.has(fields.Name) {
			dst = appendField(dst, fields.Name, fields.Value)
		}
	}
	dst = proxies.append(dst, r)
	dst = append(dst, r.Own...)
	if r.upgrade != "" {
		dst = append(dst, "Connection: Upgrade\r\nUpgrade: "...)
		dst = append(dst, r.upgrade...)
		dst = append(dst, crlf...)
	}
	switch {
	case r.ContentLength >= 0:
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, r.ContentLength, 10)
		dst = append(dst, crlf...)
	case r.ContentLength == NoBody:
	default:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	return append(dst, crlf...)
}

func appendField[T string | []byte](dst []byte, name T, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, crlf...)
}

// appendCookies appends a Cookie field, under the name that it has, without the
// pairs called cookie; nothing when no other is left. Pairs end at every
// semicolon, inside quotes too, as they do where the credential is looked for.
func appendCookies(dst, name, value, cookie []byte) []byte {
	separator := ": "
	for len(value) > 0 {
		pair := value
		if semicolon := bytes.IndexByte(value, ';'); semicolon >= 0 {
			pair, value = value[:semicolon], value[semicolon+1:]
		} else {
			value = nil
		}
		pair = bytes.TrimSpace(pair)
		key, _, _ := bytes.Cut(pair, []byte("="))
		if len(pair) == 0 || bytes.Equal(bytes.TrimSpace(key), cookie) {
			continue
		}
		if separator == ": " {
			dst = append(dst, name...)
		}
		dst = append(dst, separator...)
		dst = append(dst, pair...)
		separator = "; "
	}
	if separator == ": " {
		return dst
	}
	return append(dst, crlf...)
}
