package admin

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

const iss = "https://sso.example.vn/realms/citizen"

// fakeIntake remembers what was put in force.
type fakeIntake struct {
	err error

	mu      sync.Mutex
	entries []revocation.Entry
}

func (f *fakeIntake) Accept(_ context.Context, entries ...revocation.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = append(f.entries, entries...)
	return f.err
}

var (
	errFull = errors.New("store is full")
	noon    = at("2025-07-01T12:00:00Z")
)

func withRevocations(intake Intake, log *slog.Logger) Config {
	cfg := withKeys(&fakeKeys{}, log)
	cfg.Revocations = &Revocations{
		Intake: intake,
		Issuer: func(text string) (string, string, bool) {
			return "vneid", iss, text == "vneid" || text == iss
		},
		Lifetime: func(string) time.Duration { return time.Hour },
		Digest:   func(e revocation.Entry) string { return hex.EncodeToString([]byte{byte(e.Kind), byte(len(e.ID))}) },
		Code: func(err error) string {
			if errors.Is(err, errFull) {
				return "revocation_store_full"
			}
			return "revocation_not_durable"
		},
		Status: func() any { return map[string]int{"entries": 7} },
		Now:    func() time.Time { return noon },
	}
	return cfg
}

// revoking is a call with a body.
func revoking(body string, fields ...string) *http.Request {
	r := change(http.MethodPost, "/revocations", append([]string{"Content-Type", "application/json"}, fields...)...)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return r
}

const thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

func TestRevocationsGetInForceAsStated(t *testing.T) {
	t.Parallel()
	const stated = `"issuer":"vneid","reason":"ticket 4711"`
	until := noon.Add(time.Hour)
	entry := func(kind revocation.Kind, id string, before, until time.Time) []revocation.Entry {
		return []revocation.Entry{{Kind: kind, Issuer: iss, ID: id, Before: before, Until: until}}
	}
	for name, tc := range map[string]struct {
		body string
		want []revocation.Entry
	}{
		"token":         {`{"jti":"j-1",` + stated + `}`, entry(revocation.KindToken, "j-1", time.Time{}, until)},
		"session":       {`{"sid":"s-1",` + stated + `}`, entry(revocation.KindSession, "s-1", time.Time{}, until)},
		"key id":        {`{"kid":"k-1",` + stated + `}`, entry(revocation.KindKeyID, "k-1", time.Time{}, forGood)},
		"thumbprint":    {`{"thumbprint":"` + thumbprint + `",` + stated + `}`, entry(revocation.KindThumbprint, thumbprint, time.Time{}, forGood)},
		"subject, now":  {`{"sub":"ế",` + stated + `}`, entry(revocation.KindSubject, "ế", noon, until)},
		"client, now":   {`{"client":"c-1",` + stated + `}`, entry(revocation.KindClient, "c-1", noon, until)},
		"issuer by iss": {`{"jti":"j-1","issuer":"` + iss + `","reason":"r"}`, entry(revocation.KindToken, "j-1", time.Time{}, until)},
		"before": {
			`{"sub":"s","before":"2025-07-01T09:00:00+07:00",` + stated + `}`,
			entry(revocation.KindSubject, "s", at("2025-07-01T02:00:00Z"), until),
		},
		"before is now":       {`{"sub":"s","before":"2025-07-01T12:00:00Z",` + stated + `}`, entry(revocation.KindSubject, "s", noon, until)},
		"all":                 {`{"sub":"s","all":true,` + stated + `}`, entry(revocation.KindSubject, "s", time.Time{}, until)},
		"not all":             {`{"sub":"s","all":false,` + stated + `}`, entry(revocation.KindSubject, "s", noon, until)},
		"not all, of a token": {`{"jti":"j","all":false,` + stated + `}`, entry(revocation.KindToken, "j", time.Time{}, until)},
		"until":               {`{"jti":"j","until":"2026-01-01T00:00:00Z",` + stated + `}`, entry(revocation.KindToken, "j", time.Time{}, at("2026-01-01T00:00:00Z"))},
		"for good":            {`{"kid":"k","until":"9999-12-31T23:59:59Z",` + stated + `}`, entry(revocation.KindKeyID, "k", time.Time{}, at("9999-12-31T23:59:59Z"))},
		"null is absent":      {`{"jti":"j","sid":null,"before":null,"revocations":null,` + stated + `}`, entry(revocation.KindToken, "j", time.Time{}, until)},
		"longest identifier":  {`{"jti":"` + strings.Repeat("j", 256) + `",` + stated + `}`, entry(revocation.KindToken, strings.Repeat("j", 256), time.Time{}, until)},
		"list": {
			`{"revocations":[{"issuer":"vneid","jti":"a"},{"issuer":"vneid","sub":"b","all":true}],"reason":"r"}`,
			append(entry(revocation.KindToken, "a", time.Time{}, until), entry(revocation.KindSubject, "b", time.Time{}, until)...),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			intake := &fakeIntake{}
			w := httptest.NewRecorder()
			handler(withRevocations(intake, discard()), nil).ServeHTTP(w, revoking(tc.body))
			if want := fmt.Sprintf("{\"revoked\":%d}\n", len(tc.want)); w.Code != 200 || w.Body.String() != want {
				t.Errorf("%d %s, want %s", w.Code, w.Body, want)
			}
			same := func(a, b revocation.Entry) bool {
				return a.Kind == b.Kind && a.Issuer == b.Issuer && a.ID == b.ID && a.Before.Equal(b.Before) && a.Until.Equal(b.Until)
			}
			if !slices.EqualFunc(intake.entries, tc.want, same) {
				t.Errorf("in force %v, want %v", intake.entries, tc.want)
			}
		})
	}
}

