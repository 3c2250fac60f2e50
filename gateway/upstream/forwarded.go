package upstream

import (
	"bytes"
	"net/netip"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// proxyFields is what trusted proxies said before us, to be extended. Its
// slices alias the request's field lines.
type proxyFields struct {
	hasForwardedFor, hasForwarded bool
	proto, host                   []byte
}

// take notes a field that the gateway extends or repeats itself, and reports
// whether it did; any other is passed on as it is.
func (p *proxyFields) take(name, value []byte) bool {
	switch proxyField(name) {
	case "xforwardedfor":
		p.hasForwardedFor = true
	case "forwarded":
		p.hasForwarded = true
	case "xforwardedproto":
		// Of a list, what the first proxy saw.
		p.proto, _, _ = bytes.Cut(value, []byte(","))
		p.proto = bytes.TrimSpace(p.proto)
	case "xforwardedhost":
		p.host = value
	default:
		return false
	}
	return true
}

// proxyField returns the folded name of a field that the gateway writes anew,
// "" for any other.
func proxyField(name []byte) string {
	var scratch [foldedName]byte
	switch string(fold(scratch[:0], name)) {
	case "xforwardedfor":
		return "xforwardedfor"
	case "forwarded":
		return "forwarded"
	case "xforwardedproto":
		return "xforwardedproto"
	case "xforwardedhost":
		return "xforwardedhost"
	}
	return ""
}

// append appends X-Forwarded-For, -Proto and -Host anew: what trusted proxies
// said, extended by the peer; and Forwarded (RFC 7239) where one of them spoke
// it.
func (p *proxyFields) append(dst []byte, r *Request) []byte {
	client := r.Client.Unmap().WithZone("")
	dst = append(dst, "X-Forwarded-For: "...)
	if p.hasForwardedFor {
		dst = appendReceived(dst, r.Fields, "xforwardedfor")
	}
	dst = appendPeer(dst, client)
	dst = append(dst, "\r\nX-Forwarded-Proto: "...)
	switch {
	case bytes.EqualFold(p.proto, []byte("https")), r.Secure && len(p.proto) == 0:
		dst = append(dst, "https\r\n"...)
	default:
		dst = append(dst, "http\r\n"...)
	}
	host := p.host
	if len(host) == 0 {
		host = r.ClientHost
	}
	if len(host) > 0 {
		dst = appendField(dst, "X-Forwarded-Host", host)
	}
	if !p.hasForwarded {
		return dst
	}
	dst = append(dst, "Forwarded: "...)
	dst = appendReceived(dst, r.Fields, "forwarded")
	// RFC 7239 section 6: an IPv6 address is quoted and in brackets.
	if client.Is6() {
		dst = append(dst, `for="[`...)
		dst = appendPeer(dst, client)
		return append(dst, "]\"\r\n"...)
	}
	dst = append(dst, "for="...)
	dst = appendPeer(dst, client)
	return append(dst, crlf...)
}

// appendPeer appends an address, or what RFC 7239 section 6.2 calls one that is
// not known.
func appendPeer(dst []byte, peer netip.Addr) []byte {
	if !peer.IsValid() {
		return append(dst, "unknown"...)
	}
	return peer.AppendTo(dst)
}

// appendReceived appends the received values of the field called folded, each
// with a comma behind it. All of them: the last are those of the proxies nearest
// to us, the first may be of anyone's making.
func appendReceived(dst, raw []byte, folded string) []byte {
	fields := wire.NewFields(raw)
	for fields.Next() {
		if len(fields.Value) > 0 && proxyField(fields.Name) == folded {
			dst = append(dst, fields.Value...)
			dst = append(dst, ", "...)
		}
	}
	return dst
}
