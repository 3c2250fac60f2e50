package plan

import (
	"errors"
	"fmt"
	"strconv"
)

var (
	// ErrInput is wrapped where a population, a deployment or a cost has a value that is not allowed, or a file of
	// them cannot be read. The text names the field, the value and what is allowed.
	ErrInput = errors.New("bad input")
	// ErrSamples is wrapped where runs do not tell a cost: there are none, or none that used a processor.
	ErrSamples = errors.New("the runs tell no cost")
	// ErrTooMany is wrapped where no number of replicas that is allowed carries a tier.
	ErrTooMany = errors.New("more replicas than max_replicas allows")
)

// fault says that a field has a value that is not allowed. Decode adds where it stands in the file.
type fault struct {
	field, value, want string
}

func (f *fault) Error() string {
	return fmt.Sprintf("%s: %s is not allowed; must be %s", f.field, f.value, f.want)
}

func (f *fault) Unwrap() error { return ErrInput }

// within refuses a number outside lowest to highest, and one that is none.
func within(field string, value, lowest, highest float64) error {
	if value >= lowest && value <= highest {
		return nil
	}
	return &fault{field, number(value), number(lowest) + " to " + number(highest)}
}

// number writes v in full, as a person would type it.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
