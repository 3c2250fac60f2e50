package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHealthAsksOverTLSAndTrustsOnlyTheNamedRoots(t *testing.T) {
	t.Parallel()
	admin := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":"ready"}`))
	}))
	t.Cleanup(admin.Close)
	roots := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: admin.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string // of the error; "" for none
	}{
		{"named roots", []string{"--url", admin.URL + "/readyz", "--ca-file", roots}, ""},
		{"the system's roots", []string{"--url", admin.URL + "/readyz"}, "certificate"},
		{"a file without roots", []string{"--ca-file", os.Args[0]}, "no certificate in it"},
		{"no file", []string{"--ca-file", roots + "x"}, "--ca-file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := healthCommand()
			var out strings.Builder
			cmd.SetOut(&out)
			cmd.SetErr(&out)
			cmd.SilenceUsage = true
			cmd.SetArgs(c.args)
			err := cmd.ExecuteContext(t.Context())
			if c.want == "" && (err != nil || !strings.Contains(out.String(), "ready")) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, %s", err, out.String())
			}
		})
	}
}
