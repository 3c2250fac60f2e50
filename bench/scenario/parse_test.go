package scenario

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
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

func TestCodesAreOneOrAList(t *testing.T) {
	t.Parallel()
	const file = "name: a\ntitle: a\nbasis: a\nload: { duration: 1s, per_second: 1 }\nthresholds: {}\n"
	for code, want := range map[string][]string{"overloaded": {"overloaded"}, "[overloaded, rate_limited]": {"overloaded", "rate_limited"}} {
		s, err := Parse("file", []byte(file+"allow: [{ status: [503], code: "+code+" }]\n"))
		if err != nil || !slices.Equal(s.Allow[0].Code, want) {
			t.Errorf("%s: %v, %v", code, s, err)
		}
	}
	for _, code := range []string{"{ a: b }", "[[a]]", `""`} {
		if _, err := Parse("file", []byte(file+"allow: [{ status: [503], code: "+code+" }]\n")); !errors.Is(err, ErrFile) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestAnIssuerDoesOneThingAtATime(t *testing.T) {
	t.Parallel()
	const file = "name: a\ntitle: a\nbasis: a\nload: { duration: 60s, per_second: 1 }\nthresholds: {}\nactions:\n"
	fault := func(at, lasting string) string {
		return "  - { at: " + at + ", do: issuer_fault, name: f" + at + ", kind: down, for: " + lasting + " }\n"
	}
	rotate := func(at string) string {
		return "  - { at: " + at + ", do: rotate_key, name: r" + at + ", algorithm: ES256, tokens: 1, share: 0.5 }\n"
	}
	for actions, says := range map[string]string{
		fault("10s", "10s") + fault("20s", "5s") + rotate("25s"): "",
		rotate("10s") + fault("11s", "10s"):                      "",
		fault("10s", "10s") + rotate("15s"):                      "actions[1].at: begins while f10s lasts",
		fault("10s", "10s") + fault("19s", "1s"):                 "actions[1].at: begins while f10s lasts",
		fault("10s", "30s") + fault("11s", "1s") + rotate("20s"): "actions[2].at: begins while f10s lasts",
		rotate("10s") + rotate("20s"):                            "actions[1].do: is a second rotate_key",
	} {
		if _, err := Parse("file", []byte(file+actions)); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s%v, want a word of %q", actions, err, says)
		}
	}
}

func TestNoThresholdTakesAWrongVerdict(t *testing.T) {
	t.Parallel()
	const file = "name: a\ntitle: a\nbasis: a\nload: { duration: 1s, per_second: 1 }\nthresholds: { wrong_verdicts: "
	if _, err := Parse("file", []byte(file+"0 }\n")); err != nil {
		t.Error(err)
	}
	if _, err := Parse("file", []byte(file+"1 }\n")); !errors.Is(err, ErrFile) {
		t.Errorf("1 is taken: %v", err)
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
