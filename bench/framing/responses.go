package framing

import (
	"fmt"
	"strings"
)

// Fate says what becomes of an upstream's response to a GET.
type Fate int

// The fates. In none of them is the upstream's connection used again.
const (
	// Refused: the client gets 502.
	Refused Fate = iota
	// Cut: the client gets 502, or a response that visibly breaks off; never a whole one.
	Cut
	// Passed: the client gets a whole 200 with the content "good", and nothing of what follows it.
	Passed
)

// Response is what a broken upstream sends in answer to a GET.
type Response struct {
	Name string
	Raw  []byte
	// Closes says that the upstream closes the connection behind it.
	Closes bool
	Fate   Fate
}

// poison is a response that must never answer a request.
const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

// Responses returns all of them, in the same order at every call.
func Responses() []Response {
	var all []Response
	add := func(fate Fate, closes bool, name, raw string) {
		all = append(all, Response{Name: name, Raw: []byte(raw), Closes: closes, Fate: fate})
	}
	const ok, good = "HTTP/1.1 200 OK\r\n", "Content-Length: 4\r\n\r\ngood"
	refuse := func(name, raw string) { add(Refused, false, name, raw) }

	for _, value := range badLengths() {
		refuse(fmt.Sprintf("Content-Length %.40q", value), ok+"Content-Length: "+value+"\r\n\r\n"+poison)
	}
	for _, value := range badCodings() {
		refuse(fmt.Sprintf("Transfer-Encoding %q", value), ok+"Transfer-Encoding: "+value+"\r\n\r\n4\r\ngood\r\n0\r\n\r\n")
	}
	for _, lines := range []string{
		"Content-Length: 4\r\nContent-Length: 4", "Content-Length: 4\r\ncontent-length: 49", "Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Content_Length: 4", "Transfer_Encoding: chunked", "Content-Length : 4", "Transfer-Encoding : chunked", " Content-Length: 4", "\tX: y",
		"Content-Length: 4\r\n 9", "X: y\r\n z", "X: y\r\n\tz", "X: y\nContent-Length: 4", "X: y\rContent-Length: 4", "X: y\x00", "X\x00: y", "X: y\x7f", "X: \x0by", ": y", "no colon", "X Y: z", "X(: y", "\xc3\xa9: y",
		":status: 200", "GET /x HTTP/1.1", "X: y\r",
	} {
		refuse(fmt.Sprintf("field lines %q", lines), ok+lines+"\r\n\r\n"+poison)
	}
	for _, line := range []string{
		"HTTP/2.0 200 OK", "HTTP/2 200", "HTTP/1.2 200 OK", "HTTP/0.9 200 OK", "HTTP/1.10 200 OK", "HTTP/1. 200 OK", "http/1.1 200 OK", "ICY 200 OK", "HTTPS/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 20 OK",
		"HTTP/1.1 2000 OK", "HTTP/1.1 099 OK", "HTTP/1.1 000 OK", "HTTP/1.1 600 OK", "HTTP/1.1 999 OK", "HTTP/1.1 -200 OK", "HTTP/1.1 +20 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1 200OK", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 OK 200",
		"HTTP/1.1 200 O\x00K", "HTTP/1.1 200 O\x7fK", "HTTP/1.1 200 OK\r", " HTTP/1.1 200 OK", "\xef\xbb\xbfHTTP/1.1 200 OK", "", "GET / HTTP/1.1", "220 framing.example ESMTP", "SSH-2.0-OpenSSH_9.2", "\x00\x00\x12\x04\x00\x00\x00\x00\x00",
		"\x15\x03\x01\x00\x02\x02\x46", "<html>", "{}", "HTTP/1.1 200 OK\nX: y",
	} {
		refuse(fmt.Sprintf("status line %q", line), line+"\r\n"+good)
	}
	for _, c := range [][2]string{
		{"LF behind every line", "HTTP/1.1 200 OK\nContent-Length: 4\n\ngood"},
		{"LF as the blank line", ok + "Content-Length: 4\r\n\ngood"},
		{"CR as the blank line", ok + "Content-Length: 4\r\n\rgood"},
		{"a blank line first", crlf + ok + good},
		{"two blank lines first", crlf + crlf + ok + good},
		{"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"},
		{"204 with a length", "HTTP/1.1 204 No Content\r\n" + good},
		{"204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"},
		{"100 with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 49\r\n\r\n" + ok + good},
		{"103 with chunks", "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ok + good},
		{"101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + ok + good},
		{"101 without Upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n" + ok + good},
		{"interim responses without end", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 50) + ok + good},
		{"a head too long", ok + "X: " + strings.Repeat("y", 64<<10) + crlf + good},
		{"too many fields", ok + strings.Repeat("X: y\r\n", 2000) + good},
		{"two content codings", ok + "Content-Encoding: gzip\r\nContent-Encoding: br\r\n" + good},
		{"too many nominations", ok + "Connection: " + strings.Repeat("a,", 40) + crlf + good},
	} {
		refuse(c[0], c[1])
	}
	all = append(all, brokenBodies()...)
	for _, c := range [][2]string{
		{"a response behind a length", ok + good + poison},
		{"a response behind chunks", ok + "Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n" + poison},
		{"a line end behind a length", ok + good + crlf},
		{"a byte behind a length", ok + good + "!"},
		{"a NUL behind chunks", ok + "Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n\x00"},
		{"100 behind a response", ok + good + "HTTP/1.1 100 Continue\r\n\r\n"},
		{"408 behind a response", ok + good + "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"},
		{"close in a response", ok + "Connection: close\r\n" + good},
		{"close in a list", ok + "Connection: x, CLOSE\r\n" + good},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n" + good},
		{"HTTP/1.0 with a response behind it", "HTTP/1.0 200 OK\r\n" + good + poison},
	} {
		add(Passed, false, c[0], c[1])
	}
	add(Passed, true, "an end without being said", ok+good)
	add(Passed, true, "a body that the connection's end delimits", ok+"\r\ngood")
	return all
}

// brokenBodies lists responses whose heads are sound.
func brokenBodies() []Response {
	var all []Response
	add := func(closes bool, name, raw string) {
		all = append(all, Response{Name: name, Raw: []byte(raw), Closes: closes, Fate: Cut})
	}
	const chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, size := range badSizes() {
		add(false, fmt.Sprintf("first size %q", size), chunkedHead+size+crlf+inner+"\r\n0\r\n\r\n")
		add(false, fmt.Sprintf("second size %q", size), chunkedHead+aChunk("good")+size+crlf+inner+"\r\n0\r\n\r\n")
	}
	for _, body := range []string{
		"4\r\ngood\n0\r\n\r\n", "4\r\ngood!\r\n0\r\n\r\n", "4\r\ngood0\r\n\r\n", "4\ngood\r\n0\r\n\r\n", "4\rgood\r\n0\r\n\r\n", "4\r\ngood\r\n0\r\n\n", "4\r\ngood\r\n0\n\r\n", "4\r\ngood\r\n0\r\n\rX",
		"4\r\ngood\r\n0\r\n X: y\r\n\r\n", "4\r\ngood\r\n0\r\nX: y\r\n z\r\n\r\n", "4\r\ngood\r\n0\r\nX: y\n\r\n", "4\r\ngood\r\n0\r\nX : y\r\n\r\n", "4\r\ngood\r\n0\r\n: y\r\n\r\n", "4\r\ngood\r\n0\r\nX\x00: y\r\n\r\n",
		"4\r\ngood\r\n0\r\nContent-Length: 4\r\n\r\n", "4\r\ngood\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\ngood\r\n0;a\r\n\r\n", "\r\n4\r\ngood\r\n0\r\n\r\n", "4\r\ngood\r\n\r\n0\r\n\r\n", "good",
		"4\r\ngood\r\n0\r\n" + strings.Repeat("X: y\r\n", 2000) + "\r\n",
	} {
		add(false, fmt.Sprintf("chunks %.60q", body), chunkedHead+body)
	}
	for _, body := range []string{"", "4", "4\r\n", "4\r\ngo", "4\r\ngood", "4\r\ngood\r\n", "4\r\ngood\r\n0", "4\r\ngood\r\n0\r\n", "4\r\ngood\r\n0\r\n\r", "4\r\ngood\r\n0\r\nX: y\r\n"} {
		add(true, fmt.Sprintf("chunks that end at %q", body), chunkedHead+body)
	}
	long := strings.Repeat("0123456789abcdef", 8<<10)
	for _, c := range [][2]string{
		{"no content", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"},
		{"less content than announced", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ngood"},
		{"much less content than announced", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\ngood"},
		{"a long content that ends early", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(long)+1, long)},
		{"long chunks that end early", chunkedHead + aChunk(long) + "1\r\n"},
		{"half a head", "HTTP/1.1 200 OK\r\nContent-Le"},
		{"half a blank line", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r"},
		{"half a status line", "HTTP/1.1 2"},
		{"an interim response alone", "HTTP/1.1 100 Continue\r\n\r\n"},
		{"nothing", ""},
	} {
		add(true, c[0], c[1])
	}
	return all
}
