package framing

import "strings"

// hosts holds Host in every form: RFC 9112 section 3.2, RFC 9110 section 7.2.
func hosts() []Case {
	t := table{rule: "host"}
	rest := "X-Request-Id: " + id + crlf + "traceparent: " + Trace + crlf + crlf
	request := func(lines string) string { return "GET /c HTTP/1.1\r\n" + lines + rest }
	for _, lines := range []string{
		"", "Host: framing.example\r\nHost: framing.example\r\n", "Host: framing.example\r\nHost: other.example\r\n", "Host: other.example\r\nHost: framing.example\r\n",
		"Host: framing.example\r\nhost: other.example\r\n", "Host: framing.example\r\nX: y\r\nHOST:\r\n", "Host:\r\n", "Host: \t\r\n", "Host:\r\nHost: framing.example\r\n",
		"Host: a@framing.example\r\n", "Host: framing.example@other.example\r\n", "Host: a:b@framing.example\r\n", "Host: framing.example other.example\r\n", "Host: framing.example, other.example\r\n",
		"Host: framing.example,\r\n", "Host: framing.example/\r\n", "Host: framing.example/c\r\n", "Host: http://framing.example\r\n", "Host: framing.example?\r\n", "Host: framing.example#\r\n",
		"Host: framing.example;\r\n", "Host: framing.example:\r\n", "Host: framing.example:x\r\n", "Host: framing.example:80x\r\n", "Host: framing.example:-80\r\n", "Host: framing.example:+80\r\n",
		"Host: framing.example:80:80\r\n", "Host: framing.example:000080\r\n", "Host: framing.example: 80\r\n", "Host: framing.example :80\r\n", "Host: :80\r\n", "Host: framing%2eexample\r\n",
		"Host: framing\\.example\r\n", "Host: \"framing.example\"\r\n", "Host: framing.example\x00\r\n", "Host: \x00framing.example\r\n", "Host: framing\x7f.example\r\n", "Host: fr\xc3\xa4ming.example\r\n",
		"Host: framing\xe3\x80\x82example\r\n", "Host: framing.example\xa0\r\n", "Host: ::1\r\n", "Host: [::1\r\n", "Host: ::1]\r\n", "Host: [::1]x\r\n", "Host: [::1]:\r\n", "Host: [fe80::1%25lo]\r\n",
		"Host: [1::2::3]\r\n", "Host: [127.0.0.1]\r\n", "Host: [framing.example]\r\n", "Host: []\r\n", "Host: *\r\n", "Host: framing.example$\r\n", "Host: {framing.example}\r\n",
		"Host: " + strings.Repeat("a", 256) + "\r\n", "Host : framing.example\r\n", "Host\t: framing.example\r\n", " Host: framing.example\r\n", "Host\x00: framing.example\r\n", "Host;: framing.example\r\n",
		"H\xc5\x8dst: framing.example\r\n", "X-Host: framing.example\r\n", "Hosts: framing.example\r\n", ":authority: framing.example\r\n",
	} {
		t.refuse(400, "Host lines "+lines, request(lines))
	}
	t.refuse(400, "HTTP/1.0 with two Hosts", "GET /c HTTP/1.0\r\nHost: framing.example\r\n"+known+crlf)
	t.refuse(400, "HTTP/1.0 with an empty Host", "GET /c HTTP/1.0\r\nHost:\r\n\r\n")
	for _, host := range []string{
		"other.example", "framing.example.other", "x.framing.example", "127.0.0.1", "[::1]", "[::1]:80", "localhost", ".framing.example", "framing..example", "framing_example", strings.Repeat("a", 255),
	} {
		t.refuse(421, "of nobody: "+host, request("Host: "+host+crlf))
	}
	t.refuse(421, "HTTP/1.0 without Host", "GET /c HTTP/1.0\r\n"+rest)
	t.refuse(421, "HTTP/1.0 without Host, kept alive", "GET /c HTTP/1.0\r\nConnection: keep-alive\r\n"+rest)
	for _, host := range []string{"framing.example", "FRAMING.example", "framing.example:80", "framing.example:65535", "framing.example:1"} {
		t.pass("served: "+host, request("Host: "+host+crlf), plain().to(host))
	}
	t.pass("without a blank", request("Host:framing.example\r\n"), plain())
	t.pass("in blanks", request("hOsT: \t framing.example \t\r\n"), plain())
	// Names that some server folds into Host never go on.
	for _, name := range []string{"H-ost", "Host-", "-Host", "Ho.st", "H_O_S_T"} {
		t.pass("dropped: "+name, get+name+": other.example\r\n\r\n", plain())
	}
	return t.cases
}
