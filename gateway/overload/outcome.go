package overload

// Outcome is what was decided about a piece of work. The zero value refuses.
type Outcome uint8

// The outcomes.
const (
	// Refused: the work must not be done now.
	Refused Outcome = iota
	// Admitted: the work may begin. Who was admitted must give up its place
	// when the work is done.
	Admitted
)

// String returns the outcome's name.
func (o Outcome) String() string {
	if o == Admitted {
		return "admitted"
	}
	return "refused"
}
