package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/stand"
)

// TestCorpusGetsFromTheRealGatewayWhatItsLinesExpect runs the whole of it as
// processes: tokens, issuer, gateway, revocation, attack.
func TestCorpusGetsFromTheRealGatewayWhatItsLinesExpect(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the gateway")
	}
	t.Parallel()
	bin := t.TempDir()
	if output, err := exec.Command("go", "build", "-o", filepath.Join(bin, "vneid-gateway"), "../vneid-gateway").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, output)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/corpus",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "await": await, "right": right, "spoil": spoil,
		},
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"GATEWAY", "ADMIN", "ISSUER", "SYSTEM_A", "SYSTEM_B"} {
				address, err := stand.FreeAddress(t.Context())
				if err != nil {
					return err
				}
				env.Setenv(name, address)
			}
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			return nil
		},
	})
}

// await asks a URL until it answers 200.
func await(ts *testscript.TestScript, _ bool, args []string) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	again, limit := time.NewTicker(20*time.Millisecond), time.NewTimer(time.Minute)
	defer again.Stop()
	defer limit.Stop()
	for {
		response, err := client.Get(args[0])
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-again.C:
		case <-limit.C:
			ts.Fatalf("%s: %v", args[0], err)
		}
	}
}

// right wants so many classes in a record, each with requests, of which some got
// what they must, and none a wrong verdict or no answer.
func right(ts *testscript.TestScript, _ bool, args []string) {
	file, err := record.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	classes := file.Runs[0].Attack.Classes
	if strconv.Itoa(len(classes)) != args[1] {
		ts.Fatalf("%d classes, want %s", len(classes), args[1])
	}
	for _, c := range classes {
		if c.AsExpected == 0 || c.WrongVerdicts+c.FailedOtherwise > 0 || c.AsExpected+c.RefusedByOverload != c.Due {
			ts.Fatalf("%+v", c)
		}
	}
}

// spoil replaces a code in the lines of a class.
func spoil(ts *testscript.TestScript, _ bool, args []string) {
	name, class, code, with := ts.MkAbs(args[0]), args[1], args[2], args[3]
	raw, err := os.ReadFile(name)
	ts.Check(err)
	lines, spoilt := bytes.SplitAfter(raw, []byte("\n")), 0
	for i, line := range lines {
		var l struct {
			Class string `json:"class"`
		}
		if len(line) == 0 {
			continue
		}
		ts.Check(json.Unmarshal(line, &l))
		if l.Class == class {
			lines[i] = bytes.Replace(line, []byte(`"`+code+`"`), []byte(`"`+with+`"`), 1)
			spoilt++
		}
	}
	if spoilt == 0 {
		ts.Fatalf("no line of class %s", class)
	}
	ts.Check(os.WriteFile(name, bytes.Join(lines, nil), 0o600))
}
