package framing

import "fmt"

// targets holds request targets: RFC 9112 section 3.2, RFC 3986.
func targets() []Case {
	t := table{rule: "targets"}
	request := func(target string) string { return "GET " + target + " HTTP/1.1\r\n" + known + crlf }
	for _, target := range []string{
		"http://" + Host + "/c", "http://other.example/c", "HTTP://" + Host + "/c", "https://" + Host + "/c", "http:/c", "http://", "ftp://x/", "//" + Host,
		Host + ":80", Host, "*", "c", "?x", "#", "%2f", "\\c", "..", ".", "/c#d", "/c?x#d", "/#", "/%2f", "/c%2F..%2fd", "/%5c", "/\\c", "/c;d", "/c%3bd", "/%00",
		"/%0d%0aX:%20y", "/%0a", "/%7f", "/%zz", "/%", "/%2", "/%u002f", "/%252f", "/%25%32%66", "/%c0%af", "/%e0%80%af", "/%ff", "/c%80", "/..", "/../c", "/c/../..",
		"/%2e%2e/c", "/%2e./c", "/.%2e/c", "/c/%2e%2e/%2e%2e/d", "/\xc3\xa9", "/\xff", "/c\"d", "/<c>", "/c|d", "/c^d", "/c`d", "/{c}", "/[c]", "/c%",
	} {
		if target == "//"+Host {
			continue // Normalised below.
		}
		t.refuse(400, "target "+target, request(target))
	}
	for _, c := range controls() {
		t.refuse(400, fmt.Sprintf("%#02x within a target", c), request("/c"+string(rune(c))+"d"))
	}
	t.refuse(400, "asterisk-form", "OPTIONS * HTTP/1.1\r\n"+known+crlf)
	t.refuse(400, "absolute-form in HTTP/1.0", "GET http://"+Host+"/c HTTP/1.0\r\n"+known+crlf)
	t.refuse(400, "absolute-form without Host", "GET http://"+Host+"/c HTTP/1.1\r\n\r\n")
	t.refuse(400, "absolute-form that disagrees with Host", "GET http://other.example/c HTTP/1.1\r\n"+known+crlf)
	t.refuse(400, "absolute-form that Host disagrees with", "GET http://"+Host+"/c HTTP/1.1\r\nHost: other.example\r\n\r\n")
	for _, c := range [][2]string{
		{"/", "/"},
		{"/c/", "/c/"},
		{"//c", "/c"},
		{"//" + Host + "/c", "/" + Host + "/c"},
		{"/c//d", "/c/d"},
		{"/./c", "/c"},
		{"/a/../c", "/c"},
		{"/a/%2e%2e/c", "/c"},
		{"/c/.", "/c/"},
		{"/c/d/..", "/c/"},
		{"/%63", "/c"},
		{"/%7ec", "/~c"},
		{"/c%c3%a9", "/c%C3%A9"},
		{"/c%20d", "/c%20d"},
		{"/c%3fd", "/c%3Fd"},
		{"/c%23d", "/c%23d"},
		{"/c%25", "/c%25"},
		{"/c:d@e!$&'()*+,=", "/c:d@e!$&'()*+,="},
		{"/c?", "/c?"},
		{"/c??", "/c??"},
		{"/c?a=/../b//c", "/c?a=/../b//c"},
		{"/c?u=http://other.example/", "/c?u=http://other.example/"},
		{"/c?a=%zz%2f%00%0d%0a", "/c?a=%zz%2f%00%0d%0a"},
		{"/c?a=%", "/c?a=%"},
		{"/c?a;b\\c", "/c?a;b\\c"},
		{"/c?a=1&a=2&&=", "/c?a=1&a=2&&="},
		{"/http://other.example/c", "/http:/other.example/c"},
	} {
		t.pass("target "+c[0], request(c[0]), plain().at(c[1]))
	}
	return t.cases
}
