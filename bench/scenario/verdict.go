package scenario

import (
	"slices"
	"sync/atomic"
	"time"
)

// ruling is a [Rule] while a run goes on.
type ruling struct {
	statuses []int
	code     string // "" is not looked at
	instead  bool   // of what the class expects, and not besides
	window   func() window
	taken    atomic.Int64 // answers that are taken because of it
}

func (r *ruling) met(status int, code []byte) bool {
	return slices.Contains(r.statuses, status) && (r.code == "" || string(code) == r.code)
}

// judge says whether an answer is taken that was decided at some time between sent and answered, and which rule it is
// taken for, nil for none. Expected says that it is as its class expects.
//
// It is right where it is as the class expects, unless a rule that stands instead of that held all the time, or as such
// a rule says that may have held. Rules that stand besides it allow where they may have held.
func judge(expected bool, rules []*ruling, sent, answered time.Duration, status int, code []byte) (taken bool, by *ruling) {
	for _, r := range rules {
		w := r.window()
		switch {
		case !w.touches(sent, answered):
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
