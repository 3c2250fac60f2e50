package k6_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The exit statuses of k6 that a run ends with.
const (
	exitGood      = 0
	exitThreshold = 99
	exitScript    = 107
)

// binary returns a real k6: that of $K6, or dist/k6 (make k6), which continuous
// integration has.
func binary(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts k6")
	}
	if k6 := os.Getenv("K6"); k6 != "" {
		return k6
	}
	dist, err := filepath.Abs("../../dist/k6")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dist); err == nil {
		return dist
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no dist/k6: make k6")
	}
	t.Skip("no dist/k6: make k6, or name one in K6")
	return ""
}

// summary is what a run leaves, as far as it is looked at.
type summary struct {
	Format            string  `json:"format"`
	Requests          int64   `json:"requests"`
	RequestsCold      int64   `json:"requests_cold"`
	RequestsDropped   int64   `json:"requests_dropped"`
	WrongVerdicts     int64   `json:"wrong_verdicts"`
	Overloaded        int64   `json:"overloaded"`
	UpstreamFailures  int64   `json:"upstream_failures"`
	Unanswered        int64   `json:"unanswered"`
	RequestsPerSecond float64 `json:"requests_per_second"`
	Latency           latency `json:"latency_ms"`
	Classes           map[string]struct {
		Requests      int64   `json:"requests"`
		WrongVerdicts int64   `json:"wrong_verdicts"`
		Latency       latency `json:"latency_ms"`
	} `json:"classes"`
	Thresholds map[string]bool `json:"thresholds"`
}

type latency struct {
	Count int64   `json:"count"`
	Min   float64 `json:"min"`
	P99   float64 `json:"p99"`
}

// run runs the script, with a virtual user for every request of the loads here, so that none is dropped on a machine that
// stalls, and returns its exit status, its summary and what it printed.
func run(t *testing.T, target, corpus string, args []string, env ...string) (int, summary, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "summary.json")
	cmd := exec.CommandContext(t.Context(), binary(t), append([]string{"run", "--quiet", "--no-usage-report", "--address", "", "-e", "SUMMARY=" + file}, append(args, "replay.js")...)...)
	cmd.Env = append(os.Environ(), append([]string{"TARGET=" + target, "CORPUS=" + corpus, "VUS=60", "GOMAXPROCS=1"}, env...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	status := exitGood
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		status = exit.ExitCode()
	}
	var s summary
	if raw, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
	} else if status != exitScript {
		t.Fatalf("exit status %d: %v\n%s", status, err, out.String())
	}
	if strings.Contains(out.String(), secret) {
		t.Errorf("a token is in what is printed: %s", out.String())
	}
	return status, s, out.String()
}
