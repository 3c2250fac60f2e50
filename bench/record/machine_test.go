package record

import (
	"runtime/debug"
	"testing"
)

func TestCommitIsTheVersionWhereTheBuildDidNotRecordIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		revision, modified, version, want string
	}{
		{"abc", "false", "v1.2.3", "abc"},
		{"abc", "true", "v1.2.3", "abc+dirty"},
		{"abc", "true", "", "abc+dirty"},
		{"", "", "v1.2.3", "v1.2.3"},
		{"", "", "", ""},
	} {
		settings := []debug.BuildSetting{{Key: "-trimpath", Value: "true"}}
		if c.revision != "" {
			settings = append(settings, debug.BuildSetting{Key: "vcs.modified", Value: c.modified}, debug.BuildSetting{Key: "vcs.revision", Value: c.revision})
		}
		if got := commit(settings, c.version); got != c.want {
			t.Errorf("%+v: commit %q", c, got)
		}
	}
	// What a test is built with has no repository.
	if got := ThisMachine("v1.2.3").Commit; got != "v1.2.3" {
		t.Errorf("commit %q of a program that is told its version", got)
	}
}