func TestRevocationsAreAnsweredAsDocumented(t *testing.T) {
	t.Parallel()
	const good = `{"issuer":"vneid","jti":"j-secret","reason":"ticket 4711"}`
	chunked := revoking(good + strings.Repeat(" ", MaxRevocationBytes))
	chunked.ContentLength = -1
	cut := revoking("")
	cut.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	cut.ContentLength = 9
	for _, tc := range []struct {
		name   string
		r      *http.Request
		err    error
		none   bool // no store
		status int
		body   string
		audit  string
	}{
		{"charset", revoking(good, "Content-Type", "application/json; charset=UTF-8"), nil, false, 200, `{"revoked":1}`, "by=token result=done kind=token issuer=vneid digest=0108 until=2025-07-01T13:00:00.000Z why=\"ticket 4711\" entries=1"},
		{"token missing", revoking(good, "Authorization", ""), nil, false, 401, "bearer token", "by=nobody result=refused"},
		{"from a page", revoking(good, "Origin", "null"), nil, false, 403, "browser's page", "by=nobody result=refused"},
		{"no store", revoking(good), nil, true, 409, `{"error":"there is no revocation store: set revocation.directory","code":"no_revocation_store"}`, "code=no_revocation_store"},
		{"no store, token missing", revoking(good, "Authorization", ""), nil, true, 401, "bearer token", "by=nobody result=refused"},
		{"too long, told", revoking(good + strings.Repeat(" ", MaxRevocationBytes)), nil, false, 413, `"code":"too_large"`, "result=refused"},
		{"too long, not told", chunked, nil, false, 413, `"code":"too_large"`, "code=too_large"},
		{"cut", cut, nil, false, 400, `"code":"invalid_revocation"`, "code=invalid_revocation"},
		{"form", revoking(good, "Content-Type", "application/x-www-form-urlencoded"), nil, false, 415, `"code":"unsupported_media_type"`, "code=unsupported_media_type"},
		{"no type", revoking(good, "Content-Type", ""), nil, false, 415, "application/json", "result=refused"},
		{"other charset", revoking(good, "Content-Type", "application/json; charset=utf-16"), nil, false, 415, "application/json", "result=refused"},
		{"compressed", revoking(good, "Content-Encoding", "gzip"), nil, false, 415, "Content-Encoding", "result=refused"},
		{"malformed", revoking(`{}`), nil, false, 400, `{"error":"reason: must say why`, `code=invalid_revocation reason="reason: must say why`},
		{"full", revoking(good), fmt.Errorf("x: %w", errFull), false, 503, `"code":"revocation_store_full"`, "result=failed kind=token issuer=vneid digest=0108"},
		{"not durable", revoking(good), errors.New("disk"), false, 503, `"code":"revocation_not_durable"`, "code=revocation_not_durable error=disk"},
		{"the store finds fault", revoking(good), fmt.Errorf("x: %w", revocation.ErrEntry), false, 400, `{"error":"an entry is malformed, and none is in force","code":"invalid_revocation"}`, "result=refused kind=token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			log, lines := logged()
			intake := &fakeIntake{err: tc.err}
			cfg := withRevocations(intake, log)
			if tc.none {
				cfg.Revocations = nil
			}
			w := httptest.NewRecorder()
			handler(cfg, nil).ServeHTTP(w, tc.r)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, tc.status, tc.body)
			}
			if got := w.Header().Get("Retry-After"); (got == "5") != (tc.status == 503) {
				t.Errorf("Retry-After %q", got)
			}
			if got := w.Header().Get("WWW-Authenticate"); (got == challenge) != (tc.status == 401) {
				t.Errorf("challenge %q", got)
			}
			if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "msg=audit action=revoke remote=127.0.0.1:5000 ") || !strings.Contains(got, tc.audit) {
				t.Errorf("log %q, want %q", got, tc.audit)
			}
			if told := lines.String() + w.Body.String(); strings.Contains(told, "j-secret") || strings.Contains(told, operatorToken) {
				t.Errorf("told: %q", told)
			}
			if handed := len(intake.entries) > 0; handed != (tc.status == 200 || tc.err != nil) {
				t.Errorf("handed on: %v", intake.entries)
			}
		})
	}
}

