package framing

// expectations holds Expect: RFC 9110 section 10.1.1.
func expectations() []Case {
	t := table{rule: "expect"}
	for _, lines := range []string{
		"Expect: 200-ok", "Expect:", "Expect: 100", "Expect: 100-continue, x", "Expect: x, 100-continue", "Expect: 100-continue;a=b", "Expect: 100-continuex", "Expect: 100-cont", "Expect: 100 continue",
		"Expect: 100_continue", "Expect: \"100-continue\"", "Expect: 100-continue\r\nExpect: 100-continue", "Expect: 100-continue\r\nexpect: x", "Expect: 101", "Expect: \xa0100-continue", "Expect: no",
	} {
		t.refuse(417, lines, post+lines+crlf+length(len(inner))+inner)
	}
	for _, lines := range []string{"Expect : 100-continue", "Expect: 100-continue\x00", "Expect: \x0b100-continue", "Expect: 100-continue\r\n ,x", "X: y\nExpect: 100-continue"} {
		t.refuse(400, lines, post+lines+crlf+length(len(inner))+inner)
	}
	t.refuse(400, "100-continue with two lengths", post+"Expect: 100-continue\r\nContent-Length: 49\r\n"+length(len(inner))+inner)
	t.refuse(501, "100-continue with an unknown coding", post+"Expect: 100-continue\r\nTransfer-Encoding: gzip\r\n\r\n"+inner)
	t.refuse(417, "an expectation without a body", get+"Expect: x\r\n\r\n")
	t.refuse(417, "an expectation in HTTP/1.0", "POST /c HTTP/1.0\r\n"+known+"Expect: x\r\n"+length(len(inner))+inner)
	for _, value := range []string{"100-continue", "100-Continue", " 100-continue ", "\t100-CONTINUE"} {
		t.add(Case{Status: 200, Seen: []Forward{sized(inner)}, Interim: true}, "expects "+value, post+"Expect:"+value+crlf+length(len(inner))+inner)
	}
	t.add(Case{Status: 200, Seen: []Forward{chunked(inner)}, Interim: true}, "expects, with chunks", post+"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"+aChunk(inner)+"0\r\n\r\n")
	t.add(Case{Status: 400, Begun: new(chunked(inner)), Interim: true, Closes: true}, "expects, with broken chunks", post+"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"+aChunk(inner)+"x\r\n\r\n")
	t.add(Case{Status: 200, Seen: []Forward{plain()}, Interim: true}, "expects, without a body", get+"Expect: 100-continue\r\n\r\n")
	// RFC 9110 section 10.1.1: a client of HTTP/1.0 gets no interim response.
	t.last("expects, in HTTP/1.0", "POST /c HTTP/1.0\r\n"+known+"Expect: 100-continue\r\n"+length(len(inner))+inner, sized(inner).from10())
	return t.cases
}
