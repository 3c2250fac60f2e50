package plan

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Widths of the text, in characters.
const (
	textWidth  = 98
	labelWidth = 38
	cellWidth  = 20
	// tiersAbreast is how many tiers stand beside each other.
	tiersAbreast = (textWidth - labelWidth) / cellWidth
)

// WriteText writes the plan for people: no line has more than 100 characters, but where a name is longer.
func (r *Result) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Plan from %s, on %s\n", r.Cost.Name, r.Cost.Machine)
	for _, tiers := range abreast(r.Tiers) {
		b.WriteByte('\n')
		writeNames(&b, "", tiers)
		writeRows(&b, r.rows(tiers))
	}
	fmt.Fprintf(&b, "\nThe same otherwise (routing above: %s): replicas, cores in all, new tokens, GiB\n", r.Input.Deployment.Routing)
	for _, tiers := range abreast(r.Tiers) {
		writeNames(&b, "", tiers)
		writeRows(&b, choices(tiers))
	}
	r.writeCost(&b)
	r.writeChecks(&b)
	b.WriteString("\nWhat this rests on, besides what was measured\n")
	for _, a := range r.Assumptions {
		wrap(&b, "  - ", "    ", a)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// abreast cuts tiers into groups that fit beside each other.
func abreast(tiers []Tier) (groups [][]Tier) {
	for ; len(tiers) > tiersAbreast; tiers = tiers[tiersAbreast:] {
		groups = append(groups, tiers[:tiersAbreast])
	}
	return append(groups, tiers)
}

func writeNames(b *bytes.Buffer, label string, tiers []Tier) {
	line := row{label: label}
	for _, t := range tiers {
		line.cells = append(line.cells, t.Name)
	}
	writeRows(b, []row{line})
}

func writeRows(b *bytes.Buffer, rows []row) {
	for _, r := range rows {
		if len(r.cells) == 0 {
			b.WriteString(r.label + "\n")
			continue
		}
		b.WriteString(pad("  "+r.label, -labelWidth))
		for _, c := range r.cells {
			b.WriteString(pad(c, cellWidth))
		}
		b.WriteByte('\n')
	}
}

// pad fills s with spaces up to a width, before it or, for a negative one, after it.
func pad(s string, width int) string {
	left := width < 0
	if left {
		width = -width
	}
	fill := strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
	if left {
		return s + fill
	}
	if fill == "" {
		fill = " "
	}
	return fill + s
}

// writeCost writes the figures, with where each is from.
func (r *Result) writeCost(b *bytes.Buffer) {
	b.WriteString("\nCosts\n")
	for _, line := range r.Cost.lines() {
		fmt.Fprintf(b, "  %s%s  %s\n", pad(line.field, -44), pad(line.value, 12), line.kind)
		wrap(b, "      ", "      ", line.source)
	}
	for _, line := range r.Cost.goodness() {
		wrap(b, "  ", "    ", line)
	}
}

// costLine is a figure of a cost for people.
type costLine struct{ field, value, kind, source string }

func (c *Cost) lines() []costLine {
	var list []costLine
	for _, f := range c.figures() {
		list = append(list, costLine{f.field, costValue(f.at.Value), string(f.at.Kind), f.at.Source})
		if f.at != &c.WarmRequest {
			continue
		}
		for _, a := range sorted(c.ColdRequest) {
			f := c.ColdRequest[a]
			list = append(list, costLine{"cpu_microseconds_per_cold_request." + a, costValue(f.Value), string(f.Kind), f.Source})
		}
	}
	return list
}

func costValue(v float64) string {
	if v >= 1000 {
		return rounded(v)
	}
	return fmt.Sprintf("%.4g", v)
}

// goodness says how well what was fitted matches.
func (c *Cost) goodness() []string {
	var list []string
	share := func(r *float64) string {
		if r == nil {
			return "R² not known, for there are too few runs"
		}
		return fmt.Sprintf("R² %.4f", *r)
	}
	if f := c.Fit; f != nil {
		list = append(list, fmt.Sprintf("Processor time fitted to %d %s: %s, off by %.1f%% at most.", f.Runs, plural(f.Runs, "run"), share(f.CPURSquared), f.CPUErrorPercent))
		if f.MemoryRSquared != nil || f.MemoryErrorPercent > 0 {
			list = append(list, fmt.Sprintf("Memory fitted: %s, off by %.1f%% at most.", share(f.MemoryRSquared), f.MemoryErrorPercent))
		}
		for _, run := range f.LeftOut {
			list = append(list, "Left out of the fit: "+run+".")
		}
	}
	if s := &c.Scaling; len(s.Points) > 0 {
		text := []string{fmt.Sprintf("Scaling over cores: %s requests/s with one core, %s.", rounded(s.OneCore), share(s.RSquared))}
		for _, p := range s.Points {
			text = append(text, fmt.Sprintf("%s %s: %s found, %s fitted.", short(p.Cores), plural(int(p.Cores), "core"), rounded(p.PerSecond), rounded(p.FittedPerSecond)))
		}
		list = append(list, strings.Join(text, " "))
	}
	if c.Scaling.Sigma.Kind == Assumed || c.Scaling.Kappa.Kind == Assumed {
		list = append(list, "The scaling over cores is assumed, at least in part: measure find-max with 1, 2 and 4 cores.")
	}
	return list
}

// writeChecks writes how the formulas compare with what they were checked against.
func (r *Result) writeChecks(b *bytes.Buffer) {
	for i := range r.Tiers {
		t := &r.Tiers[i]
		s := t.Simulation
		if s == nil {
			continue
		}
		fmt.Fprintf(b, "\nChecked by simulation: %s (%s requests counted of %.3g s, %s, seed %d)\n",
			t.Name, thousands(fmt.Sprint(s.Requests)), s.Seconds, strings.ReplaceAll(string(s.Balance), "_", " "), s.Seed)
		writeComparisons(b, "simulated", s.Comparisons)
	}
	if len(r.Against) > 0 {
		b.WriteString("\nChecked against measured rates\n")
		writeComparisons(b, "measured", r.Against)
	}
}

func writeComparisons(b *bytes.Buffer, found string, list []Comparison) {
	fmt.Fprintf(b, "  %s%s%s%s%s\n", pad("", -50), pad("formula", 10), pad(found, 10), pad("std error", 10), pad("error", 9))
	for _, c := range list {
		note := ""
		if c.Bound {
			note = "  (bound)"
		}
		fmt.Fprintf(b, "  %s%s%s%s%s%s\n", pad(c.What+", "+c.Unit, -50), pad(costValue(c.Predicted), 10), pad(costValue(c.Found), 10), pad(c.chance(), 10), pad(c.ErrorText(), 9), note)
	}
}

// chance is the standard error for people.
func (c *Comparison) chance() string {
	if c.StandardError == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2g", c.StandardError)
}

// wrap writes words in lines of at most textWidth, the first one after one indent and others after another.
func wrap(b *bytes.Buffer, first, next, text string) {
	line, empty := first, true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
			b.WriteString(line + "\n")
			line, empty = next, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	b.WriteString(line + "\n")
}
