package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestPatternsAreReplacedByTheFilesThatTheyMatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"run-2.json", "run-0.json", "run-1.json", "other-0.json"} {
		if err := os.WriteFile(at(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := matching([]string{at("missing.json"), at("run-*.json"), at("other-?.json")})
	want := []string{at("missing.json"), at("run-0.json"), at("run-1.json"), at("run-2.json"), at("other-0.json")}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for _, bad := range []string{at("none-*.json"), at("[")} {
		if got, err := matching([]string{bad}); err == nil {
			t.Errorf("%s: %q", bad, got)
		}
	}
}
