package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxFaults bounds one report. A file with more is cut after that many.
const maxFaults = 1000

// Fault is one thing that is wrong, or one thing to know about, in a
// configuration.
type Fault struct {
	// File is the configuration file as it was named to Load or Parse; for an
	// override it is the environment variable or flag.
	File string

	// Line and Column count from 1; both are 0 where File has no lines.
	Line, Column int

	// Field is the path of the field, such as sites[0].rules[1].paths[0]. It
	// is empty for the file as a whole.
	Field string

	// Message says what is wrong and what is allowed, in one line.
	Message string
}

// String writes the fault as one line, file:line:column: field: message,
// without the parts that are absent.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	if f.Field != "" {
		b.WriteString(": " + f.Field)
	}
	b.WriteString(": " + f.Message)
	return b.String()
}

// Faults is everything that is wrong with a configuration, sorted by position;
// the faults of overrides come last. It has at least one element, at most
// 1000, and wraps [ErrInvalid].
type Faults []Fault

// Error has one line per fault.
func (f *Faults) Error() string {
	lines := make([]string, len(*f))
	for i, fault := range *f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns ErrInvalid.
func (f *Faults) Unwrap() error { return ErrInvalid }

// report collects the faults of one configuration. Faults about a field that
// could not be decoded are not followed by others about the same field.
type report struct {
	places *places
	list   []Fault
	broken map[string]bool // fields that could not be decoded
	parent map[string]bool // such fields and what contains them
}

func newReport(file string) *report {
	return &report{
		places: &places{file: file, stated: make(map[string]place)},
		broken: make(map[string]bool),
		parent: make(map[string]bool),
	}
}

// at adds a fault about the field p, wherever that was stated.
func (r *report) at(p *path, format string, args ...any) {
	for q := range p.outward() {
		if r.broken[q.String()] {
			return
		}
	}
	r.put(r.places.find(p), p, format, args...)
}

// decode adds a fault that leaves the field p without a usable value.
func (r *report) decode(where place, p *path, format string, args ...any) {
	r.put(where, p, format, args...)
	r.broken[p.String()] = true
	for q := range p.outward() {
		r.parent[q.String()] = true
	}
}

func (r *report) put(where place, p *path, format string, args ...any) {
	r.list = append(r.list, Fault{
		File: where.source, Line: where.line, Column: where.column,
		Field: p.String(), Message: fmt.Sprintf(format, args...),
	})
}

// incomplete tells whether p or a field below it could not be decoded.
func (r *report) incomplete(p *path) bool {
	return r.parent[p.String()]
}

// err returns nil, or the sorted faults.
func (r *report) err() error {
	if len(r.list) == 0 {
		return nil
	}
	f := Faults(sorted(r.list))
	if len(f) > maxFaults {
		f = f[:maxFaults]
	}
	return &f
}

func sorted(list []Fault) []Fault {
	slices.SortStableFunc(list, func(a, b Fault) int {
		return cmp.Or(
			compareBool(a.Line == 0 && a.Field != "", b.Line == 0 && b.Field != ""),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Field, b.Field),
		)
	})
	return list
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// clip bounds a value of the file that a message quotes.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
