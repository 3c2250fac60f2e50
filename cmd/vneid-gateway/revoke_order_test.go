package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// calls is an admin listener that remembers how many entries each call had, and
// refuses those behind the first few.
type calls struct {
	t     *testing.T
	sizes []int
	good  int
}

func (c *calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var call struct {
		Reason      string
		Revocations []map[string]any
	}
	if err != nil || json.Unmarshal(body, &call) != nil || call.Reason != "r" || len(body) > 1<<20 {
		c.t.Errorf("%d bytes, reason %q, %v", len(body), call.Reason, err)
	}
	if len(c.sizes) == c.good {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error":"later","code":"fleet_unavailable"}`)
		return
	}
	c.sizes = append(c.sizes, len(call.Revocations))
	_, _ = fmt.Fprintf(w, `{"revoked":%d}`, len(call.Revocations))
}

func clientOf(t *testing.T, h http.Handler) *adminClient {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(adminScriptToken), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := (&revocationFlags{admin: s.URL, token: token, timeout: time.Minute}).client(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

func newOrder() *revocationOrder {
	return &revocationOrder{Reason: "r", stated: statedRevocation{Issuer: "vneid", member: "sub"}}
}

func TestLinesAreSentInCallsThatTheListenerTakes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		lines string
		want  int
		calls int
	}{
		"as many as one call takes": {strings.Repeat("id\n", maxOrderEntries), maxOrderEntries, 1},
		"one more":                  {strings.Repeat("id\r\n", maxOrderEntries+1), maxOrderEntries + 1, 2},
		"long ones":                 {strings.Repeat(strings.Repeat("j", maxIdentifier)+"\n", maxOrderEntries), maxOrderEntries, 3},
		"those that JSON writes in six bytes each": {
			strings.Repeat(strings.Repeat("\x01", maxIdentifier)+"\n", 1000), 1000, 2,
		},
		"without a line end": {"a\n\nb", 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener := &calls{t: t, good: 100}
			n, err := newOrder().sendLines(t.Context(), clientOf(t, listener), "lines", strings.NewReader(tc.lines))
			if n != tc.want || err != nil || len(listener.sizes) != tc.calls {
				t.Errorf("%d in calls of %d, %v, want %d in %d", n, listener.sizes, err, tc.want, tc.calls)
			}
		})
	}
}

func TestLinesThatWereRevokedBeforeAFaultAreCounted(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("id\n", maxOrderEntries)
	for name, tc := range map[string]struct {
		lines io.Reader
		good  int
		want  string
	}{
		"refused":      {strings.NewReader(full + full), 1, "refused: 503 Service Unavailable: later (fleet_unavailable)"},
		"a long line":  {strings.NewReader(full + strings.Repeat("j", maxIdentifier+1)), 9, "lines:10001: not an identifier: 1 to 256 bytes of UTF-8"},
		"no line ends": {strings.NewReader(full + strings.Repeat("j", 1<<20)), 9, "lines:10001: not an identifier"},
		"not UTF-8":    {strings.NewReader(full + "\xff"), 9, "lines:10001: not an identifier"},
		"not readable": {io.MultiReader(strings.NewReader(full), iotest.ErrReader(io.ErrUnexpectedEOF)), 9, "lines: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, err := newOrder().sendLines(t.Context(), clientOf(t, &calls{t: t, good: tc.good}), "lines", tc.lines)
			if n != maxOrderEntries || err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("%d, %v, want %d, %s", n, err, maxOrderEntries, tc.want)
			}
		})
	}
}

// Only what says how many were revoked is believed.
func TestOnlyTheWholeAnswerCountsAsRevoked(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		answer string
		want   string
	}{
		"fewer":          {200, `{"revoked":0}`, "nothing is known to be revoked"},
		"something else": {200, `<html>`, "nothing is known to be revoked"},
		"nothing":        {200, ``, "nothing is known to be revoked"},
		"elsewhere":      {307, `{"revoked":1}`, "refused: 307"},
		"created":        {201, `{"revoked":1}`, "refused: 201"},
		"no page":        {404, "404 page not found\n", "nothing is known to be revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.answer)
			}))
			if n, err := newOrder().send(t.Context(), client, []string{"s"}); n != 0 || err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%d, %v, want %s", n, err, tc.want)
			}
		})
	}
}

func TestTokenInTheClearBeyondThisMachineIsWarnedOf(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(adminScriptToken), 0o600); err != nil {
		t.Fatal(err)
	}
	for address, warned := range map[string]bool{
		"http://127.0.0.1:9080": false, "http://[::1]:9080": false, "http://localhost:9080": false, "https://192.0.2.1:9080": false,
		"http://192.0.2.1:9080": true, "http://gateway.example:9080": true, "http://localhost.example:9080": true,
	} {
		var said strings.Builder
		if _, err := (&revocationFlags{admin: address, token: token}).client(&said); err != nil {
			t.Error(err)
		}
		if (said.Len() > 0) != warned || strings.Contains(said.String(), adminScriptToken) {
			t.Errorf("%s: %q", address, said.String())
		}
	}
}
