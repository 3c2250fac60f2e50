package attack

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteText writes the result for people. The error is that of the writer.
func (r *Result) WriteText(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	line := func(name, format string, values ...any) {
		_, _ = fmt.Fprintf(tab, "%s\t"+format+"\n", append([]any{name}, values...)...) // Flush tells.
	}
	line("target", "%s", r.Target)
	line("load", "%s", r.loadText())
	line("generator", "%s", r.generatorText())
	line("asked", "%s requests in %s: %s/s", count(r.Due), seconds(min(r.Load.DurationSeconds, r.ElapsedSeconds)), rate(r.AskedPerSecond))
	line("answered", "%s in %s: %s/s", count(r.Answered), seconds(r.ElapsedSeconds), rate(r.AnsweredPerSecond))
	line("failed", "%s (%s)%s", count(r.Failed), percent(r.Failed, r.Due), each(r.Failures))
	if r.Unfinished > 0 {
		line("unfinished", "%s when the run was stopped", count(r.Unfinished))
	}
	line("statuses", "%s", strings.TrimPrefix(each(r.Statuses), ": "))
	line("connections", "%s opened, %s failed to open, %s closed by the target", count(r.ConnectionsOpened), count(r.ConnectionsFailed), count(r.ConnectionsLost))
	line("waited", "%s requests (%s) found no connection free", count(r.WaitedForConnection), percent(r.WaitedForConnection, r.Due))
	line("bytes", "%s sent, %s received, %s of them bodies", count(r.SentBytes), count(r.ReceivedBytes), count(r.BodyBytes))
	_, _ = fmt.Fprintln(tab)
	if err := tab.Flush(); err != nil {
		return err
	}

	tab = tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(tab, "time\tmin\tmean\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, row := range []struct {
		name string
		t    *Times
	}{
		{"latency, since due", &r.Latency},
		{"service, since sent", &r.Service},
		{"opening a connection", &r.Connect},
		{"generator's lateness", &r.Lateness},
	} {
		if row.t.Count == 0 {
			continue
		}
		t := row.t
		for _, v := range []float64{t.MinMicroseconds, t.MeanMicroseconds, t.P50Microseconds, t.P90Microseconds, t.P99Microseconds, t.P999Microseconds, t.MaxMicroseconds} {
			row.name += "\t" + microseconds(v)
		}
		_, _ = fmt.Fprintln(tab, row.name+"\t")
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if err := r.writeClasses(w); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, "\n", r.verdictText())
	return err
}

func (r *Result) loadText() string {
	s := r.Load.Loop + " loop, " + seconds(r.Load.DurationSeconds)
	if r.Load.Loop == "open" {
		s += ", up to " + rate(r.Load.PeakPerSecond) + "/s"
	}
	s += fmt.Sprintf(", %s connections", count(int64(r.Load.Connections)))
	if n := r.Load.NewConnectionsPerSecond; n > 0 {
		s += ", " + rate(n) + " new/s"
	}
	if r.Load.TLS {
		s += ", TLS"
	}
	return s + ", timeout " + seconds(r.Load.TimeoutSeconds)
}

func (r *Result) generatorText() string {
	g := &r.Generator
	s := g.Engine
	if g.Threads > 0 {
		s += fmt.Sprintf(" on %d of %d processors", g.Threads, g.Processors)
	}
	if g.Spin {
		s += ", spinning"
	}
	if g.CPUMicrosecondsPerRequest != nil {
		s += fmt.Sprintf(", %.1f µs of CPU a request", *g.CPUMicrosecondsPerRequest)
	}
	busiest := -1.0
	for _, i := range r.Series {
		if i.GeneratorBusyShare != nil {
			busiest = max(busiest, *i.GeneratorBusyShare)
		}
	}
	if busiest >= 0 {
		s += fmt.Sprintf(", busy %.0f%% at most", busiest*100)
	}
	return s
}

// verdictText says what the figures are worth.
func (r *Result) verdictText() string {
	var s strings.Builder
	if r.Interrupted {
		s.WriteString("interrupted: what came until then\n")
	}
	if r.WrongVerdicts > 0 {
		fmt.Fprintf(&s, "WRONG VERDICTS: %s answers are not what their class must get\n", count(r.WrongVerdicts))
	}
	if !r.Claimed {
		why := "the generator was the bottleneck"
		if r.Exhausted {
			why = "there were too few requests to send"
		}
		s.WriteString("NO RESULT: " + why + ", so that these figures are not the target's\n")
		for _, reason := range r.Bottleneck {
			s.WriteString("  " + reason + "\n")
		}
		return s.String()
	}
	if r.Load.Loop == "closed" {
		s.WriteString("note: a closed loop asks a slow target for less, and hides its stalls: percentiles are those of an unhurried load\n")
	}
	s.WriteString("the generator kept up: these figures are the target's\n")
	return s.String()
}

// microseconds writes a time in the unit that suits it, to three digits.
func microseconds(v float64) string {
	switch {
	case v < 999.5:
		return digits(v) + "µs"
	case v < 999.5e3:
		return digits(v/1e3) + "ms"
	}
	return digits(v/1e6) + "s"
}

func digits(v float64) string {
	switch {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func seconds(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) + " s" }

// rate writes a number a second: whole ones with their thousands apart.
func rate(v float64) string {
	if v < 100 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return count(int64(v + 0.5))
}

// count writes a number with its thousands apart.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func percent(part, whole int64) string {
	if whole == 0 {
		return "0%"
	}
	return strconv.FormatFloat(float64(part)/float64(whole)*100, 'f', 2, 64) + "%"
}

// each lists counts by name.
func each(counts map[string]int64) string {
	s := ""
	for i, name := range slices.Sorted(maps.Keys(counts)) {
		if s += ", "; i == 0 {
			s = ": "
		}
		s += count(counts[name]) + " × " + name
	}
	return s
}
