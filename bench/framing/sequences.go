package framing

import (
	"fmt"
	"strings"
)

// bodies holds contents that look like something else to a parser that has lost its place.
func bodies() []Case {
	t := table{rule: "bodies"}
	for i, body := range []string{
		inner, crlf + inner, crlf + crlf + inner, inner + inner, "\n\n" + inner, "0\r\n\r\n" + inner, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", preface, "\x16\x03\x01\x00\x2e", "\x00", everyByte(),
		"Content-Length: 0\r\n\r\n" + inner, " X: y\r\n\r\n" + inner, "\r\n", "\n", "\r", "0\r\n\r\n", strings.Repeat(inner, 600),
	} {
		t.pass(fmt.Sprintf("%d, by length", i), post+length(len(body))+body, sized(body))
		t.pass(fmt.Sprintf("%d, by length, to GET", i), get+length(len(body))+body, sized(body).by("GET"))
		t.pass(fmt.Sprintf("%d, in chunks", i), chunk+aChunk(body)+"0\r\n\r\n", chunked(body))
	}
	return t.cases
}

// sequences holds several requests on one connection, sent without waiting: RFC 9112 section 9.3.2.
func sequences() []Case {
	t := table{rule: "sequences"}
	three := []Forward{plain(), sized(inner), chunked(inner)}
	good := get + crlf + post + length(len(inner)) + inner + chunk + aChunk(inner) + "0\r\n\r\n"
	t.add(Case{Status: 200, Seen: three}, "three good ones", good)
	t.add(Case{Status: 200, Seen: three}, "three good ones, each behind a blank line", crlf+get+crlf+crlf+post+length(len(inner))+inner+crlf+chunk+aChunk(inner)+"0\r\n\r\n")
	t.add(Case{Status: 200, Seen: append(three[:3:3], plain()), Closes: true}, "the last one asks to close", good+get+"Connection: close\r\n\r\n")
	for _, c := range []struct {
		status int
		name   string
		raw    string
	}{
		{400, "one with two lengths", post + "Content-Length: 49\r\n" + length(50) + inner},
		{400, "one with a length and a coding", post + "Transfer-Encoding: chunked\r\n" + length(49) + inner},
		{501, "one with an unknown coding", post + "Transfer-Encoding: xchunked\r\n\r\n" + inner},
		{400, "one with a bare LF", get + "X: y\n\r\n"},
		{400, "one without Host", "GET /c HTTP/1.1\r\n\r\n"},
		{417, "one with an expectation", post + "Expect: x\r\n" + length(49) + inner},
		{505, "the HTTP/2 preface", preface},
		{400, "TLS", "\x16\x03\x01\x00\x2e"},
		{421, "one to another host", "GET /c HTTP/1.1\r\nHost: other.example\r\n\r\n"},
		{400, "one with a target that has two meanings", "GET /c%2f..%2fd HTTP/1.1\r\n" + known + crlf},
		{501, "one with a method in lower case", "get /c HTTP/1.1\r\n" + known + crlf},
		{413, "one with a body too long", post + length(BodyBytes+1) + strings.Repeat(inner, 200)},
	} {
		t.add(Case{Status: c.status, Seen: three, Closes: true}, "three good ones, then "+c.name, good+c.raw)
	}
	t.add(Case{Status: 400, Seen: three, Begun: new(chunked(inner + inner)), Closes: true}, "three good ones, then one with a broken chunk", good+chunk+aChunk(inner)+"31\n"+inner+"\r\n0\r\n\r\n")
	return t.cases
}
