package scenario

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/scenarios"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestEveryFaultIsNamedWithItsLineItsFieldAndWhatIsAllowed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/busted_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(filepath.Base(file), raw)
			if !errors.Is(err, ErrFile) {
				t.Fatalf("got %v, want faults", err)
			}
			golden(t, strings.TrimSuffix(filepath.Base(file), ".yaml")+".golden", err.Error()+"\n")
		})
	}
}

func TestAFileThatIsNoScenarioIsAFault(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"empty":            "",
		"a list":           "- a\n",
		"not UTF-8":        "name: \xff\n",
		"not YAML":         "name: [\n",
		"two documents":    "name: a\n---\nname: b\n",
		"too large":        strings.Repeat("# comment\n", MaxBytes/10+1),
		"too many bracket": "name: " + strings.Repeat("[", 1000),
	} {
		if _, err := Parse("file", []byte(raw)); !errors.Is(err, ErrFile) {
			t.Errorf("%s: got %v, want faults", name, err)
		}
	}
}

// FuzzParse looks for files that break the reader, and for scenarios that were taken and cannot be scaled or made into a
// load.
func FuzzParse(f *testing.F) {
	for _, name := range scenarios.Names() {
		raw, _ := scenarios.Read(name)
		f.Add(raw)
	}
	files, err := filepath.Glob("testdata/busted_*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Parse("file", raw)
		if err != nil {
			if !errors.Is(err, ErrFile) {
				t.Fatal(err)
			}
			return
		}
		scaled, err := s.Scale(0.5, 0)
		if err != nil {
			t.Fatal(err)
		}
		// A rate that is 0 throughout is the only one that makes no load.
		if _, err := scaled.Load.Schedule(); err != nil && scaled.Load.Peak() > 0 {
			t.Fatal(err)
		}
	})
}
