package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// request is what a test asks the gateway.
type request struct {
	method, host, path, token string
	header                    map[string]string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes one request on a connection of its own, as curl does: no
// redirect is followed, nothing is retried.
func send(t testing.TB, base string, r request) answer {
	t.Helper()
	if r.method == "" {
		r.method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), r.method, base+r.path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = r.host
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body)}
}

func get(t testing.TB, url string) answer {
	t.Helper()
	return send(t, url, request{})
}

// problem is what a refusal says (RFC 9457).
type problem struct {
	Code      string `json:"code"`
	Status    int    `json:"status"`
	RequestID string `json:"request_id"`
}

// refusedWith checks that the answer is a problem document of this status and
// code, with a request id to quote.
func (a answer) refusedWith(t testing.TB, status int, code string) {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("want %d %s, got %d and no document: %.200s", status, code, a.status, a.body)
	}
	if a.status != status || p.Status != status || p.Code != code || p.RequestID == "" {
		t.Errorf("want %d %s, got %d: %s", status, code, a.status, a.body)
	}
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/problem+json") {
		t.Errorf("content type %q", kind)
	}
	if challenged := a.header.Get("WWW-Authenticate") != ""; status == http.StatusUnauthorized && !challenged {
		t.Error("401 without WWW-Authenticate (RFC 9110 section 11.6.1)")
	}
}

// echo checks that the request reached the upstream, and returns what that
// saw.
func (a answer) echo(t testing.TB) origin.Echo {
	t.Helper()
	var e origin.Echo
	if err := json.Unmarshal([]byte(a.body), &e); err != nil || a.status != http.StatusOK || e.Site == "" {
		t.Fatalf("it did not reach the upstream: %d %.400s", a.status, a.body)
	}
	return e
}
