package metrics

import "time"

// OverloadSample tells what is refused because there is too much.
type OverloadSample struct {
	// Limit is how many requests may be in flight now.
	Limit int64
	// Shed counts refused work by class.
	Shed map[string]uint64
	// Late is how late the process was with its own work when it was last
	// measured, LateWindows counts the tenths of a second in which that was too
	// much.
	Late        time.Duration
	LateWindows uint64
	// Turns counts new tokens by what became of their turn to be verified.
	Turns map[string]uint64
	// Running and Waiting are verified, or wait for it, now; of the former there
	// may be Parallel.
	Running, Waiting, Parallel int64
}

// RateSample tells of the rate limits of one site.
type RateSample struct {
	Site string
	// Refused counts requests over a rate, by what was bounded; Crowded those
	// that were counted together with others for want of room.
	Refused map[string]uint64
	Crowded uint64
}

// overloadMetrics lists what is exported of overload and rate limits.
var overloadMetrics = []description{
	{"in_flight_limit", "How many requests may be in flight now; it shrinks while the process is late with its own work.", nil},
	{"shed_total", "Work refused because of overload, by class: verification (a new token), over_share (a site over its share), rest.", []string{"class"}},
	{"late_seconds", "How late the process was with its own work when it was last measured.", nil},
	{"late_windows_total", "Tenths of a second in which the process was later than overload.target.", nil},
	{"verification_turns_total", "New tokens by their turn to be verified: at_once, after_wait, full (too many waited), late (waited too long); the last two were refused.", []string{"outcome"}},
	{"verifications_running", "New tokens that are being verified.", nil},
	{"verifications_waiting", "New tokens that wait for their turn.", nil},
	{"verifications_limit", "How many may be verified at one time: overload.verifications.", nil},
	{"rate_limited_total", "Requests over a rate limit of their site, by what it bounds: site, client, source.", []string{"site", "limit"}},
	{"rate_limit_crowded_total", "Requests counted together with others, because too many clients or sources came at one time to tell them apart.", []string{"site"}},
}

func (o *OverloadSample) collect(gauge gauges, count counts) {
	gauge("in_flight_limit", float64(o.Limit))
	for class, n := range o.Shed {
		count("shed_total", n, class)
	}
	gauge("late_seconds", o.Late.Seconds())
	count("late_windows_total", o.LateWindows)
	for outcome, n := range o.Turns {
		count("verification_turns_total", n, outcome)
	}
	gauge("verifications_running", float64(o.Running))
	gauge("verifications_waiting", float64(o.Waiting))
	gauge("verifications_limit", float64(o.Parallel))
}

func (r *RateSample) collect(count counts) {
	for limit, n := range r.Refused {
		count("rate_limited_total", n, r.Site, limit)
	}
	count("rate_limit_crowded_total", r.Crowded, r.Site)
}
