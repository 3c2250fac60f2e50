package framing

import "strings"

// limits holds what is at a limit of this package, and one beyond it.
func limits() []Case {
	t := table{rule: "limits"}
	head := func(size int) string {
		// The id stands for as many bytes as a test chooses, so it is left out.
		begin := "GET /c HTTP/1.1\r\nHost: " + Host + "\r\nX: "
		return begin + strings.Repeat("y", size-len(begin)-2*len(crlf)) + crlf + crlf
	}
	t.refuse(431, "a head one byte too long", head(HeadBytes+1))
	t.refuse(431, "a head far too long", head(4*HeadBytes))
	t.refuse(431, "a name without end", get+strings.Repeat("X", 2*HeadBytes))
	t.refuse(431, "a value without end", get+"X: "+strings.Repeat("y", 2*HeadBytes))
	t.refuse(431, "blanks without end", get+"X: "+strings.Repeat(" ", 2*HeadBytes))
	t.refuse(431, "a length of zeros without end", post+"Content-Length: "+strings.Repeat("0", 2*HeadBytes))
	field := func(n int) string {
		return strings.Repeat("X: y\r\n", n-strings.Count(known, crlf))
	}
	t.refuse(431, "one field too many", get+field(Fields+1)+crlf)
	t.refuse(431, "far too many fields", get+field(5*Fields)+crlf)
	t.pass("as many fields as allowed", get+field(Fields)+crlf, plain(strings.Split(strings.TrimSuffix(field(Fields), crlf), crlf)...))
	long := func(n int) string { return "/" + strings.Repeat("c", n-1) }
	t.refuse(414, "a target one byte too long", "GET "+long(TargetBytes+1)+" HTTP/1.1\r\n"+known+crlf)
	t.refuse(414, "a target far too long", "GET "+long(8*TargetBytes)+" HTTP/1.1\r\n"+known+crlf)
	t.refuse(414, "a query too long", "GET /?"+long(TargetBytes)+" HTTP/1.1\r\n"+known+crlf)
	t.pass("a target as long as allowed", "GET "+long(TargetBytes)+" HTTP/1.1\r\n"+known+crlf, plain().at(long(TargetBytes)))
	value := strings.Repeat("y", HeadBytes-1024)
	t.pass("a long value", get+"X: "+value+crlf+crlf, plain("X: "+value))
	body := strings.Repeat("0123456789abcdef", BodyBytes/16)
	t.pass("a body as long as allowed", post+length(len(body))+body, sized(body))
	t.refuse(413, "a body one byte too long", post+length(len(body)+1)+body+"!")
	t.refuse(413, "a body of 2^63-1 bytes", post+"Content-Length: 9223372036854775807\r\n\r\n"+body)
	t.pass("chunks as long as allowed", chunk+aChunk(body[1:])+aChunk("0")+"0\r\n\r\n", chunked(body[1:]+"0"))
	t.cut(413, "chunks one byte too long", chunk+aChunk(body)+aChunk("!")+"0\r\n\r\n", chunked(body+"!"))
	return t.cases
}
