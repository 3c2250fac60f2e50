package main

import (
	"encoding/json"
	"flag"
	"net"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata/script")

// TestCommands runs the scripts of testdata/script: what a person types, and
// what the program answers.
func TestCommands(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			// Somebody else's port, for as long as the scripts run.
			env.Setenv("TAKEN", taken.Addr().String())
			return nil
		},
	})
}

func TestSchemaIsJSONThatSaysItIsASchema(t *testing.T) {
	t.Parallel()
	code, said := runBinary(t, "schema")
	var schema struct {
		Dialect string         `json:"$schema"`
		Fields  map[string]any `json:"properties"`
	}
	if err := json.Unmarshal([]byte(said), &schema); err != nil || code != 0 {
		t.Fatalf("exit status %d, %v", code, err)
	}
	if schema.Dialect != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("dialect %q", schema.Dialect)
	}
	for _, field := range []string{"listen", "admin", "issuers", "cutover", "sites", "limits", "verdicts", "log", "shutdown"} {
		if schema.Fields[field] == nil {
			t.Errorf("no field %s", field)
		}
	}
}
