package framing

import (
	"fmt"
	"strconv"
)

// Beginnings of requests that are sound so far.
const (
	crlf  = "\r\n"
	known = "Host: " + Host + crlf + "X-Request-Id: " + id + crlf + "traceparent: " + Trace + crlf
	get   = "GET /c HTTP/1.1" + crlf + known
	post  = "POST /c HTTP/1.1" + crlf + known
	chunk = post + "Transfer-Encoding: chunked" + crlf + crlf
)

// inner is a body that would be a request to whoever looks for one where the body begins.
const inner = "GET /smuggled HTTP/1.1" + crlf + "Host: " + Host + crlf + crlf

// table collects the cases of one rule.
type table struct {
	rule  string
	cases []Case
}

func (t *table) add(c Case, name, raw string) {
	c.Rule, c.Name, c.raw = t.rule, name, raw
	t.cases = append(t.cases, c)
}

// refuse enters a stream that is answered with an error and closed; nothing of it reaches an upstream.
func (t *table) refuse(status int, name, raw string) {
	t.add(Case{Status: status, Closes: true}, name, raw)
}

// cut enters a stream whose body turns out to be malformed: the request may have begun at the upstream.
func (t *table) cut(status int, name, raw string, begun Forward) {
	t.add(Case{Status: status, Closes: true, Begun: &begun}, name, raw)
}

// pass enters a stream that is one good request, and leaves the connection open.
func (t *table) pass(name, raw string, seen Forward) {
	t.add(Case{Status: 200, Seen: []Forward{seen}}, name, raw)
}

// last enters a stream that is one good request, and ends the connection.
func (t *table) last(name, raw string, seen Forward) {
	t.add(Case{Status: 200, Seen: []Forward{seen}, Closes: true}, name, raw)
}

// plain is what the upstream sees of get, with these fields besides.
func plain(fields ...string) Forward {
	return Forward{Method: "GET", Target: "/c", Host: Host, Fields: fields}
}

// sized is what the upstream sees of post with a Content-Length.
func sized(body string, fields ...string) Forward {
	return Forward{Method: "POST", Target: "/c", Host: Host, Fields: fields, Framing: Sized, Body: body}
}

// chunked is what the upstream sees of post with chunks.
func chunked(body string, fields ...string) Forward {
	return Forward{Method: "POST", Target: "/c", Host: Host, Fields: fields, Framing: Chunked, Body: body}
}

// at returns f with another target.
func (f Forward) at(target string) Forward {
	f.Target = target
	return f
}

// by returns f with another method.
func (f Forward) by(method string) Forward {
	f.Method = method
	return f
}

// to returns f with another host.
func (f Forward) to(host string) Forward {
	f.Host = host
	return f
}

// from10 returns f as sent by a client of HTTP/1.0.
func (f Forward) from10() Forward {
	f.HTTP10 = true
	return f
}

// length is a Content-Length line and the end of the head.
func length(n int) string { return "Content-Length: " + strconv.Itoa(n) + crlf + crlf }

// aChunk is one chunk.
func aChunk(data string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(data), data) }

// controls lists the control bytes but for TAB, LF and CR.
func controls() []byte {
	all := []byte{0x7f}
	for c := range byte(' ') {
		if c != '\t' && c != '\n' && c != '\r' {
			all = append(all, c)
		}
	}
	return all
}
