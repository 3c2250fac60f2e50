package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(leakless{m}, map[string]func(){"vneid-bench": main})
}

// leakless fails where a test leaves a goroutine behind.
type leakless struct{ m *testing.M }

// Run implements testscript.TestingM.
func (l leakless) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestCommands runs the scripts of testdata/script: what a person types, and
// what the program answers.
func TestCommands(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/secret" && r.Header.Get("Authorization") != "Bearer of-a-file":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/denied":
			w.WriteHeader(http.StatusForbidden)
		}
		w.Header().Set("X-Verdict", "allow")
		_, _ = w.Write([]byte("some words"))
	}))
	t.Cleanup(target.Close)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"status": status},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TARGET", target.URL)
			env.Setenv("PORT", target.URL[strings.LastIndexByte(target.URL, ':')+1:])
			env.Setenv("SECURE", secure.URL)
			return nil
		},
	})
}

// status runs a command that must end with an exit status, as in "status 98 vneid-bench attack".
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = strconv.Itoa(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s: %v", got, args[0], err)
	}
}
