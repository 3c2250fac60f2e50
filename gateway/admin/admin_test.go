package admin

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAdminListener(t *testing.T) {
	t.Parallel()
	missing := []string{"keys of issuer vneid: not fetched yet"}
	base := Config{
		Ready:   func() []string { return missing },
		Metrics: http.NotFoundHandler(),
		Version: map[string]string{"version": "v1"},
		Log:     slog.New(slog.DiscardHandler),
	}
	ready := base
	ready.Ready = func() []string { return nil }
	profiled := base
	profiled.Pprof = true
	for _, tc := range []struct {
		name   string
		cfg    Config
		method string
		path   string
		status int
		body   string
	}{
		{"alive while not ready", base, "GET", "/livez", 200, `{"status":"alive"}`},
		{"not ready says what is missing", base, "GET", "/readyz", 503, `{"status":"not ready","missing":["keys of issuer vneid: not fetched yet"]}`},
		{"ready", ready, "GET", "/readyz", 200, `{"status":"ready"}`},
		{"version", base, "GET", "/version", 200, `{"version":"v1"}`},
		{"profiles are off by default", base, "GET", "/debug/pprof/", 404, "404"},
		{"profiles where asked for", profiled, "GET", "/debug/pprof/cmdline", 200, ""},
		{"probes are read only", base, "POST", "/livez", 405, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			rec := httptest.NewRecorder()
			handler(tc.cfg, nil).ServeHTTP(rec, httptest.NewRequest(tc.method, tc.path, nil))
			if rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.body) {
				t.Errorf("%s %s: %d %q, want %d %q", tc.method, tc.path, rec.Code, rec.Body, tc.status, tc.body)
			}
		})
	}
}
