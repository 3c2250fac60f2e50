package limit

import (
	"cmp"
	"fmt"
	"io"
	"math"
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
	line("objective", "%s", r.Objective)
	line("", "and always: no wrong verdict, no restart, what is asked is answered")
	line("trials", "%d of %s in %s, %d connections, %s", len(r.Trials), seconds(r.TrialSeconds), seconds(r.ElapsedSeconds), r.Connections, r.arrivals())
	_, _ = fmt.Fprintln(tab)
	line("limit", "%s", r.limitText())
	for _, note := range r.notes() {
		line("", "%s", note)
	}
	if c := r.AtLimit; c != nil {
		line("cost there", "%s", c.text(r.Confidence))
		line("", "%s", c.memory())
	}
	_, _ = fmt.Fprintln(tab)
	if err := tab.Flush(); err != nil {
		return err
	}
	return r.writeRates(w)
}

func (r *Result) arrivals() string {
	if r.Poisson {
		return "random arrivals"
	}
	return "even arrivals"
}

func (r *Result) limitText() string {
	sure := percent(r.Confidence)
	switch low, high := r.LowPerSecond, r.HighPerSecond; {
	case low != nil && high != nil:
		return fmt.Sprintf("%s/s (%s confidence: %s/s to %s/s)", rate(r.RatePerSecond), sure, rate(*low), rate(*high))
	case low != nil:
		return fmt.Sprintf("at least %s/s (%s confidence): ONLY A LOWER BOUND WAS FOUND", rate(*low), sure)
	case high != nil:
		return fmt.Sprintf("NOT FOUND: below %s/s (%s confidence)", rate(*high), sure)
	}
	return "NOT FOUND"
}

// notes say what the limit is worth.
func (r *Result) notes() (notes []string) {
	for _, end := range []*float64{r.LowPerSecond, r.HighPerSecond} {
		if end != nil {
			kept, all := r.score(*end)
			if all > 0 {
				notes = append(notes, fmt.Sprintf("%s/s kept the objective in %d of %d trials", rate(*end), kept, all))
			}
		}
	}
	if r.LowPerSecond != nil {
		notes = append(notes, fmt.Sprintf("plan with %s/s", rate(*r.LowPerSecond)))
	}
	if low, high := r.LowPerSecond, r.HighPerSecond; low != nil && high != nil && *high > *low*(1+r.Precision)*1.01 {
		notes = append(notes, fmt.Sprintf("wider than the %s that were asked for: trials of one rate differ too much", percent(r.Precision)))
	}
	switch r.Ended {
	case EndedCeiling:
		notes = append(notes, "ended at the highest rate that may be asked for")
	case EndedGenerator:
		notes = append(notes, "the generator was the bottleneck above: use more threads, or more machines")
	case EndedFloor:
		notes = append(notes, "the lowest rate that may be asked for does not keep the objective")
	case EndedTrials:
		notes = append(notes, "ended early: there were as many trials as there may be")
	case EndedTime:
		notes = append(notes, "ended early: there was no time for another trial")
	case EndedGone:
		notes = append(notes, "ended early: the target could not be reached or looked at any more")
	case EndedExhausted:
		notes = append(notes, "ended early: there were too few requests for another trial")
	case EndedInterrupted:
		notes = append(notes, "ended early: interrupted")
	case EndedFailed:
		notes = append(notes, "ended early: a trial failed")
	}
	return notes
}

// score is how many of the trials of a rate kept the objective.
func (r *Result) score(rate float64) (kept, all int) {
	for i := range r.Trials {
		if t := &r.Trials[i]; t.RatePerSecond == rate && t.verdict() != Unclaimed {
			all++
			if t.verdict() == Kept {
				kept++
			}
		}
	}
	return kept, all
}

func (c *Cost) text(confidence float64) string {
	s := fmt.Sprintf("%.1f µs of CPU a request", c.CPUMicrosecondsPerRequest)
	if c.CPUMicrosecondsPerRequestLow != nil {
		s += fmt.Sprintf(" (%s confidence: %.1f to %.1f)", percent(confidence), *c.CPUMicrosecondsPerRequestLow, *c.CPUMicrosecondsPerRequestHigh)
	}
	return s + fmt.Sprintf(", in %d trials", c.Trials)
}

func (c *Cost) memory() string {
	s := fmt.Sprintf("%.2f cores at %s/s", c.CPUCores, rate(c.RatePerSecond))
	if c.PeakRSSBytes != nil {
		s += fmt.Sprintf(", %.0f MiB of memory at most", float64(*c.PeakRSSBytes)/(1<<20))
	}
	return s
}

