package admin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// logged returns a logger without times, and what it wrote.
func logged() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})), &b
}

func change(method, path string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = "127.0.0.1:5000"
	r.Header.Set("Authorization", "Bearer "+operatorToken)
	for i := 0; i < len(fields); i += 2 {
		if r.Header.Del(fields[i]); fields[i+1] != "" {
			r.Header.Set(fields[i], fields[i+1])
		}
	}
	return r
}

func TestKeyChangesAnswerAndAreAudited(t *testing.T) {
	t.Parallel()
	const (
		path = "/keys/vneid/a%2Fb"
		purg = "action=purge issuer=vneid kid=a/b remote=127.0.0.1:5000 by="
	)
	twice := change("DELETE", path)
	twice.Header.Add("Authorization", "Bearer "+operatorToken)
	withBody := change("DELETE", path)
	withBody.ContentLength = -1
	refused := func(reason string) string {
		return purg + `nobody result=refused keys=0 reason="` + reason + `" omitted=0`
	}
	const (
		needToken = "the bearer token of admin.token_file is needed"
		browser   = "changes are not taken from a browser's page"
	)
	for _, tc := range []struct {
		name   string
		keys   fakeKeys
		r      *http.Request
		status int
		body   string
		asked  []string
		audit  string
	}{
		{"purge", fakeKeys{n: 2}, change("DELETE", path), 200, `{"purged":2}`, []string{"purge", "vneid", "a/b"}, purg + "token result=done keys=2"},
		{"allow", fakeKeys{n: 1}, change("PUT", path), 200, `{"allowed":1}`, []string{"allow", "vneid", "a/b"}, "action=allow issuer=vneid kid=a/b remote=127.0.0.1:5000 by=token result=done keys=1"},
		{"scheme in any case", fakeKeys{n: 1}, change("DELETE", path, "Authorization", "bEARER "+operatorToken), 200, `{"purged":1}`, []string{"purge", "vneid", "a/b"}, purg + "token result=done keys=1"},
		{"same origin without Origin", fakeKeys{n: 1}, change("DELETE", path, "Sec-Fetch-Site", "same-origin"), 200, `{"purged":1}`, []string{"purge", "vneid", "a/b"}, purg + "token result=done keys=1"},
		{"typed in", fakeKeys{n: 1}, change("DELETE", path, "Sec-Fetch-Site", "none"), 200, `{"purged":1}`, []string{"purge", "vneid", "a/b"}, purg + "token result=done keys=1"},
		{"no such key", fakeKeys{}, change("DELETE", path), 404, `{"error":"no such issuer or key"}`, []string{"purge", "vneid", "a/b"}, purg + `token result="not found" keys=0`},
		{"no such issuer", fakeKeys{err: fmt.Errorf("x: %w", ErrKeyNotFound)}, change("DELETE", path), 404, `{"error":"no such issuer or key"}`, []string{"purge", "vneid", "a/b"}, purg + `token result="not found" keys=0`},
		{"not for good", fakeKeys{n: 1, err: errors.New("disk full")}, change("DELETE", path), 500, `{"error":"disk full","purged":1}`, []string{"purge", "vneid", "a/b"}, purg + `token result=failed keys=1 error="disk full"`},
		{"allowed, not for good", fakeKeys{n: 1, err: errors.New("disk full")}, change("PUT", path), 500, `{"error":"disk full","allowed":1}`, []string{"allow", "vneid", "a/b"}, "result=failed keys=1"},
		{"no room", fakeKeys{err: fmt.Errorf("x: %w", ErrPurgesFull)}, change("DELETE", path), 409, `{"error":"not purged: as many purges of this issuer are remembered as can be; allow (PUT) one`, []string{"purge", "vneid", "a/b"}, purg + "token result=refused keys=0 reason="},
		{"no such path", fakeKeys{n: 1}, change("DELETE", "/keys/vneid"), 404, `{"error":"no key has this path`, nil, `action=purge issuer="" kid="" remote=127.0.0.1:5000 by=token result="not found" keys=0`},

		{"no token", fakeKeys{n: 1}, change("DELETE", path, "Authorization", ""), 401, needToken, nil, refused(needToken)},
		{"wrong token", fakeKeys{n: 1}, change("DELETE", path, "Authorization", "Bearer "+operatorToken+"x"), 401, needToken, nil, refused(needToken)},
		{"part of the token", fakeKeys{n: 1}, change("DELETE", path, "Authorization", "Bearer "+operatorToken[1:]), 401, needToken, nil, refused(needToken)},
		{"empty token", fakeKeys{n: 1}, change("DELETE", path, "Authorization", "Bearer "), 401, needToken, nil, refused(needToken)},
		{"other scheme", fakeKeys{n: 1}, change("DELETE", path, "Authorization", "Basic "+operatorToken), 401, needToken, nil, refused(needToken)},
		{"token alone", fakeKeys{n: 1}, change("DELETE", path, "Authorization", operatorToken), 401, needToken, nil, refused(needToken)},
		{"token twice", fakeKeys{n: 1}, twice, 401, needToken, nil, refused(needToken)},
		{"token in the query", fakeKeys{n: 1}, change("DELETE", path+"?access_token="+operatorToken, "Authorization", ""), 401, needToken, nil, refused(needToken)},
		{"from a page", fakeKeys{n: 1}, change("DELETE", path, "Origin", "https://evil.example"), 403, browser, nil, refused(browser)},
		{"from an opaque origin", fakeKeys{n: 1}, change("PUT", path, "Origin", "null"), 403, browser, nil, "result=refused"},
		{"from another site", fakeKeys{n: 1}, change("DELETE", path, "Sec-Fetch-Site", "cross-site"), 403, browser, nil, refused(browser)},
		{"from a sister site", fakeKeys{n: 1}, change("DELETE", path, "Sec-Fetch-Site", "same-site"), 403, browser, nil, refused(browser)},
		{"with a body", fakeKeys{n: 1}, withBody, 400, "a change has no body", nil, purg + `token result=refused keys=0 reason="a change has no body" omitted=0`},
		{"unknown key, no token", fakeKeys{}, change("DELETE", path, "Authorization", ""), 401, needToken, nil, refused(needToken)},
		{"other method", fakeKeys{n: 1}, change("POST", path), 405, "DELETE purges a key, PUT allows it again", nil, ""},
		{"reading one key", fakeKeys{n: 1}, change("GET", path), 405, "DELETE purges a key, PUT allows it again", nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			log, lines := logged()
			w := httptest.NewRecorder()
			handler(withKeys(&tc.keys, log), nil).ServeHTTP(w, tc.r)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, tc.status, tc.body)
			}
			if !slices.Equal(tc.keys.asked, tc.asked) {
				t.Errorf("asked %q, want %q", tc.keys.asked, tc.asked)
			}
			if got := w.Header().Get("WWW-Authenticate"); (got == challenge) != (tc.status == 401) {
				t.Errorf("challenge %q", got)
			}
			if refused := tc.asked == nil; refused != (w.Header().Get("Connection") == "close") {
				t.Errorf("connection: %q", w.Header().Get("Connection"))
			}
			got := lines.String()
			if (tc.audit == "") != (got == "") || strings.Count(got, "\n") > 1 || !strings.Contains(got, tc.audit) {
				t.Errorf("log %q, want %q", got, tc.audit)
			}
			if tc.audit != "" && !strings.HasPrefix(got, "level=INFO msg=audit ") {
				t.Errorf("log %q is no audit line", got)
			}
			if strings.Contains(got, operatorToken[1:]) || strings.Contains(w.Body.String(), operatorToken[1:]) {
				t.Errorf("the token is told: %q %q", got, w.Body)
			}
		})
	}
}

