package framing

import "fmt"

// lineEnds holds line ends other than CR LF, and lines that continue others: RFC 9112 sections 2.2 and 5.2.
func lineEnds() []Case {
	t := table{rule: "line-ends"}
	line := "GET /c HTTP/1.1"
	for _, c := range [][2]string{
		{"LF behind the request line", line + "\n" + known + crlf},
		{"LF behind a field", get + "X: y\n\r\n"},
		{"LF as the blank line", get + "\n"},
		{"LF everywhere", "GET /c HTTP/1.1\nHost: " + Host + "\n\n"},
		{"LF before the request line", "\n" + get + crlf},
		{"LF LF before the request line", "\n\n" + get + crlf},
		{"LF CR behind the request line", line + "\n\r" + known + crlf},
		{"LF CR behind a field", get + "X: y\n\r\r\n"},
		{"LF within a value", get + "X: y\nX-Z: z\r\n\r\n"},
		{"LF within a name", get + "X\nY: z\r\n\r\n"},
		{"LF at the end of a value, as data", get + "X: y\n\n" + inner},
		{"CR behind the request line", line + "\r" + known + crlf},
		{"CR behind a field", get + "X: y\r\r\n"},
		{"CR CR LF behind the request line", line + "\r\r\n" + known + crlf},
		{"CR as the blank line", get + "\r" + inner},
		{"CR CR as the blank line", get + "\r\r" + inner},
		{"CR within a value", get + "X: y\rX-Z: z\r\n\r\n"},
		{"CR within a name", get + "X\rY: z\r\n\r\n"},
		{"CR before a name", get + "\rX: y\r\n\r\n"},
		{"CR behind a colon", get + "X:\ry\r\n\r\n"},
		{"CR before the request line", "\r" + get + crlf},
		{"two blank lines before the request line", "\r\n\r\n" + get + crlf},
		{"a folded value", get + "X: y\r\n z\r\n\r\n"},
		{"a value folded with TAB", get + "X: y\r\n\tz\r\n\r\n"},
		{"a value folded into nothing", get + "X: y\r\n \r\n\r\n"},
		{"a folded empty value", get + "X:\r\n y\r\n\r\n"},
		{"a folded Host", "GET /c HTTP/1.1\r\nHost:\r\n " + Host + "\r\n\r\n"},
		{"a field folded into the request line", line + "\r\n X: y\r\n" + known + crlf},
		{"a TAB before the first field", line + "\r\n\tX: y\r\n" + known + crlf},
		{"a line of blanks behind the request line", line + "\r\n \r\n" + known + crlf},
		{"a line of blanks as the blank line", get + " \r\n\r\n"},
	} {
		t.refuse(400, c[0], c[1])
	}
	t.pass("one blank line before the request line", "\r\n"+get+crlf, plain())
	for _, c := range []string{"\x0b", "\x0c", "\x1c", "\x1e"} {
		t.refuse(400, fmt.Sprintf("%q between two fields", c), get+"X: y"+c+"\r\n"+"Y: z\r\n\r\n")
	}
	// Line ends of Unicode are bytes like others.
	for _, c := range []string{"\xc2\x85", "\x85", "\xe2\x80\xa8", "\xc4\x8a", "\xc4\x8d"} {
		t.pass(fmt.Sprintf("%q within a value", c), get+"X: y"+c+"Content-Length: 49\r\n\r\n", plain("X: y"+c+"Content-Length: 49"))
	}
	return t.cases
}

// fieldNames holds names that are no tokens, and lines without a name: RFC 9110 section 5.1, RFC 9112 section 5.1.
func fieldNames() []Case {
	t := table{rule: "field-names"}
	for _, c := range controls() {
		t.refuse(400, fmt.Sprintf("%#02x within a name", c), get+"X"+string(rune(c))+"Y: z\r\n\r\n")
	}
	for _, c := range "()<>@,;\\\"/[]?={}" {
		t.refuse(400, fmt.Sprintf("%q within a name", c), get+"X"+string(c)+"Y: z\r\n\r\n")
	}
	for _, line := range []string{
		"X : y", "X\t: y", "X  : y", "X Y: z", ": y", ":y", " : y", ":", ":authority: x", "no colon", "nocolon", "X", "\xc3\xa9: y", "X\xff: y", "\xef\xbb\xbfX: y",
		"X\xe2\x80\x8b: y", "GET /smuggled HTTP/1.1", "HTTP/1.1 200 OK", "X\xa0: y", "Host : " + Host, "X-VNeID-Subject : forged", "Connection : close",
	} {
		t.refuse(400, fmt.Sprintf("line %q", line), get+line+"\r\n\r\n")
	}
	for _, name := range []string{"X!#$%&'*+-.^_`|~0", "x", "0", "!", "~", "X_Y", "X.Y", "X~Y"} {
		t.pass("name "+name, get+name+": y\r\n\r\n", plain(name+": y"))
	}
	return t.cases
}

// fieldValues holds values with bytes that no value may have, and unusual ones that are sound: RFC 9110 section 5.5.
func fieldValues() []Case {
	t := table{rule: "field-values"}
	for _, c := range controls() {
		t.refuse(400, fmt.Sprintf("%#02x within a value", c), get+"X: y"+string(rune(c))+"z\r\n\r\n")
		t.refuse(400, fmt.Sprintf("%#02x at the end of a value", c), get+"X: y"+string(rune(c))+"\r\n\r\n")
	}
	for _, c := range [][2]string{
		{"empty", ""},
		{"a colon", ":"},
		{"a line of a request", "GET /smuggled HTTP/1.1"},
		{"UTF-8", "Nguy\xe1\xbb\x85n"},
		{"Latin-1", "caf\xe9"},
		{"no UTF-8", "\xff\xfe\xc0\xaf"},
		{"a TAB within", "y\tz"},
		{"blanks within", "y   z"},
		{"every visible byte", "!\"#$%&'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~"},
		{"an encoded line end", "y%0d%0aX-Z: z"},
		{"an escaped line end", `y\r\nX-Z: z`},
	} {
		t.pass("value: "+c[0], get+"X: "+c[1]+"\r\n\r\n", plain("X: "+c[1]))
	}
	t.pass("blanks around a value", get+"X: \t y z \t \r\n\r\n", plain("X: y z"))
	t.pass("nothing but blanks", get+"X: \t \r\n\r\n", plain("X: "))
	t.pass("no blank behind the colon", get+"X:y\r\n\r\n", plain("X: y"))
	t.pass("repeated fields keep their order", get+"X: 1\r\nY: 2\r\nx: 3\r\nX: 1\r\n\r\n", plain("X: 1", "Y: 2", "x: 3", "X: 1"))
	return t.cases
}
