package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// client is a connection to the gateway on which bytes matter.
type client struct {
	net.Conn
	tb testing.TB
	in *bufio.Reader
}

// answer is one response, read to its end.
type answer struct {
	status int
	code   string // of a problem document
	header http.Header
	body   string
	closes bool
	raw    *http.Response
}

func (r *rig) dial() *client {
	r.tb.Helper()
	conn, err := net.Dial("tcp", r.address())
	if err != nil {
		r.tb.Fatal(err)
	}
	r.tb.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &client{Conn: conn, tb: r.tb, in: bufio.NewReader(conn)}
}

func (c *client) send(raw string) *client {
	c.tb.Helper()
	// The gateway may answer and close before it took everything.
	if _, err := io.WriteString(c, raw); err != nil && !broken(err) {
		c.tb.Fatal(err)
	}
	return c
}

func broken(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

// answer reads the response to a request with the given method.
func (c *client) answer(method string) answer {
	c.tb.Helper()
	a, err := c.tryAnswer(method)
	if err != nil {
		c.tb.Fatalf("reading an answer: %v", err)
	}
	return a
}

func (c *client) tryAnswer(method string) (answer, error) {
	response, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{
		status: response.StatusCode, header: response.Header, body: string(body), closes: response.Close, raw: response,
	}
	var problem struct{ Code string }
	if response.Header.Get("Content-Type") == "application/problem+json" && len(body) > 0 {
		if err := json.Unmarshal(body, &problem); err != nil {
			return a, err
		}
		a.code = problem.Code
	}
	return a, nil
}

// wantEnd fails unless the gateway ends the connection without another byte.
func (c *client) wantEnd() {
	c.tb.Helper()
	rest, err := io.ReadAll(c.in)
	if len(rest) > 0 {
		c.tb.Errorf("after the answer: %q", rest)
	}
	if err != nil && !broken(err) {
		c.tb.Errorf("not closed: %v", err)
	}
}

// get sends a GET to the site on a connection of its own.
func (r *rig) get(target string, fields ...string) answer {
	r.tb.Helper()
	return r.do("GET", target, fields...)
}

func (r *rig) do(method, target string, fields ...string) answer {
	r.tb.Helper()
	c := r.dial()
	defer c.Close()
	return c.send(request(method, target, fields...)).answer(method)
}

// request returns the head of a request to the site.
func request(method, target string, fields ...string) string {
	head := method + " " + target + " HTTP/1.1\r\nHost: hanoi.example\r\n"
	for _, field := range fields {
		head += field + "\r\n"
	}
	return head + "\r\n"
}

// logged takes a log and gives it back line by line.
type logged struct {
	logger *slog.Logger
	mu     sync.Mutex
	text   bytes.Buffer
}

func newLogged(level slog.Level) *logged {
	l := &logged{}
	l.logger = slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: level}))
	return l
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines returns the entries with the given message.
func (l *logged) lines(message string) []map[string]any {
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}

func hexadecimal(n int) string { return strconv.FormatInt(int64(n), 16) }
func decimal(n int) string     { return strconv.Itoa(n) }
