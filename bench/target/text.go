package target

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// shownOutcomes is how many outcomes are written for people.
const shownOutcomes = 6

// WriteText writes what was used for people; of nil it writes nothing. The error is that
// of the writer.
func (u *Use) WriteText(w io.Writer) error {
	if u == nil {
		return nil
	}
	tab := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	lines := func(name string, values ...string) {
		for _, value := range values {
			_, _ = fmt.Fprintf(tab, "%s\t%s\n", name, value) // Flush tells.
			name = ""
		}
	}
	lines("target's CPU", u.cpuText())
	lines("target's memory", u.memoryText())
	lines("target's requests", u.requestLines()...)
	lines("target's overhead", u.Overhead.lines()...)
	if u.Switches != nil {
		lines("target's switches", fmt.Sprintf("%s voluntary, %s not", count(u.Switches.Voluntary), count(u.Switches.Involuntary)))
	}
	lines("samples", u.sampleLines()...)
	return tab.Flush()
}

func (u *Use) cpuText() string {
	if u.CPUSeconds == nil {
		return "not known"
	}
	s := fmt.Sprintf("%.2f s in %.1f s", *u.CPUSeconds, u.Seconds)
	if u.CPUCores != nil {
		s += fmt.Sprintf(": %.2f cores", *u.CPUCores)
	}
	if u.CPUMicrosecondsPerRequest != nil {
		s += fmt.Sprintf(", %.1f µs a request", *u.CPUMicrosecondsPerRequest)
		if u.RequestsOf == OfGenerator {
			s += ", by the generator's count"
		}
	}
	return s
}

func (u *Use) memoryText() string {
	if u.PeakRSSBytes == nil {
		return "not known"
	}
	s := fmt.Sprintf("%s at most, %s on average", mebibytes(*u.PeakRSSBytes), mebibytes(*u.MeanRSSBytes))
	if u.Go != nil {
		s += fmt.Sprintf("; %s of heap at most, %d collections", mebibytes(u.Go.PeakHeapBytes), u.Go.Collections)
	}
	return s
}

func (u *Use) requestLines() []string {
	if u.Requests == nil {
		return nil
	}
	lines := []string{count(*u.Requests) + " counted by itself"}
	names := slices.SortedFunc(maps.Keys(u.Outcomes), func(a, b string) int {
		return cmp.Or(cmp.Compare(u.Outcomes[b], u.Outcomes[a]), cmp.Compare(a, b))
	})
	rest := int64(0)
	for i, name := range names {
		if i >= shownOutcomes {
			rest += u.Outcomes[name]
			continue
		}
		lines = append(lines, count(u.Outcomes[name])+" × "+name)
	}
	if rest > 0 {
		lines = append(lines, fmt.Sprintf("%s of %d other outcomes", count(rest), len(names)-shownOutcomes))
	}
	return lines
}

func (o *Overhead) lines() []string {
	if o == nil || o.Count == 0 {
		return nil
	}
	list := []string{fmt.Sprintf("mean %.0fµs", o.MeanMicroseconds)}
	for _, p := range []struct {
		name  string
		value *float64
	}{{"p50", o.P50Microseconds}, {"p90", o.P90Microseconds}, {"p99", o.P99Microseconds}, {"p99.9", o.P999Microseconds}} {
		if p.value == nil {
			list = append(list, p.name+" beyond all")
			continue
		}
		list = append(list, fmt.Sprintf("%s %.0fµs", p.name, *p.value))
	}
	return []string{strings.Join(list, ", ") + " (" + o.Buckets + " buckets)"}
}

func (u *Use) sampleLines() []string {
	lines := []string{fmt.Sprintf("%d good, from %s", u.Samples, strings.Join(u.Source, " and "))}
	for _, reason := range slices.Sorted(maps.Keys(u.Failures)) {
		lines = append(lines, fmt.Sprintf("%d failed: %s", u.Failures[reason], reason))
	}
	for _, seen := range []struct {
		n    int
		says string
	}{{u.Restarts, "restarts of a process"}, {u.Gone, "processes ended"}, {u.Resets, "times, counters went back"}} {
		if seen.n > 0 {
			lines = append(lines, fmt.Sprintf("%d %s", seen.n, seen.says))
		}
	}
	if !u.Complete {
		lines = append(lines, "THE LAST SAMPLE FAILED: this is not all that was used")
	}
	return lines
}

func mebibytes(n int64) string { return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB" }

// count writes a number with its thousands apart.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
