package attack

import (
	"fmt"
	"time"
)

const (
	// fullShare is the share of the time that a generator may be busy: above
	// it, there is no telling who is slow.
	fullShare = 0.95
	// fullIntervals is the share of intervals in which it may nevertheless be so.
	fullIntervals = 0.05
)

// bottleneck says why the figures of a run are the generator's own and not the
// target's; empty where they can be claimed.
//
// A generator that is late with its requests sends another load than it was asked
// for. One whose processor is full reads answers late, and in a closed loop asks for
// the next one late: what it measures is itself.
func bottleneck(r *Result, maxLateness time.Duration) (reasons []string) {
	if r.Exhausted {
		reasons = append(reasons, "its source had no more requests")
	}
	if late := time.Duration(r.Lateness.P99Microseconds * 1e3); r.Lateness.Count > 0 && late > maxLateness {
		reasons = append(reasons, fmt.Sprintf("it was late itself: 1 in 100 requests by more than %s (allowed: %s)",
			microseconds(r.Lateness.P99Microseconds), microseconds(float64(maxLateness)/1e3)))
	}
	known, full := 0, 0
	for _, i := range r.Series {
		if i.GeneratorBusyShare == nil {
			continue
		}
		known++
		if *i.GeneratorBusyShare >= fullShare {
			full++
		}
	}
	if full > 0 && float64(full) > fullIntervals*float64(known) {
		reasons = append(reasons, fmt.Sprintf("its processor was full, %.0f%% or more, in %d of %d intervals", fullShare*100, full, known))
	}
	return reasons
}
