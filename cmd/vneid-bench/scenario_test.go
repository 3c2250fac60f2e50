package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScenarioCommands runs the scripts of testdata/scenario against a target that lets everybody in.
func TestScenarioCommands(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("welcome")) }))
	t.Cleanup(target.Close)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/scenario",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"status": status},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TARGET", target.URL)
			return nil
		},
	})
}
