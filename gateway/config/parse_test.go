package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// files lists the configurations in testdata that match the pattern.
func files(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no testdata/%s: %v", pattern, err)
	}
	return names
}

// privateTestdata copies testdata to a directory in which only the owner can
// read: the modes of a work tree are whatever the umask made them.
func privateTestdata(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files(t, "*.*") {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEveryFaultOfABustedFileIsReportedWithItsPosition(t *testing.T) {
	t.Parallel()
	for _, name := range files(t, "busted_*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			c, err := Load(name)
			if faults, ok := errors.AsType[*Faults](err); !ok || c != nil || len(*faults) == 0 {
				t.Fatalf("got %v, %v; want faults", c, err)
			}
			if !errors.Is(err, ErrInvalid) {
				t.Error("does not wrap ErrInvalid")
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Error("repeats a secret")
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".golden", []byte(err.Error()+"\n"))
		})
	}
}

func TestAWorkingFileHasNoFaultsAndItsWarnings(t *testing.T) {
	t.Parallel()
	private := privateTestdata(t)
	for _, name := range files(t, "working_*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Parse(name, data, private)
			if err != nil {
				t.Fatal(err)
			}
			var lines strings.Builder
			for _, w := range c.Warnings() {
				lines.WriteString(w.String() + "\n")
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".golden", []byte(lines.String()))
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range append(files(f, "working_*.yaml"), files(f, "busted_*.yaml")...) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("fuzz.yaml", data, "testdata")
		if (c == nil) == (err == nil) {
			t.Fatalf("got %v and %v", c, err)
		}
		if err != nil {
			if faults, ok := errors.AsType[*Faults](err); !ok || len(*faults) == 0 || len(*faults) > maxFaults {
				t.Fatalf("error %#v", err)
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "fuzz.yaml:") {
					t.Fatalf("a fault is not one line: %q", err)
				}
			}
			return
		}
		r := newReport("again")
		r.places = c.places
		normalise(c, "")
		checkTags(reflect.ValueOf(c).Elem(), nil, r)
		settle(c)
		check(c, r)
		if err := r.err(); err != nil {
			t.Fatalf("valid once, then not: %v", err)
		}
		c.Warnings()
	})
}
