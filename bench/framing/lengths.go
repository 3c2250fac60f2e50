package framing

import "strings"

// badLengths lists values of Content-Length that are not one number.
func badLengths() []string {
	return []string{
		"+49", "-49", "-0", "0x31", "4_9", "49,49", "49, 49", "49,50", "49, 0", ",49", "49,", "49;", "49 49", "4 9", "49.0",
		"4.9e1", `"49"`, "'49'", "", "49L", "0b110001", "0o61", "chunked", "\xa049", "49\xa0", "\xef\xbc\x94\xef\xbc\x99", "#49",
		"9223372036854775808", "18446744073709551616", "18446744073709551665", strings.Repeat("9", 400),
	}
}

// lengths holds Content-Length in every form but one number. RFC 9112 section 6.3, RFC 9110 section 8.6.
func lengths() []Case {
	t := table{rule: "content-length"}
	for _, value := range badLengths() {
		name := value
		if len(name) > 40 {
			name = "of 400 digits"
		}
		t.refuse(400, "Content-Length "+name, post+"Content-Length: "+value+crlf+crlf+inner)
	}
	for _, lines := range []string{
		"Content-Length: 49\r\nContent-Length: 49",
		"Content-Length: 49\r\nContent-Length: 50",
		"Content-Length: 0\r\nContent-Length: 49",
		"Content-Length: 49\r\nContent-Length: 0",
		"Content-Length: 49\r\nX: y\r\ncontent-length: 49",
		"CONTENT-LENGTH: 49\r\ncontent-length: 49\r\nContent-Length: 49",
		"Content-Length: 49\r\nContent-Length:",
		"Content-Length:\r\nContent-Length: 49",
	} {
		t.refuse(400, "repeated: "+lines, post+lines+crlf+crlf+inner)
	}
	for _, line := range []string{
		"Content_Length: 49", "content_length: 49", "CONTENT_LENGTH: 49", "Content-Length : 49", "Content-Length\t: 49", "Content-Length  : 49",
		"Content Length: 49", "Content-Length\x00: 49", "\x00Content-Length: 49", "Content-Length\x0b: 49", "Content-\x01Length: 49",
		" Content-Length: 49", "\tContent-Length: 49", "X: y\r\n Content-Length: 49", "Content-Length:\r\n 49", "Content-Length: 4\r\n 9",
		"Content-Length\r\n: 49", "Content-Length: 49\r", "Content-Length: 49\x00", "Content-Length: \x0b49", "Content-Length= 49", "Content-Length",
		"X: y\nContent-Length: 49", "X: y\rContent-Length: 49", "X: y\x00\r\nContent-Length: 49", "Content-Length:\x0c49", "\xef\xbb\xbfContent-Length: 49",
		"Content-Length\xe2\x80\x8b: 49", "Content\xe2\x80\x90Length: 49", "Content-Length;: 49", "(Content-Length): 49", ":Content-Length: 49",
	} {
		t.refuse(400, "spelt: "+line, post+line+crlf+crlf+inner)
	}
	for _, value := range []string{"49", "049", "0000000000000000000000000049", " 49", "\t49\t", "49   "} {
		t.pass("Content-Length, read as 49: "+value, post+"Content-Length:"+value+crlf+crlf+inner, sized(inner))
	}
	t.pass("Content-Length 0", post+"Content-Length: 0"+crlf+crlf, sized(""))
	t.pass("Content-Length in capitals", post+"CONTENT-LENGTH: 49"+crlf+crlf+inner, sized(inner))
	// Names that some server folds into Content-Length never go on; others do.
	for _, name := range []string{"ContentLength", "Content--Length", "Content.Length", "Content-Length-", "-Content-Length", "content~length", "C-o-n-t-e-n-t-Length"} {
		t.pass("dropped: "+name, get+name+": 49"+crlf+crlf, plain())
		t.pass("dropped beside a length: "+name, post+name+": 7"+crlf+length(len(inner))+inner, sized(inner))
	}
	for _, name := range []string{"Content-Lengths", "X-Content-Length", "Content-Length2", "Content"} {
		t.pass("of no meaning: "+name, get+name+": 49"+crlf+crlf, plain(name+": 49"))
	}
	return t.cases
}
