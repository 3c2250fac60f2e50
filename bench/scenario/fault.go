package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxFaults bounds a report.
const maxFaults = 200

// Fault is one thing that is wrong with a file.
type Fault struct {
	// File is as it was named to Parse.
	File string
	// Line and Column count from 1.
	Line, Column int
	// Field is the field's path, such as actions[1].for; "" is the file as a whole.
	Field string
	// Message says what is wrong and what is allowed.
	Message string
}

// String writes file:line:column: field: message.
func (f Fault) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", f.File, f.Line, f.Column)
	if f.Field != "" {
		s += f.Field + ": "
	}
	return s + f.Message
}

// Faults is everything that is wrong with a file, by position. It has one element at least, 200 at most, and wraps
// [ErrFile].
type Faults []Fault

// Error has one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns [ErrFile].
func (f Faults) Unwrap() error { return ErrFile }

// position is where something stands in a file.
type position struct{ line, column int }

// report collects the faults of a file.
type report struct {
	file   string
	stated map[string]position // where fields are
	list   Faults
}

// put adds a fault at a position.
func (r *report) put(at position, field, format string, values ...any) {
	if len(r.list) < maxFaults {
		r.list = append(r.list, Fault{r.file, at.line, at.column, field, fmt.Sprintf(format, values...)})
	}
}

// at adds a fault of a field, where that is or, where it is absent, where what contains it is.
func (r *report) at(field, format string, values ...any) {
	for within := field; ; {
		if at, stated := r.stated[within]; stated || within == "" {
			r.put(position{max(at.line, 1), max(at.column, 1)}, field, format, values...)
			return
		}
		within = within[:max(0, strings.LastIndexAny(within, ".["))]
	}
}

// err returns what was found, nil where that is nothing.
func (r *report) err() error {
	if len(r.list) == 0 {
		return nil
	}
	slices.SortStableFunc(r.list, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r.list
}
