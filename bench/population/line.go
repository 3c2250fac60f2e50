package population

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/net/http/httpguts"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// Bounds of a [Line].
const (
	MaxLineBytes          = 64 << 10
	MaxPathBytes          = 4 << 10
	MaxAuthorizationBytes = 16 << 10
	MaxStatuses           = 16
	MaxCodeBytes          = attack.MaxReasonBytes
	maxHostBytes          = 255
)

// Pool says how often a request is sent.
type Pool string

// The pools.
const (
	Warm Pool = "warm" // Again and again.
	Cold Pool = "cold" // Once.
)

// Line is one request of [RequestsFile], and what its answer must be.
type Line struct {
	Class  Class  `json:"class"`
	Pool   Pool   `json:"pool"`
	Method string `json:"method"`
	Host   string `json:"host"`
	Path   string `json:"path"`
	// Authorization is the value of that header field; "" sends none.
	Authorization string      `json:"authorization,omitzero"`
	Expect        Expectation `json:"expect"`
}

// Expectation is what an answer must be.
type Expectation struct {
	// Status lists the statuses of which the answer must have one.
	Status []int `json:"status"`
	// Code is the "code" of the problem document; "" is not looked at.
	Code string `json:"code"`
}

// Passes says whether the request should reach the upstream.
func (e *Expectation) Passes() bool { return e.Status[0] < 400 }

// String writes what people read: "401 token_expired".
func (e *Expectation) String() string {
	var b []byte
	for i, status := range e.Status {
		if i > 0 {
			b = append(b, '/')
		}
		b = strconv.AppendInt(b, int64(status), 10)
	}
	if e.Code != "" {
		b = append(append(b, ' '), e.Code...)
	}
	return string(b)
}

// methods are those that a line can have.
var methods = []string{ //nolint:gochecknoglobals // a constant, if Go had them
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// ParseLine reads one line, without its end, strictly: unknown and repeated
// members are refused, and whatever could not be sent as one request. Errors wrap
// [ErrCorpus] and hold no value of the line.
func ParseLine(raw []byte) (Line, error) {
	var l Line
	if len(raw) > MaxLineBytes {
		return Line{}, fmt.Errorf("%w: longer than %d bytes", ErrCorpus, MaxLineBytes)
	}
	if err := json.Unmarshal(raw, &l, json.RejectUnknownMembers(true)); err != nil {
		// Its text may repeat a part of the token.
		return Line{}, fmt.Errorf("%w: not a JSON object with the members class, pool, method, host, path, authorization, expect", ErrCorpus)
	}
	for _, rule := range []struct {
		broken bool
		says   string
	}{
		{l.Class.index() < 0, "class is none of " + classNames()},
		{l.Pool != Warm && l.Pool != Cold, "pool is neither warm nor cold"},
		{!slices.Contains(methods, l.Method), "method is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
		{!validHost(l.Host), "host cannot be sent"},
		{!validPath(l.Path), "path must begin with / and have visible ASCII only, at most 4,096 bytes"},
		{len(l.Authorization) > MaxAuthorizationBytes || !httpguts.ValidHeaderFieldValue(l.Authorization), "authorization cannot be sent"},
		{len(l.Expect.Status) == 0 || len(l.Expect.Status) > MaxStatuses, "expect.status must list 1 to 16 statuses"},
		{!validCode(l.Expect.Code), "expect.code must be at most 48 of a-z, 0-9 and _"},
	} {
		if rule.broken {
			return Line{}, fmt.Errorf("%w: %s", ErrCorpus, rule.says)
		}
	}
	for _, status := range l.Expect.Status {
		if status < 200 || status > 599 {
			return Line{}, fmt.Errorf("%w: expect.status must be 200 to 599", ErrCorpus)
		}
	}
	return l, nil
}

// AppendLine appends l as one line, with its end. The error is that l cannot be
// JSON, which it always can where [ParseLine] would take it.
func AppendLine(to []byte, l *Line) ([]byte, error) {
	b := bytes.NewBuffer(to)
	if err := json.MarshalEncode(jsontext.NewEncoder(b), l); err != nil {
		return to, fmt.Errorf("%w: %w", ErrCorpus, err)
	}
	return b.Bytes(), nil
}

func validHost(host string) bool {
	return host != "" && len(host) <= maxHostBytes && httpguts.ValidHostHeader(host)
}

func validPath(path string) bool {
	if path == "" || path[0] != '/' || len(path) > MaxPathBytes {
		return false
	}
	for i := range len(path) {
		if path[i] <= ' ' || path[i] >= 0x7f || path[i] == '#' {
			return false
		}
	}
	return true
}

func validCode(code string) bool {
	for i := range len(code) {
		if c := code[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(code) <= MaxCodeBytes
}
