package scenario

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteText writes the result for people: whether the load was a scaled one comes first.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	if r.Scaled {
		b.WriteString(strings.Join(wrap("SCALED: "+r.scaledText(), 98), "\n") + "\n")
	}
	for i, text := range wrap(r.differencesText(), 98) {
		if len(r.Differences) > 0 {
			b.WriteString(strings.Repeat(" ", min(i, 1)) + text + "\n")
		}
	}
	tab := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	line := func(name, format string, values ...any) { _, _ = fmt.Fprintf(tab, name+"\t"+format+"\n", values...) }
	line("scenario", "%s: %s", r.Name, r.Title)
	for i, text := range wrap(r.Basis, 84) {
		name := "stands for"
		if i > 0 {
			name = ""
		}
		line(name, "%s", text)
	}
	line("whole load", "%s", r.Whole.text())
	if r.Stand {
		line("target", "a stand of %d gateway(s), issuers and upstreams on this machine", r.Replicas)
	}
	line("answers", "checked by %s", r.AnswersChecked)
	if r.WarmUpRequests > 0 {
		line("before", "%s requests of the warm tokens, unmeasured%s", count(float64(r.WarmUpRequests)), r.warmUpText())
	}
	_ = tab.Flush() // A strings.Builder takes everything.

	r.writeActions(&b)
	r.writeRules(&b)
	b.WriteByte('\n')
	tab = tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(tab, "\tcheck\tgot\twanted")
	for _, c := range r.Checks {
		_, _ = fmt.Fprintf(tab, "%s\t%s\t%s\t%s\n", mark(c.Passed), c.Name, c.Got, c.Want)
	}
	_ = tab.Flush()
	b.WriteByte('\n')
	if r.Attack != nil {
		if err := r.Attack.WriteText(&b); err != nil {
			return err
		}
	}
	b.WriteString(r.verdict() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// scaledText says by how much the load is less than the whole one.
func (r *Result) scaledText() string {
	s := fmt.Sprintf("%s of the load that is meant: up to %s of %s requests/s", decimal(r.Scale), count(r.Ran.PeakPerSecond), count(r.Whole.PeakPerSecond))
	if r.Ran.DurationSeconds != r.Whole.DurationSeconds {
		s += fmt.Sprintf(", in %s of %s", seconds(r.Ran.DurationSeconds), seconds(r.Whole.DurationSeconds))
	}
	return s + ". What it shows is no figure of the whole load."
}

// differencesText says where the corpus is not the scenario's.
func (r *Result) differencesText() string {
	all := make([]string, len(r.Differences))
	for i, d := range r.Differences {
		all[i] = d.text()
	}
	return "ANOTHER CORPUS: what was sent is not what the scenario says: " + strings.Join(all, ", ") + "."
}

// warmUpText says what went wrong before the load.
func (r *Result) warmUpText() string {
	if r.WarmUpFailed == 0 {
		return ""
	}
	reasons := make([]string, 0, len(r.WarmUpFailures))
	for _, reason := range slices.Sorted(maps.Keys(r.WarmUpFailures)) {
		reasons = append(reasons, count(float64(r.WarmUpFailures[reason]))+" × "+reason)
	}
	return "; " + count(float64(r.WarmUpFailed)) + " failed: " + strings.Join(reasons, ", ")
}

func (e Extent) text() string {
	s := fmt.Sprintf("up to %s requests/s for %s, %d connections", count(e.PeakPerSecond), seconds(e.DurationSeconds), e.Connections)
	if e.NewConnectionsPerSecond > 0 {
		s += ", " + count(e.NewConnectionsPerSecond) + " new/s"
	}
	return s + fmt.Sprintf("; %s warm tokens, %s%% cold", count(float64(e.WarmTokens)), decimal(e.ColdShare*100))
}

func (r *Result) writeActions(b *strings.Builder) {
	if len(r.Actions) == 0 {
		return
	}
	b.WriteByte('\n')
	tab := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(tab, "action\tdoes\tbegan\tended\t")
	for _, a := range r.Actions {
		note := ""
		switch {
		case a.Error != "":
			note = "FAILED, see below"
		case a.Revoked > 0:
			note = count(float64(a.Revoked)) + " revoked"
			if a.Do == DoRevokeTokens {
				note += ", " + count(float64(a.RefusedRequests)) + " requests with them refused"
			}
		case a.NewKeyRequests > 0:
			note = count(float64(a.NewKeyRequests)) + " requests under the new key"
		}
		began, ended := seconds(a.BeganSeconds), seconds(a.EndedSeconds)
		if a.EndedSeconds == 0 {
			began, ended = "never", ""
		}
		_, _ = fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\n", a.Name, a.Do, began, ended, note)
	}
	_ = tab.Flush()
}

// writeRules says for how many answers the scenario's rules were needed.
func (r *Result) writeRules(b *strings.Builder) {
	if len(r.Rules) == 0 {
		return
	}
	b.WriteByte('\n')
	tab := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(tab, "answers\ttaken by the rule")
	for _, rule := range r.Rules {
		for i, text := range wrap(rule.Rule, 84) {
			first := ""
			if i == 0 {
				first = count(float64(rule.Answers))
			}
			_, _ = fmt.Fprintf(tab, "%s\t%s\n", first, text)
		}
	}
	_ = tab.Flush()
}

// text writes a rule for people.
func (r *Rule) text() string {
	statuses := make([]string, len(r.Status))
	for i, status := range r.Status {
		statuses[i] = strconv.Itoa(status)
	}
	s := strings.Join(statuses, "/")
	if len(r.Code) > 0 {
		s += " " + strings.Join(r.Code, "/")
	}
	if len(r.Classes) > 0 {
		s += " of " + strings.Join(r.Classes, ", ")
	}
	if r.From != "" {
		s += " from " + r.From
	}
	if r.Until != "" {
		s += " until " + r.Until
	}
	if r.Because != "" {
		s += ": " + r.Because
	}
	return s
}

// verdict is the last line.
func (r *Result) verdict() string {
	switch r.Verdict {
	case Passed:
		return "PASSED " + r.Name
	case Failed:
		return fmt.Sprintf("FAILED %s: %d of %d checks", r.Name, r.failed(), len(r.Checks))
	}
	return "NO RESULT " + r.Name + ": " + r.Why
}

func mark(passed bool) string {
	if passed {
		return "ok"
	}
	return "FAIL"
}

func seconds(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) + " s"
}

// count writes a number with its thousands apart.
func count(v float64) string {
	if v < 100 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	s := strconv.FormatInt(int64(v+0.5), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// wrap breaks a text into lines of so many bytes.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
