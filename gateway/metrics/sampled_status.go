package metrics

import "time"

// StatusSample tells of the token status lists of one issuer.
type StatusSample struct {
	Issuer string
	// Lists are held or asked for; Missing of them count for nothing, and Soft are
	// past their soft limit of age, the former included.
	Lists, Missing, Soft int
	Bytes                int64
	// OldestAge is the age of the oldest one, Success when one was last fetched; zero
	// for never.
	OldestAge time.Duration
	Success   time.Time
	// Fetches counts them by outcome, Delayed those that the budget kept waiting, and
	// Unheld the looks at lists for which there was no room.
	Fetches         map[string]uint64
	Delayed, Unheld uint64
	// Checks counts what requests found, by status, and Waits the requests that had
	// to wait for a list, by how that ended; Waiting do now.
	Checks, Waits map[string]uint64
	Waiting       int64
}

// statusMetrics lists what is exported of token status lists.
var statusMetrics = []description{
	{"status_list_bytes_limit", "Memory that all issuers' status lists may take together: revocation.status_list_bytes.", nil},
	{"status_lists", "Status lists of an issuer that are held or asked for.", []string{"issuer"}},
	{"status_lists_missing", "Those of them that count for nothing: not fetched yet, expired, under a withdrawn key, or past the hard limit of age.", []string{"issuer"}},
	{"status_lists_stale", "Those past the soft limit of age.", []string{"issuer"}},
	{"status_list_bytes", "Memory that an issuer's status lists take.", []string{"issuer"}},
	{"status_list_oldest_age_seconds", "Time since the last good fetch of the list that was fetched longest ago; 0 without lists.", []string{"issuer"}},
	{"status_list_success_timestamp_seconds", "When a status list was last fetched; absent for never.", []string{"issuer"}},
	{"status_list_fetches_total", "Fetches of status lists, by outcome; changed and unchanged are good.", []string{"issuer", "outcome"}},
	{"status_list_fetches_delayed_total", "Fetches of status lists that had to wait, since others had used up the budget.", []string{"issuer"}},
	{"status_lists_unheld_total", "Looks at lists that were not asked for, since max_lists are held.", []string{"issuer"}},
	{"status_checks_total", "Looks at the status of tokens, by what was found.", []string{"issuer", "status"}},
	{"status_list_waits_total", "Requests that had to wait for a list, by outcome: in_time, timeout, crowded (too many waited).", []string{"issuer", "outcome"}},
	{"status_list_waiting", "Requests that wait for a list.", []string{"issuer"}},
}

func (s *StatusSample) collect(gauge gauges, count counts) {
	gauge("status_lists", float64(s.Lists), s.Issuer)
	gauge("status_lists_missing", float64(s.Missing), s.Issuer)
	gauge("status_lists_stale", float64(s.Soft), s.Issuer)
	gauge("status_list_bytes", float64(s.Bytes), s.Issuer)
	gauge("status_list_oldest_age_seconds", s.OldestAge.Seconds(), s.Issuer)
	moment(gauge, "status_list_success_timestamp_seconds", s.Success, s.Issuer)
	for outcome, n := range s.Fetches {
		count("status_list_fetches_total", n, s.Issuer, outcome)
	}
	count("status_list_fetches_delayed_total", s.Delayed, s.Issuer)
	count("status_lists_unheld_total", s.Unheld, s.Issuer)
	for status, n := range s.Checks {
		count("status_checks_total", n, s.Issuer, status)
	}
	for outcome, n := range s.Waits {
		count("status_list_waits_total", n, s.Issuer, outcome)
	}
	gauge("status_list_waiting", float64(s.Waiting), s.Issuer)
}
