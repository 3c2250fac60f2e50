package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// trait is something that two records should have in common.
type trait struct {
	name string
	of   func(*record.File) string
	// meant says that sides may well differ in it, as it may be what is compared.
	meant bool
}

var traits = []trait{ //nolint:gochecknoglobals // a constant, if Go had them
	{"machine", func(f *record.File) string {
		return fmt.Sprintf("%d × %s, %s", f.Machine.Processors, orUnknown(f.Machine.CPU), orUnknown(f.Machine.Platform))
	}, false},
	{"kernel", func(f *record.File) string { return orUnknown(f.Machine.Kernel) }, false},
	{"Go", func(f *record.File) string { return orUnknown(f.Machine.GoVersion) }, false},
	{"scale", func(f *record.File) string { return fmt.Sprint(f.Scale) }, false},
	{"commit", func(f *record.File) string { return orUnknown(f.Machine.Commit) }, true},
	{"search", search, false},
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// search says what a search for the highest rate was asked for; empty where there was none. Its
// trials are of other rates each time.
func search(f *record.File) string {
	r := f.FindMax
	if r == nil {
		return ""
	}
	arrivals := "even arrivals"
	if r.Poisson {
		arrivals = "random arrivals"
	}
	return fmt.Sprintf("%s in trials of %g s, %d connections, %s", r.Objective, r.TrialSeconds, r.Connections, arrivals)
}

// warnings says in what the sides differ, and the records of one side among each other.
func warnings(base, other Side) (all []string) {
	for _, t := range traits {
		was, is := values(t, base), values(t, other)
		for _, side := range []struct {
			name   string
			values []string
		}{{base.Name, was}, {other.Name, is}} {
			if len(side.values) > 1 {
				all = append(all, fmt.Sprintf("%s differs within %s: %s", t.name, side.name, strings.Join(side.values, " | ")))
			}
		}
		if slices.Equal(was, is) || len(was) == 0 || len(is) == 0 {
			continue
		}
		line := fmt.Sprintf("%s differs: %s | %s", t.name, strings.Join(was, " | "), strings.Join(is, " | "))
		if t.meant {
			line += " (as it should where that is what is compared)"
		}
		all = append(all, line)
	}
	return all
}

// values are those that a side's records have, sorted, each once. What has none is not like any other.
func values(t trait, s Side) (all []string) {
	for _, f := range s.Files {
		if v := t.of(f); v != "" {
			all = append(all, v)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
