package upstream

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // not for secrecy: RFC 6455 section 4.2.2 says so
	"encoding/base64"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

const websocket = "websocket"

// wantedUpgrade returns the protocol that the request asks to change to, as the
// site spells it, or "" where it asks for none that it may have. A request that
// may not be upgraded goes on as an ordinary one, as RFC 9110 section 7.8 lets
// any server do.
//
// It is narrow, because all that follows a 101 passes unchecked: HTTP/1.1, GET,
// no body, and one Upgrade field, which Connection nominates, with one protocol.
func (r *Request) wantedUpgrade(ctx *fasthttp.RequestCtx, n *nominations) string {
	if n.n == 0 || r.Streaming == nil || len(r.Streaming.Upgrades) == 0 {
		return ""
	}
	if !n.has([]byte("Upgrade")) || !ctx.Request.Header.IsHTTP11() || string(r.Method) != "GET" ||
		r.ContentLength != NoBody && r.ContentLength != 0 {
		return ""
	}
	asked, ok := soleField(r.Fields, "Upgrade")
	if !ok {
		return ""
	}
	for _, protocol := range r.Streaming.Upgrades {
		if !strings.EqualFold(protocol, string(asked)) || isHTTP(protocol) {
			continue
		}
		if strings.EqualFold(protocol, websocket) {
			// RFC 6455 section 4.2.1 requires the key, and the answer to it is
			// what shows that the upstream understood.
			if key, ok := soleField(r.Fields, "Sec-WebSocket-Key"); !ok || len(key) == 0 {
				return ""
			}
		}
		return protocol
	}
	return ""
}

// isHTTP reports whether a protocol is HTTP in another version or below TLS
// (RFC 7540 section 3.2, RFC 2817): requests would come through the tunnel that
// nobody has decided about ("h2c smuggling").
func isHTTP(protocol string) bool {
	name, _, _ := strings.Cut(strings.ToLower(protocol), "/")
	return name == "" || name == "http" || name == "https" || name == "tls" || strings.HasPrefix(name, "h2") || strings.HasPrefix(name, "h3")
}

// soleField returns the value of the one field called name; not ok where there
// is none or there are more.
func soleField(lines []byte, name string) (value []byte, ok bool) {
	fields := wire.NewFields(lines)
	for n := 0; fields.Next(); {
		if len(fields.Name) == len(name) && bytes.EqualFold(fields.Name, []byte(name)) {
			if n++; n > 1 {
				return nil, false
			}
			value, ok = fields.Value, true
		}
	}
	return value, ok
}

// switches reports whether the 101 response with the head in raw changes to what
// the request asked for and to nothing else. Some upstreams pass on a status
// that they got from elsewhere: one that does not speak the protocol must not
// become a tunnel.
func (r *Request) switches(raw []byte) bool {
	lines := raw[bytes.IndexByte(raw, '\n')+1 : len(raw)-len(crlf)]
	var n nominations
	protocol, ok := soleField(lines, "Upgrade")
	// RFC 9110 section 7.8: a sender of Upgrade nominates it in Connection.
	if !ok || !strings.EqualFold(string(protocol), r.upgrade) || !n.collect(lines) || !n.has([]byte("Upgrade")) {
		return false
	}
	if !strings.EqualFold(r.upgrade, websocket) {
		return true
	}
	key, _ := soleField(r.Fields, "Sec-WebSocket-Key")
	accept, ok := soleField(lines, "Sec-WebSocket-Accept")
	return ok && string(accept) == webSocketAccept(key)
}

// webSocketAccept is the answer to a Sec-WebSocket-Key, RFC 6455 section 4.2.2.
func webSocketAccept(key []byte) string {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	sum := sha1.Sum(append(bytes.Clone(key), guid...)) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(sum[:])
}

// passThrough ends the framing checks of the client's connection.
func passThrough(ctx *fasthttp.RequestCtx) error {
	checked, ok := connBelow[interface{ PassThrough(requests uint64) error }](ctx.Conn())
	if ok && checked.PassThrough(ctx.ConnRequestNum()) != nil {
		return ErrUpgradeEarly
	}
	return nil
}
