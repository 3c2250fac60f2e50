package report_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/report"
)

// A record that a command left becomes text; WriteHTML makes the page of it.
func Example() {
	f, err := record.Read(strings.NewReader(`{"format": "vneid-bench/1", "scale": 1, "started_at": "2026-11-22T06:00:00Z",
		"command": ["vneid-bench", "attack", "--rate", "100", "http://127.0.0.1:8080/"], "machine": {"processors": 8, "go_version": "go1.26.0"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	r := report.New("What was measured", []*record.File{f}, []string{"run.json"})
	if err := r.WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// What was measured
	// =================
	//
	// What this is worth
	// ------------------
	// Computed, not measured: nothing was sent for this record.
	// began    2026-11-22 06:00:00 UTC
	// command  vneid-bench attack --rate 100 http://127.0.0.1:8080/
	// machine  8 processors
	// Go       go1.26.0
	// commit   not recorded by the build
}
