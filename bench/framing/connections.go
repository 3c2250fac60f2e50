package framing

import "strings"

// connections holds the fields of one hop, and what keeps or ends a connection: RFC 9110 section 7.6.1, RFC 9112
// section 9.3.
func connections() []Case {
	t := table{rule: "connection"}
	old := "GET /c HTTP/1.0\r\n" + known
	t.last("HTTP/1.0", old+crlf, plain().from10())
	t.last("HTTP/1.0 with another connection option", old+"Connection: x\r\n\r\n", plain().from10())
	t.last("HTTP/1.0 with close", old+"Connection: close\r\n\r\n", plain().from10())
	t.last("HTTP/1.0 with both", old+"Connection: keep-alive, close\r\n\r\n", plain().from10())
	t.last("HTTP/1.0 with a body", "POST /c HTTP/1.0\r\n"+known+length(len(inner))+inner, sized(inner).from10())
	for _, value := range []string{"keep-alive", "Keep-Alive", "KEEP-ALIVE", " keep-alive\t"} {
		t.pass("HTTP/1.0, kept: "+value, old+"Connection:"+value+"\r\n\r\n", plain().from10())
	}
	t.pass("HTTP/1.0 with a body, kept", "POST /c HTTP/1.0\r\n"+known+"Connection: keep-alive\r\n"+length(len(inner))+inner, sized(inner).from10())
	for _, lines := range []string{
		"Connection: close", "connection: CLOSE", "Connection: close, x", "Connection: x, close", "Connection: x ,\tclose", "Connection: keep-alive, close", "Connection: close, keep-alive",
		"Connection: keep-alive\r\nConnection: close", "Connection: close\r\nConnection: keep-alive", "Connection: ,close,",
	} {
		t.last("ended by "+lines, get+lines+crlf+crlf, plain())
	}
	for _, lines := range []string{
		"Connection: keep-alive", "Connection:", "Connection: ,,", "Connection: closed", "Connection: x-close", "Connection: \"close\"", "Keep-Alive: timeout=5, max=1", "Proxy-Connection: close",
		"Proxy-Connection: keep-alive", "TE: trailers", "TE: gzip;q=0.5", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
		"Proxy-Authorization: Basic eDp5", "Connection: TE\r\nTE: trailers", "HTTP2-Settings: AAMAAABkAAQAAP__", "Connection: X-Hop\r\nX-Hop: 1", "connection: x-hop , X-OTHER\r\nX-Hop: 1\r\nx-other: 2",
		"X-Hop: 1\r\nConnection: x-hop", "Connection: X-A\r\nConnection: X-B\r\nX-A: 1\r\nX-B: 2", "Proxy: http://evil.example",
	} {
		t.pass("of this hop: "+lines, get+lines+crlf+crlf, plain())
	}
	// What is nominated never strips what the gateway writes, nor the framing.
	for _, name := range []string{
		"Host", "Content-Length", "Transfer-Encoding", "Connection", "Content-Type", "X-Request-Id", "traceparent", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Authorization",
		"X-VNeID-Subject", "x-vneid-account-level", "Expect", "close-not", "*",
	} {
		t.pass("nominated: "+name, post+"Connection: "+name+crlf+length(len(inner))+inner, sized(inner))
		t.pass("nominated, with chunks: "+name, post+"Connection: "+name+"\r\nTransfer-Encoding: chunked\r\n\r\n"+aChunk(inner)+"0\r\n\r\n", chunked(inner))
	}
	t.pass("sixteen nominations", get+"Connection: "+strings.Repeat("a,", 16)+"\r\nA: 1\r\nB: 2\r\n\r\n", plain("B: 2"))
	t.refuse(400, "seventeen nominations", get+"Connection: "+strings.Repeat("a,", 17)+"\r\n\r\n")
	t.refuse(400, "seventeen nominations in as many fields", get+strings.Repeat("Connection: a\r\n", 17)+crlf)
	t.refuse(400, "NUL in Connection", get+"Connection: close\x00\r\n\r\n")
	t.refuse(400, "a folded Connection", get+"Connection: keep-alive,\r\n close\r\n\r\n")
	return t.cases
}
