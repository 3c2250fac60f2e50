package attack

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestRequestIsBuiltOfItsParts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, target string
		header         http.Header
		body           string
		want           string
	}{
		"plain":       {"", "http://a.example", nil, "", "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"},
		"with query":  {"HEAD", "http://a.example:81/b%20c?d=e#f", nil, "", "HEAD /b%20c?d=e HTTP/1.1\r\nHost: a.example:81\r\n\r\n"},
		"with body":   {"POST", "https://a.example/", http.Header{"X": {"1", "2"}, "A": {"b"}}, "body", "POST / HTTP/1.1\r\nHost: a.example\r\nA: b\r\nX: 1\r\nX: 2\r\nContent-Length: 4\r\n\r\nbody"},
		"empty body":  {"PUT", "http://a.example/", nil, "", "PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n"},
		"other host":  {"", "http://127.0.0.1:8080/", http.Header{"host": {"site.example"}}, "", "GET / HTTP/1.1\r\nHost: site.example\r\n\r\n"},
		"IPv6's host": {"", "http://[::1]:80/", nil, "", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"},
	} {
		u, err := url.Parse(c.target)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Build(c.method, u, c.header, []byte(c.body))
		if err != nil || string(r.Message) != c.want || r.NoBody != (c.method == "HEAD") {
			t.Errorf("%s: %q, %v, want %q", name, r.Message, err, c.want)
		}
	}
}

func TestRequestThatWouldBeMisreadIsNotBuilt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, target string
		header         http.Header
	}{
		"method":        {"GE T", "http://a.example/", nil},
		"scheme":        {"", "ftp://a.example/", nil},
		"no host":       {"", "http:///path", nil},
		"field's name":  {"", "http://a.example/", http.Header{"A b": {"c"}}},
		"field's value": {"", "http://a.example/", http.Header{"A": {"secret\r\nB: c"}}},
		"connection":    {"", "http://a.example/", http.Header{"connection": {"close"}}},
		"length":        {"", "http://a.example/", http.Header{"Content-Length": {"1"}}},
		"coding":        {"", "http://a.example/", http.Header{"Transfer-Encoding": {"chunked"}}},
		"host":          {"", "http://a.example/", http.Header{"Host": {"a b"}}},
	} {
		u, err := url.Parse(c.target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Build(c.method, u, c.header, nil); !errors.Is(err, ErrRequest) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
