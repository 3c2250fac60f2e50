package upstream

import "strings"

// class says what becomes of a request field on its way to an upstream.
type class uint8

const (
	// forwarded as received.
	classEndToEnd class = iota
	// belongs to this hop alone (RFC 9110 section 7.6.1), or is written anew.
	classHop
	// states or seems to state an identity: only the gateway may.
	classIdentity
	// tells of proxies before us: believed from trusted ones only.
	classProxy
	// names the request or its trace: carried or made by the gateway.
	classTrace
	// may carry the credential.
	classAuthorization
	classCookie
)

// identityPrefix begins every identity field's folded name.
const identityPrefix = "xvneid"

// classify decides by a field's name alone. Names are folded to lower-case
// letters and digits first, because upstreams fold too: CGI and WSGI read
// X_VNeID_Subject and X-VNeID-Subject as one variable (CVE-2025-64484 was
// this).
func classify(name []byte) class {
	var scratch [foldedName]byte
	folded := fold(scratch[:0], name)
	if len(folded) > 0 && folded[0] == 'x' {
		return classifyExtension(string(folded)) // does not escape: no allocation
	}
	return classifyPlain(string(folded))
}

func classifyPlain(folded string) class {
	switch folded {
	case "host", "connection", "keepalive", "proxyconnection", "proxyauthorization", "proxyauthenticate",
		"te", "trailer", "transferencoding", "upgrade", "http2settings", "contentlength", "expect",
		// CGI would hand it to programs as HTTP_PROXY (CVE-2016-5385).
		"proxy":
		return classHop
	case "forwarded", "forwardedfor", "trueclientip", "clientip", "cfconnectingip":
		return classProxy
	case "traceparent", "tracestate":
		return classTrace
	case "authorization":
		return classAuthorization
	case "cookie":
		return classCookie
	}
	return classEndToEnd
}

func classifyExtension(folded string) class {
	switch folded {
	case "xhttpmethodoverride", "xhttpmethod", "xmethodoverride", "xoriginalmethod", "xforwardedmethod",
		"xoriginalurl", "xoriginaluri", "xoriginalpath", "xrewriteurl", "xforwardeduri", "xforwardedurl", "xforwardedpath":
		// The rule was found for the method and path of the request line, and
		// an upstream must not act on others: not even a trusted proxy's.
		return classHop
	}
	switch {
	case strings.HasPrefix(folded, identityPrefix):
		return classIdentity
	case strings.HasPrefix(folded, "xforwarded"),
		// X-Original-Host, -Forwarded-For.
		strings.HasPrefix(folded, "xoriginal"):
		return classProxy
	}
	switch folded {
	case "xrealip", "xclientip", "xclusterclientip", "xproxyuserip":
		return classProxy
	case "xrequestid":
		return classTrace
	}
	return classEndToEnd
}

// foldedName is longer than every name that classify knows, so that a name cut
// to it is never taken for one of them, while every prefix is still found.
const foldedName = 24

// fold appends name's letters, lower-cased, and digits to dst, as many as fit
// dst's capacity.
func fold(dst, name []byte) []byte {
	for _, c := range name {
		if c = foldTable[c]; c != 0 && len(dst) < cap(dst) {
			dst = append(dst, c)
		}
	}
	return dst
}

// foldTable maps letters to lower case, digits to themselves, all else to 0.
var foldTable = makeFoldTable()

func makeFoldTable() (t [256]byte) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			t[c] = byte(c)
		case c >= 'A' && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		}
	}
	return t
}
