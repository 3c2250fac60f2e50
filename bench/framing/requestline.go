package framing

import (
	"fmt"
	"strings"
)

// preface is what a client of HTTP/2 sends first, with an empty SETTINGS frame: RFC 9113 section 3.4.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// requestLines holds request lines that are none, and other protocols: RFC 9112 section 3.
func requestLines() []Case {
	t := table{rule: "request-line"}
	method := func(status int, m string) {
		t.refuse(status, fmt.Sprintf("method %.40q", m), m+" /c HTTP/1.1\r\n"+known+length(len(inner))+inner)
	}
	for _, m := range []string{"CONNECT", "TRACE", "connect", "trace", "get", "Get", "post", "pOST", "geT"} {
		method(501, m)
	}
	for _, m := range []string{
		"", "G(T", "GET,", "\"GET\"", "G\x00ET", "GET\x00", "\x00GET", "GET\x7f", "GET\t", "\xef\xbb\xbfGET", "\xc4\xa0ET", "G\xc9T", "GET:", "GET@", "[GET]", "GET/", " GET", "\tGET",
		strings.Repeat("G", 33), strings.Repeat("G", 5000),
	} {
		method(400, m)
	}
	t.refuse(501, "CONNECT with an authority", "CONNECT "+Host+":443 HTTP/1.1\r\n"+known+crlf)
	t.refuse(501, "CONNECT with a body", "CONNECT "+Host+":80 HTTP/1.1\r\n"+known+length(len(inner))+inner)
	t.refuse(501, "TRACE without a body", "TRACE /c HTTP/1.1\r\n"+known+"Max-Forwards: 0\r\n\r\n")
	for _, version := range []string{"HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/9.9", "HTTP/2.1", "HTTP/2", "HTTP/01.1"} {
		t.refuse(505, "version "+version, "GET /c "+version+"\r\n"+known+crlf)
	}
	for _, version := range []string{
		"HTTP/1", "HTTP/1.", "HTTP/1.10", "HTTP/1.11", "HTTP/1.01", "HTTP/1.1x", "HTTP/1.1 ", "HTTP/1.1\t", "HTTP/1.1 HTTP/1.1", " HTTP/1.1",
		"http/1.1", "Http/1.1", "HTTP /1.1", "HTTP/ 1.1", "HTTP/+1.1", "HTTP/-1.1", "HTTP/1,1", "HTTP-1.1", "HTTP1.1", "HTTPS/1.1", "ICY/1.1", "HTCPCP/1.0", "XHTTP/1.1",
		"HTTP//1.1", "HTTP/1.1/", "HTTP/1:1", "HTTP/A.B", "HTTP/\xef\xbc\x91.1", "", "\x00HTTP/1.1", "HTTP/1.1\x00", "HTTP/1.1;a", "x", "RTSP/1.0", "HTTP/11", "HTTP/1.1.1",
	} {
		t.refuse(400, fmt.Sprintf("version %q", version), "GET /c "+version+"\r\n"+known+crlf)
	}
	for _, c := range []struct {
		status int
		name   string
		raw    string
	}{
		{400, "HTTP/0.9", "GET /c\r\n"},
		{400, "HTTP/0.9 behind a blank line", "\r\nGET /c\r\n"},
		{400, "HTTP/0.9 ended by LF", "GET /c\n"},
		{400, "a method alone", "GET\r\n\r\n"},
		{400, "a method and a blank", "GET \r\n\r\n"},
		{400, "no target", "GET  HTTP/1.1\r\n" + known + crlf},
		{400, "two blanks before the target", "GET  /c HTTP/1.1\r\n" + known + crlf},
		{400, "two blanks behind the target", "GET /c  HTTP/1.1\r\n" + known + crlf},
		{400, "TABs instead of blanks", "GET\t/c\tHTTP/1.1\r\n" + known + crlf},
		{400, "a TAB before the target", "GET \t/c HTTP/1.1\r\n" + known + crlf},
		{400, "a TAB behind the target", "GET /c\tHTTP/1.1\r\n" + known + crlf},
		{400, "a vertical TAB instead of a blank", "GET\x0b/c HTTP/1.1\r\n" + known + crlf},
		{400, "a form feed instead of a blank", "GET /c\x0cHTTP/1.1\r\n" + known + crlf},
		{400, "a no-break space instead of a blank", "GET\xa0/c HTTP/1.1\r\n" + known + crlf},
		{400, "a line end within the request line", "GET\r\n/c HTTP/1.1\r\n" + known + crlf},
		{400, "a line end before the version", "GET /c\r\nHTTP/1.1\r\n" + known + crlf},
		{400, "a CR before the version", "GET /c\rHTTP/1.1\r\n" + known + crlf},
		{400, "a field first", "Host: " + Host + crlf + get + crlf},
		{400, "a blank first", " " + get + crlf},
		{400, "a response", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{400, "a chunk", "5\r\nhello\r\n0\r\n\r\n"},
		{400, "the PROXY protocol, version 1", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + get + crlf},
		{400, "the PROXY protocol, version 2", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x00\x01\x00\x02" + get + crlf},
		{400, "TLS", "\x16\x03\x01\x00\x2e\x01\x00\x00\x2a\x03\x03"},
		{400, "SSL 2", "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"},
		{400, "SOCKS 4", "\x04\x01\x00\x50\x7f\x00\x00\x01\x00"},
		{400, "SOCKS 5", "\x05\x01\x00"},
		{400, "SSH", "SSH-2.0-OpenSSH_9.2\r\n"},
		{400, "SMTP", "EHLO framing.example\r\n"},
		{400, "Redis", "*1\r\n$4\r\nPING\r\n"},
		{505, "the HTTP/2 preface", preface},
		{505, "the HTTP/2 preface behind a blank line", "\r\n" + preface},
		{505, "a frame of HTTP/2 behind its preface", preface + "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08"},
		{505, "the HTTP/2 preface of another version", "PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n"},
		{400, "the rest of the HTTP/2 preface", "SM\r\n\r\n" + get + crlf},
	} {
		t.refuse(c.status, c.name, c.raw)
	}
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"} {
		t.pass("method "+m+" with a body", m+" /c HTTP/1.1\r\n"+known+length(len(inner))+inner, sized(inner).by(m))
		t.pass("method "+m+" with chunks", m+" /c HTTP/1.1\r\n"+known+"Transfer-Encoding: chunked\r\n\r\n"+aChunk(inner)+"0\r\n\r\n", chunked(inner).by(m))
	}
	for _, m := range []string{"GET", "HEAD"} {
		t.pass("method "+m+" without a body", m+" /c HTTP/1.1\r\n"+known+crlf, plain().by(m))
	}
	// RFC 9110 section 8.6: where the method may have a body, its absence is said.
	for _, m := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH"} {
		t.pass("method "+m+" without a body", m+" /c HTTP/1.1\r\n"+known+crlf, sized("").by(m))
	}
	return t.cases
}
