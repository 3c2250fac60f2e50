package framing

import (
	"fmt"
	"strings"
)

// badSizes lists what some parser reads as the chunk size 0x31, and others do not.
func badSizes() []string {
	return []string{
		"", "g", "0x31", "+31", "-31", " 31", "31 ", "31\t", "3 1", "31,", "31.0", "\"31\"", "0000000000000031", "10000000000000031",
		"ffffffffffffffff", "fffffffffffffffff", "8000000000000000", "7fffffffffffffff", "31\x00", "\x0031", "31\x0b", "\xef\xbc\x93\xef\xbc\x91", "31\xa0",
		"31;", "31;a", "31;a=b", `31;a="b"`, "31;a=\"\r\n\"", "31 ;a", "31\t;a", "31; a = b", "31;\n", "31;a\nb", "31;\x00", "O", "l", "*",
	}
}

// chunks holds chunked bodies, malformed in every place: RFC 9112 section 7.1. A gateway that streams has begun to
// forward when it meets the fault.
func chunks() []Case {
	t := table{rule: "chunks"}
	bad := func(name, body string) { t.cut(400, name, chunk+body, chunked(inner+inner)) }
	rest := "\r\n" + inner + "\r\n0\r\n\r\n"
	for _, size := range badSizes() {
		bad("first size "+size, size+rest)
		bad("second size "+size, aChunk(inner)+size+rest)
	}
	for _, end := range []string{
		"0\r\n\n", "0\r\n\r", "0\n\r\n", "0\n\n", "0\r\r\n\r\n", "0\r\n\r\r\n", "0;a\r\n\r\n", "0 \r\n\r\n", "0x0\r\n\r\n", "+0\r\n\r\n", "-0\r\n\r\n", "0;\r\n\r\n",
		strings.Repeat("0", 16) + "\r\n\r\n", "0\r\n \r\n", "0\r\n\t\r\n", "0\r\n:\r\n\r\n", "0\r\nX\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\n\x00\r\n", "0\r\nX: y\r\n\r\n",
		"0\r\nX: y\n\n", "0\r\nX: y\r\n z\r\n\r\n", "0\r\nContent-Length: 49\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nHost: evil.example\r\n\r\n",
		"0\r\nX-VNeID-Subject: forged\r\n\r\n", "0\r\nx_vneid_subject: forged\r\n\r\n", "0\r\nConnection: close\r\n\r\n", "0\r\n" + strings.Repeat("X: y\r\n", 200) + "\r\n",
		"0\r\nX: " + strings.Repeat("y", HeadBytes) + "\r\n\r\n",
	} {
		bad(fmt.Sprintf("end %.40q", end), aChunk(inner)+end)
		bad(fmt.Sprintf("only an end %.40q", end), end)
	}
	for _, c := range [][2]string{
		{"data ended by LF", "31\r\n" + inner + "\n0\r\n\r\n"},
		{"data ended by CR", "31\r\n" + inner + "\r0\r\n\r\n"},
		{"data ended by nothing", "31\r\n" + inner + "0\r\n\r\n"},
		{"data one byte too long", "31\r\n" + inner + "!\r\n0\r\n\r\n"},
		{"data ended by LF CR", "31\r\n" + inner + "\n\r0\r\n\r\n"},
		{"data ended by two CRLF", "31\r\n" + inner + "\r\n\r\n0\r\n\r\n"},
		{"data ended by a space", "31\r\n" + inner + " \r\n0\r\n\r\n"},
		{"data ended by NUL", "31\r\n" + inner + "\x00\r\n0\r\n\r\n"},
		{"size ended by LF", "31\n" + inner + "\r\n0\r\n\r\n"},
		{"size ended by CR", "31\r" + inner + "\r\n0\r\n\r\n"},
		{"size ended by CR CR LF", "31\r\r\n" + inner + "\r\n0\r\n\r\n"},
		{"size ended by LF CR", "31\n\r" + inner + "\r\n0\r\n\r\n"},
		{"second size ended by LF", aChunk(inner) + "31\n" + inner + "\r\n0\r\n\r\n"},
		{"every line ended by LF", "31\n" + inner + "\n0\n\n"},
		{"blank line first", "\r\n" + aChunk(inner) + "0\r\n\r\n"},
		{"blank line between", aChunk(inner) + "\r\n" + aChunk(inner) + "0\r\n\r\n"},
		{"no chunks at all", inner},
		{"size as in a list", "31, 31\r\n" + inner + "\r\n0\r\n\r\n"},
	} {
		bad(c[0], c[1])
	}
	for _, c := range [][3]string{
		{"length instead of chunks", "49\r\n" + inner + inner, (inner + inner)[:0x49]},
		{"chunks within a chunk, too long", "5\r\n0\r\n\r\n" + inner, "0\r\n\r\n"},
		{"data one byte too short", "31\r\n" + inner[:48] + "\r\n0\r\n\r\n", inner[:48] + "\r"},
		{"size cut by a line end", "3\r\n1\r\n" + inner + "\r\n0\r\n\r\n", "1\r\n"},
	} {
		t.cut(400, c[0], chunk+c[1], chunked(c[2]))
	}
	t.refuse(400, "Trailer announced", post+"Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n")
	t.refuse(400, "Trailer announced behind the coding", post+"Transfer-Encoding: chunked\r\ntrailer: X-VNeID-Subject\r\n\r\n0\r\n\r\n")
	for _, c := range [][2]string{
		{"one chunk", aChunk(inner)},
		{"a chunk for each byte", eachByte(inner)},
		{"leading zeros", "000000000000031\r\n" + inner + "\r\n"},
		{"two chunks", aChunk(inner[:7]) + aChunk(inner[7:])},
		{"cut between CR and LF", aChunk(inner[:23]) + aChunk(inner[23:])},
		{"size in capitals", strings.ToUpper(aChunk(inner[:10])[:1]) + "\r\n" + inner[:10] + "\r\n" + aChunk(inner[10:])},
		{"many chunks of many sizes", aChunk(inner[:1]) + aChunk(inner[1:3]) + aChunk(inner[3:20]) + aChunk(inner[20:])},
	} {
		t.pass(c[0], chunk+c[1]+"0\r\n\r\n", chunked(inner))
	}
	t.pass("last size of many zeros", chunk+aChunk(inner)+"000000000000000\r\n\r\n", chunked(inner))
	t.pass("no data", chunk+"0\r\n\r\n", chunked(""))
	t.pass("an end within the data", chunk+aChunk("\r\n0\r\n\r\n"+inner)+"0\r\n\r\n", chunked("\r\n0\r\n\r\n"+inner))
	t.pass("chunks within a chunk", chunk+aChunk(aChunk(inner)+"0\r\n\r\n")+"0\r\n\r\n", chunked(aChunk(inner)+"0\r\n\r\n"))
	t.pass("every byte as data", chunk+aChunk(everyByte())+"0\r\n\r\n", chunked(everyByte()))
	return t.cases
}

func eachByte(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString(aChunk(s[i : i+1]))
	}
	return b.String()
}

func everyByte() string {
	var b strings.Builder
	for c := range 256 {
		b.WriteByte(byte(c))
	}
	return b.String()
}
