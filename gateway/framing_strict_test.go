package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// strictRequest is a request as a second parser read it.
type strictRequest struct {
	method, target, host string
	body                 []byte
}

// errUnfinished means that more bytes are needed.
var errUnfinished = errors.New("the request is not finished")

// readStrict reads a request as the strictest of upstreams would: in the one
// form that every parser reads alike. It returns how many bytes the request has,
// 0 with an error; errUnfinished where it may still become one.
//
// It shares no code with the gateway.
func readStrict(in []byte) (r strictRequest, n int, err error) {
	end := bytes.Index(in, []byte("\r\n\r\n"))
	if end < 0 {
		return r, 0, errUnfinished
	}
	lines := strings.Split(string(in[:end]), "\r\n")
	for _, line := range lines {
		if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return r, 0, fmt.Errorf("control byte in %q", line)
		}
	}
	first := strings.Split(lines[0], " ")
	if len(first) != 3 || !strictToken(first[0]) || !strings.HasPrefix(first[1], "/") || first[2] != "HTTP/1.1" {
		return r, 0, fmt.Errorf("request line %q", lines[0])
	}
	r.method, r.target = first[0], first[1]
	length, chunked, upgraded, framed := 0, false, false, 0
	for i, line := range lines[1:] {
		name, value, found := strings.Cut(line, ": ")
		if !found || !strictToken(name) || strings.TrimSpace(value) != value {
			return r, 0, fmt.Errorf("line %q", line)
		}
		if (name == "Host") != (i == 0) {
			return r, 0, fmt.Errorf("%q as field %d", line, i)
		}
		switch folded := laxName(name); folded {
		case "host":
			r.host = value
		case "contentlength":
			framed++
			if length, err = strconv.Atoi(value); name != "Content-Length" || err != nil || strconv.Itoa(length) != value {
				return r, 0, fmt.Errorf("length %q", line)
			}
		case "transferencoding":
			framed++
			if chunked = line == "Transfer-Encoding: chunked"; !chunked {
				return r, 0, fmt.Errorf("coding %q", line)
			}
		case "upgrade", "connection":
			if line != "Connection: Upgrade" && line != "Upgrade: websocket" {
				return r, 0, fmt.Errorf("field of another hop: %q", line)
			}
			upgraded = true
		case "keepalive", "proxyconnection", "te", "trailer", "expect", "http2settings":
			return r, 0, fmt.Errorf("field of another hop: %q", line)
		default:
			if strings.HasPrefix(folded, "xvneid") {
				return r, 0, fmt.Errorf("identity: %q", line)
			}
		}
	}
	if framed > 1 || framed > 0 && upgraded {
		return r, 0, fmt.Errorf("framed %d times", framed)
	}
	n = end + 4
	if chunked {
		return readStrictChunks(r, in, n)
	}
	if len(in) < n+length {
		return r, 0, errUnfinished
	}
	r.body = in[n : n+length]
	return r, n + length, nil
}

func readStrictChunks(r strictRequest, in []byte, at int) (strictRequest, int, error) {
	for {
		line, _, found := bytes.Cut(in[at:], []byte("\r\n"))
		if !found {
			if len(in)-at > 8 {
				return r, 0, fmt.Errorf("chunk size %.20q", in[at:])
			}
			return r, 0, errUnfinished
		}
		size, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil || strconv.FormatInt(size, 16) != string(line) {
			return r, 0, fmt.Errorf("chunk size %.20q", line)
		}
		at += len(line) + 2
		if len(in) < at+int(size)+2 {
			return r, 0, errUnfinished
		}
		r.body = append(r.body, in[at:at+int(size)]...)
		at += int(size)
		if string(in[at:at+2]) != "\r\n" {
			return r, 0, fmt.Errorf("behind a chunk: %.20q", in[at:])
		}
		at += 2
		if size == 0 {
			return r, at, nil
		}
	}
}

func strictToken(s string) bool {
	return s != "" && strings.Trim(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// laxName is a field name as the laxest of upstreams reads it.
func laxName(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		}
		return -1
	}, name)
}

// readSent reads a request as its client meant it: it checks nothing, for what
// can be misread the gateway is to refuse. It returns how many bytes the request
// has, 0 where it is not whole.
func readSent(in []byte) (r strictRequest, n int) {
	begin := 0
	if bytes.HasPrefix(in, []byte("\r\n")) {
		begin = 2
	}
	end := bytes.Index(in[begin:], []byte("\r\n\r\n"))
	if end < 0 {
		return r, 0
	}
	lines := strings.Split(string(in[begin:begin+end]), "\r\n")
	n = begin + end + 4
	if first := strings.Split(lines[0], " "); len(first) == 3 {
		r.method, r.target = first[0], first[1]
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		switch strings.ToLower(name) {
		case "host":
			r.host = value
		case "content-length":
			length, err := strconv.ParseInt(value, 10, 63)
			if err != nil || length < 0 || length > int64(len(in)-n) {
				return r, 0
			}
			r.body = in[n : n+int(length)]
			return r, n + int(length)
		case "transfer-encoding":
			size := 0
			r.body, size = sentChunks(in[n:])
			if size == 0 {
				return r, 0
			}
			return r, n + size
		}
	}
	return r, n
}

// sentChunks returns the content of a chunked body and how many bytes the body
// has, 0 where it is not whole.
func sentChunks(in []byte) (content []byte, n int) {
	for {
		line, _, found := bytes.Cut(in[n:], []byte("\r\n"))
		size, err := strconv.ParseInt(string(line), 16, 63)
		n += len(line) + 2
		if !found || err != nil || size < 0 || size > int64(len(in)-n)-2 {
			return nil, 0
		}
		content = append(content, in[n:n+int(size)]...)
		n += int(size) + 2
		if size == 0 {
			return content, n
		}
	}
}
