package attack

import (
	"cmp"
	"maps"
	"slices"
)

// Bounds of a [Classified] source.
const (
	// MaxClasses is how many classes there can be.
	MaxClasses = 32
	// MaxReasonBytes is how much of a reason is kept.
	MaxReasonBytes = 48
	// maxUnexpected is how many unexpected answers are told apart, by class, status
	// and reason; of further kinds the reason is dropped.
	maxUnexpected = 256
)

// Class is a kind of request for which there is one right kind of answer.
type Class struct {
	// Name is what reports call it; they leave one without a name out.
	Name string
	// Expected tells people what the answer must be, such as "401 token_expired".
	Expected string
}

// Classified is a [Source] whose answers are verdicts, counted by class.
type Classified interface {
	Source
	// Classes are what [Request.Class] counts from 1; at most [MaxClasses].
	Classes() []Class
	// Judge says what an answer to a request of a class is that is not as expected:
	// [FailureVerdict], [FailureOverload] where the target did not judge for want of
	// capacity, or another. Reason is what the answer gives for its reason, for
	// anybody to see, and may be a part of it; nil is none. It must not allocate.
	Judge(r *Request, a *Response) (f Failure, reason []byte)
}

// Finite is a [Source] that may have too few requests for a load.
type Finite interface {
	Source
	// Enough returns why there are not enough for a load of so many requests.
	Enough(requests int64) error
}

// ClassResult is what came of the requests of a class.
type ClassResult struct {
	Class string `json:"class"`
	// Expected tells people what the answer must be.
	Expected string `json:"expected"`
	// Due counts the requests that were sent or given up; the next four add up to
	// it, but for those that were under way when a run was stopped.
	Due               int64 `json:"due"`
	AsExpected        int64 `json:"as_expected"`
	WrongVerdicts     int64 `json:"wrong_verdicts"`
	RefusedByOverload int64 `json:"refused_by_overload"`
	FailedOtherwise   int64 `json:"failed_otherwise"`
	// Answered is how many were answered in whole, whatever the answer.
	Answered int64 `json:"answered"`
	// Unexpected are the answers that were not as expected, most frequent first.
	Unexpected []Unexpected `json:"unexpected,omitzero"`
}

// Unexpected counts answers that were not as expected.
type Unexpected struct {
	Status int    `json:"status"`
	Reason string `json:"reason,omitzero"`
	Count  int64  `json:"count"`
}

// classTally is what happened to a class.
type classTally struct{ due, answered, right, wrong, overload, otherwise int64 }

// unexpected tells unexpected answers apart, without pointing anywhere.
type unexpected struct {
	class  uint8
	status uint16
	length uint8
	reason [MaxReasonBytes]byte
}

func (t *tally) classified(class uint8, f Failure) {
	c := &t.classes[class]
	switch f {
	case FailureVerdict:
		c.wrong++
	case FailureOverload:
		c.overload++
	default:
		c.otherwise++
	}
}

// note counts an unexpected answer of a class.
func (t *tally) note(class uint8, status int, reason []byte) {
	u := unexpected{class: class, status: uint16(status)} // The parser takes 200 to 599.
	u.length = uint8(copy(u.reason[:], reason))           // At most MaxReasonBytes.
	t.noted(u, 1)
}

// noted counts n answers of a kind; where there is no room for another kind, they
// count for their class and status alone.
func (t *tally) noted(u unexpected, n int64) {
	if _, known := t.unexpected[u]; !known && len(t.unexpected) >= maxUnexpected {
		u = unexpected{class: u.class, status: u.status}
	}
	t.unexpected[u] += n
}

// classResults sums the classes up, in their order.
func classResults(s Source, t *tally) []ClassResult {
	classified, ok := s.(Classified)
	if !ok {
		return nil
	}
	all := make([]ClassResult, len(classified.Classes()))
	for i, class := range classified.Classes() {
		c := &t.classes[i+1]
		all[i] = ClassResult{
			Class: class.Name, Expected: class.Expected, Due: c.due, Answered: c.answered,
			AsExpected: c.right, WrongVerdicts: c.wrong, RefusedByOverload: c.overload, FailedOtherwise: c.otherwise,
		}
	}
	for u := range maps.Keys(t.unexpected) {
		c := &all[u.class-1]
		c.Unexpected = append(c.Unexpected, Unexpected{int(u.status), string(u.reason[:u.length]), t.unexpected[u]})
	}
	for _, c := range all {
		slices.SortFunc(c.Unexpected, func(a, b Unexpected) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Reason, b.Reason))
		})
	}
	return slices.DeleteFunc(all, func(c ClassResult) bool { return c.Class == "" })
}
