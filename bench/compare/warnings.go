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
	{"loads", loads, false},
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// loads says what was asked for, run by run.
func loads(f *record.File) string {
	var all []string
	for i := range f.Runs {
		a := f.Runs[i].Attack
		s := fmt.Sprintf("%s: %s loop, %v s, %d connections", f.Runs[i].Name, a.Load.Loop, a.Load.DurationSeconds, a.Load.Connections)
		if a.Load.Loop == "open" {
			s += fmt.Sprintf(", up to %v/s", a.Load.PeakPerSecond)
		}
		if s += fmt.Sprintf(", TLS %v", a.Load.TLS); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return strings.Join(all, "; ")
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
		if slices.Equal(was, is) {
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

// values are those that a side's records have, sorted, each once.
func values(t trait, s Side) (all []string) {
	for _, f := range s.Files {
		all = append(all, t.of(f))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
