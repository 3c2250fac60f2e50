package target

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestTextIsAsItWasAgreed(t *testing.T) {
	t.Parallel()
	f := func(v float64) *float64 { return &v }
	n := func(v int64) *int64 { return &v }
	for name, u := range map[string]*Use{
		"all": {
			Source: []string{"metrics", "proc"}, Seconds: 30.02, Complete: true,
			CPUSeconds: f(12.34), CPUCores: f(0.411), CPUMicrosecondsPerRequest: f(61.7), PeakRSSBytes: n(61 << 20), MeanRSSBytes: n(58 << 20),
			Requests: n(200_000), Outcomes: map[string]int64{
				"allowed": 190_000, "refused: token_expired": 5000, "refused: bad_signature": 3000, "failed: upstream_unavailable": 1500,
				"refused: a": 300, "refused: b": 100, "refused: c": 60, "refused: d": 40,
			},
			Overhead: &Overhead{Count: 200_000, MeanMicroseconds: 48.2, P50Microseconds: f(41), P90Microseconds: f(80), P99Microseconds: f(391), Buckets: "native"},
			Go:       &Go{PeakHeapBytes: 30 << 20, Collections: 12}, Switches: &Switches{Voluntary: 123_456, Involuntary: 789},
			Samples: 32,
		},
		"little": {
			Source: []string{"metrics"}, Seconds: 3, Samples: 3, Failures: map[string]int{"timeout": 2, "malformed": 1},
			Restarts: 1, Resets: 2, Overhead: &Overhead{Buckets: "classic"},
		},
	} {
		var got strings.Builder
		if err := u.WriteText(&got); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got.String(), want)
		}
		for line := range strings.Lines(got.String()) {
			if utf8.RuneCountInString(line) > 101 {
				t.Errorf("a line of more than 100 columns: %s", line)
			}
		}
	}
	if err := (*Use)(nil).WriteText(nil); err != nil {
		t.Error(err)
	}
}