func TestWithoutATokenNothingCanBeChanged(t *testing.T) {
	t.Parallel()
	for _, shown := range []string{"", "Bearer ", "Bearer " + operatorToken, "Bearer"} {
		keys := &fakeKeys{n: 1}
		cfg := withKeys(keys, discard())
		cfg.Token = nil
		w := httptest.NewRecorder()
		handler(cfg, nil).ServeHTTP(w, change("DELETE", "/keys/vneid/k", "Authorization", shown))
		if w.Code != 403 || !strings.Contains(w.Body.String(), "set admin.token_file") || keys.asked != nil {
			t.Errorf("%q: %d %s, asked %q", shown, w.Code, w.Body, keys.asked)
		}
	}
}

func TestAuditOfAttemptsIsBoundedAndCountsWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, lines := logged()
		h := handler(withKeys(&fakeKeys{n: 1}, log), nil)
		try := func(fields ...string) int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, change("DELETE", "/keys/vneid/k", fields...))
			return w.Code
		}
		for range 10 * auditBurst {
			if got := try("Authorization", "Bearer x"); got != 401 {
				t.Fatalf("status %d", got)
			}
		}
		if got := strings.Count(lines.String(), "\n"); got != auditBurst {
			t.Errorf("%d lines, want %d", got, auditBurst)
		}
		lines.Reset()
		// The flood stops neither the operator nor the operator's own line.
		if got := try(); got != 200 || strings.Count(lines.String(), "result=done") != 1 {
			t.Errorf("status %d, log %q", got, lines)
		}
		lines.Reset()
		time.Sleep(time.Second)
		try("Authorization", "Bearer x")
		if want := fmt.Sprintf("omitted=%d\n", 9*auditBurst); !strings.HasSuffix(lines.String(), want) {
			t.Errorf("log %q, want %q", lines, want)
		}
	})
}

func TestKeysOverTheWire(t *testing.T) {
	t.Parallel()
	keys := &fakeKeys{n: 1}
	address := serve(t, withKeys(keys, discard()))
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	for _, kid := range []string{"a/b", "100%", "..", "a//b", "%2F", "", "?x#y"} {
		keys.asked = nil
		r, err := http.NewRequestWithContext(t.Context(), "DELETE", "http://"+address+keyPath("vneid", kid), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+operatorToken)
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || string(body) != "{\"purged\":1}\n" || !slices.Equal(keys.asked, []string{"purge", "vneid", kid}) {
			t.Errorf("%q: %d %s, asked %q, %v", kid, resp.StatusCode, body, keys.asked, err)
		}
	}
}