func TestRevocationCountsAreShownWithoutAToken(t *testing.T) {
	t.Parallel()
	cfg := withRevocations(&fakeIntake{}, discard())
	for _, want := range []struct {
		status int
		body   string
	}{{200, `{"entries":7}`}, {404, noStore}} {
		w := httptest.NewRecorder()
		handler(cfg, nil).ServeHTTP(w, httptest.NewRequest("GET", "/revocations", nil))
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.body) {
			t.Errorf("%d %s, want %v", w.Code, w.Body, want)
		}
		cfg.Revocations = nil
	}
}

func TestAuditOfAListIsBoundedAndSumsUp(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{1: 1, maxAuditedEntries: maxAuditedEntries, maxAuditedEntries + 1: maxAuditedEntries + 1, MaxRevocations: maxAuditedEntries + 1} {
		log, lines := logged()
		var body bytes.Buffer
		body.WriteString(`{"reason":"breach","revocations":[{"issuer":"vneid","sub":"s","all":true}`)
		for i := range n - 1 {
			fmt.Fprintf(&body, `,{"issuer":"vneid","jti":"j-%d"}`, i)
		}
		body.WriteString("]}")
		w := httptest.NewRecorder()
		handler(withRevocations(&fakeIntake{}, log), nil).ServeHTTP(w, revoking(body.String()))
		if w.Code != 200 {
			t.Fatalf("%d: %d %s", n, w.Code, w.Body)
		}
		got := lines.String()
		if strings.Count(got, "\n") != want || !strings.Contains(got, "before=all") || strings.Contains(got, "j-0") {
			t.Errorf("%d: %d lines, want %d: %.300s", n, strings.Count(got, "\n"), want, got)
		}
		summary := fmt.Sprintf(`result=done kinds="token %d, subject 1" why=breach entries=%d not_listed=%d`, n-1, n, n-maxAuditedEntries)
		if strings.Contains(got, summary) != (n > maxAuditedEntries) {
			t.Errorf("%d: want %q in %s", n, summary, got[len(got)-300:])
		}
	}
}

// blocked accepts nothing until it is told to.
type blocked struct{ begun, end chan struct{} }

func (b blocked) Accept(ctx context.Context, _ ...revocation.Entry) error {
	b.begun <- struct{}{}
	select {
	case <-b.end:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestRevocationCallsUnderWayAreBounded(t *testing.T) {
	t.Parallel()
	intake := blocked{make(chan struct{}), make(chan struct{})}
	h := handler(withRevocations(intake, discard()), nil)
	const body = `{"issuer":"vneid","jti":"j","reason":"r"}`
	var calls sync.WaitGroup
	for range maxRevocationCalls {
		calls.Go(func() {
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, revoking(body)); w.Code != 200 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	for range maxRevocationCalls {
		<-intake.begun
	}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, revoking(body)); w.Code != 503 || !strings.Contains(w.Body.String(), codeBusy) || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	close(intake.end)
	calls.Wait()
	go func() { <-intake.begun }()
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, revoking(body)); w.Code != 200 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}
