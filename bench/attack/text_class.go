package attack

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// maxShown is how many kinds of unexpected answers of a class are shown.
const maxShown = 5

// writeClasses writes a row for each class, and under those whose answers were not
// all as expected what they were.
func (r *Result) writeClasses(w io.Writer) error {
	if len(r.Classes) == 0 {
		return nil
	}
	tab := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(tab, "\nclass\tmust get\tdue\tanswered\tas it must\twrong\toverload\tfailed")
	for i := range r.Classes {
		c := &r.Classes[i]
		_, _ = fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Class, c.Expected,
			count(c.Due), count(c.Answered), count(c.AsExpected), count(c.WrongVerdicts), count(c.RefusedByOverload), count(c.FailedOtherwise))
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	for i := range r.Classes {
		if got := r.Classes[i].got(); got != "" {
			if _, err := fmt.Fprintln(w, got); err != nil {
				return err
			}
		}
	}
	return nil
}

// got tells which answers of a class were not as expected, "" where all were.
func (c *ClassResult) got() string {
	if len(c.Unexpected) == 0 {
		return ""
	}
	s := c.Class + " must get " + c.Expected + ", and got "
	for i, u := range c.Unexpected {
		if i == maxShown {
			return s + fmt.Sprintf(" and %d other kinds", len(c.Unexpected)-maxShown)
		}
		if i > 0 {
			s += ", "
		}
		s += count(u.Count) + " × " + strconv.Itoa(u.Status)
		if u.Reason != "" {
			s += " " + u.Reason
		}
	}
	return s
}
