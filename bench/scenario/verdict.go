package scenario

import (
	"slices"
	"sync/atomic"
	"time"
)

// ruling is a [Rule] while a run goes on.
type ruling struct {
	statuses []int
	codes    []string // none are not looked at
	instead  bool     // of what the class expects, and not besides
	window   func() window
	taken    atomic.Int64 // answers that are taken because of it
}

func (r *ruling) met(status int, code []byte) bool {
	return slices.Contains(r.statuses, status) && (len(r.codes) == 0 || slices.Contains(r.codes, string(code)))
}

// passes says that it lets a request through.
func (r *ruling) passes() bool { return r.statuses[0] < 400 }

// judge says whether an answer is taken that was decided at some time between sent and answered, and which rule it is
// taken for, nil for none. Expected says that it is as its class expects.
//
// It is right where it is as the class expects, unless a rule that stands instead of that held all the time, or as such
// a rule says that may have held. Rules that stand besides it allow where they may have held, but never that somebody was
// let through who must not be: letThrough says that the answer tells so.
func judge(expected, letThrough bool, rules []*ruling, sent, answered time.Duration, status int, code []byte) (taken bool, by *ruling) {
	for _, r := range rules {
		w := r.window()
		switch {
		case !w.touches(sent, answered):
		case letThrough && !r.instead:
		case r.met(status, code):
			if r.instead || by == nil {
				taken, by = true, r
			}
		case r.instead && w.covers(sent, answered):
			expected = false
		}
	}
	// What is right needs no rule that allows it.
	if expected && (by == nil || !by.instead) {
		return true, nil
	}
	return taken, by
}

// refuses says whether a request must be refused whenever it can have been decided: its class is not to pass, or a rule
// that stands instead of that held all the time, and no such rule that may have held lets it pass.
func refuses(passes bool, rules []*ruling, sent, answered time.Duration) bool {
	may := passes
	for _, r := range rules {
		if w := r.window(); r.instead && w.covers(sent, answered) {
			may = false
		}
	}
	for _, r := range rules {
		may = may || r.instead && r.passes() && r.window().touches(sent, answered)
	}
	return !may
}
