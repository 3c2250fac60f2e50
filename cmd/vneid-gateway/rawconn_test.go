package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// rawConn is a keep-alive connection for requests that are built beforehand.
// It costs its process as little as an HTTP client can, and it retries
// nothing. It reads responses with a Content-Length only.
type rawConn struct {
	conn net.Conn
	in   *bufio.Reader
}

func dialRaw(base string) (*rawConn, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		return nil, err
	}
	return &rawConn{conn: conn, in: bufio.NewReaderSize(conn, 8<<10)}, nil
}

// rawRequest builds a request without a body.
func rawRequest(method, host, path, token string) []byte {
	credential := ""
	if token != "" {
		credential = "Authorization: Bearer " + token + "\r\n"
	}
	length := ""
	if method != "GET" {
		length = "Content-Length: 0\r\n"
	}
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: rawconn\r\nAccept: */*\r\n%s%s\r\n",
		method, path, host, credential, length)
}

var (
	errNotHTTP  = errors.New("no HTTP/1.1 response")
	errNoLength = errors.New("a response without Content-Length")
)

// do sends a request and reads its response. last says that the server closes
// the connection after it.
func (c *rawConn) do(request []byte) (status int, last bool, err error) {
	if _, err := c.conn.Write(request); err != nil {
		return 0, true, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, true, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, true, errNotHTTP
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, true, errNotHTTP
	}
	length := -1
	for {
		line, err = c.in.ReadSlice('\n')
		if err != nil {
			return status, true, err
		}
		name, value, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		switch {
		case len(name) == 0:
			if length < 0 {
				return status, true, errNoLength
			}
			_, err = c.in.Discard(length)
			return status, last, err
		case !found:
			return status, true, errNotHTTP
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return status, true, errNotHTTP
			}
		case bytes.EqualFold(name, []byte("Connection")):
			last = bytes.EqualFold(bytes.TrimSpace(value), []byte("close"))
		}
	}
}

func (c *rawConn) close() { _ = c.conn.Close() }