// writeRates writes what was measured at each rate: medians of its trials.
func (r *Result) writeRates(w io.Writer) error {
	byRate := map[float64][]*Trial{}
	var rates []float64
	for i := range r.Trials {
		t := &r.Trials[i]
		if byRate[t.RatePerSecond] == nil {
			rates = append(rates, t.RatePerSecond)
		}
		byRate[t.RatePerSecond] = append(byRate[t.RatePerSecond], t)
	}
	slices.Sort(rates)
	tab := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(tab, "asked/s\tgot/s\tp50\tp99\town p99\tfailed\tcores\tµs/req\tgenerator\tkept\t")
	for _, asked := range rates {
		trials := byRate[asked]
		kept, all := r.score(asked)
		row := []string{
			rate(asked),
			shown(trials, rate, func(t *Trial) *float64 { return &t.AnsweredPerSecond }),
			shown(trials, microseconds, func(t *Trial) *float64 { return &t.P50Microseconds }),
			shown(trials, microseconds, func(t *Trial) *float64 { return &t.P99Microseconds }),
			shown(trials, microseconds, func(t *Trial) *float64 { return t.OverheadP99Microseconds }),
			shown(trials, failed, func(t *Trial) *float64 { return &t.FailedShare }),
			shown(trials, fixed(2), func(t *Trial) *float64 { return t.CPUCores }),
			shown(trials, fixed(1), func(t *Trial) *float64 { return t.CPUMicrosecondsPerRequest }),
			shown(trials, func(v float64) string { return fixed(0)(v*100) + "%" }, func(t *Trial) *float64 { return t.GeneratorBusyShare }),
			fmt.Sprintf("%d of %d", kept, all),
		}
		if out := len(trials) - all; out > 0 {
			row[len(row)-1] += fmt.Sprintf(", %d unclaimed", out)
		}
		_, _ = fmt.Fprintln(tab, strings.Join(row, "\t")+"\t")
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, "\nMedians of the trials of a rate. own p99: what the target says that it added to requests. cores,\nµs/req: the target's CPU, also of a request. generator: how busy its busiest thread was.\n"+r.broke())
	return err
}

// broke says what most often broke the objective at the rates that did not keep it.
func (r *Result) broke() string {
	count := map[string]int{}
	for _, t := range r.Trials {
		if t.Outcome != OutcomeBroken {
			continue
		}
		for _, reason := range t.Reasons {
			name, _, _ := strings.Cut(reason, " ")
			if name == "answered" {
				name = "answered too few"
			}
			if strings.Contains(reason, "verdicts") {
				name = "wrong verdicts"
			}
			if strings.HasPrefix(reason, "the target ") {
				name = strings.TrimPrefix(reason, "the ")
			}
			count[name]++
		}
	}
	if len(count) == 0 {
		return ""
	}
	type cause struct {
		name string
		n    int
	}
	var causes []cause
	for name, n := range count {
		causes = append(causes, cause{name, n})
	}
	slices.SortFunc(causes, func(a, b cause) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	list := make([]string, len(causes))
	for i, c := range causes {
		list[i] = fmt.Sprintf("%s (%d trials)", c.name, c.n)
	}
	return "Objective broken by " + strings.Join(list, ", ") + ".\n"
}

// shown is the median of a figure, or a dash where no trial has it.
func shown(trials []*Trial, format func(float64) string, of func(*Trial) *float64) string {
	var values []float64
	for _, t := range trials {
		if v := of(t); v != nil {
			values = append(values, *v)
		}
	}
	if len(values) == 0 {
		return "-"
	}
	slices.Sort(values)
	n := len(values)
	return format((values[(n-1)/2] + values[n/2]) / 2)
}

func fixed(digits int) func(float64) string {
	return func(v float64) string { return strconv.FormatFloat(v, 'f', digits, 64) }
}

func failed(v float64) string { return fixed(2)(v*100) + "%" }

func percent(v float64) string { return strconv.FormatFloat(math.Round(v*1e4)/1e2, 'f', -1, 64) + "%" }

func seconds(v float64) string { return fixed(1)(v) + " s" }

// rate writes a number a second: whole ones with their thousands apart.
func rate(v float64) string {
	if v < 100 {
		return fixed(1)(v)
	}
	s := fixed(0)(v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
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
		return fixed(2)(v)
	case v < 99.95:
		return fixed(1)(v)
	}
	return fixed(0)(v)
}

// Line tells of a trial and how far the search has come, in one line.
func (p Progress) Line(t Trial) string {
	s := fmt.Sprintf("trial %2d  %s/s %s", p.Trials, rate(t.RatePerSecond), t.Outcome)
	if len(t.Reasons) > 0 {
		s += ": " + strings.Join(t.Reasons, ", ")
	} else {
		s += ": p99 " + microseconds(t.P99Microseconds)
	}
	low, high := "?", "?"
	if p.LowPerSecond > 0 {
		low = rate(p.LowPerSecond) + "/s"
	}
	if !math.IsInf(p.HighPerSecond, 1) {
		high = rate(p.HighPerSecond) + "/s"
	}
	return s + fmt.Sprintf("  (limit: %s to %s, %.0f s)", low, high, p.Elapsed.Seconds())
}
