package plan

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the plan as a document.
func (r *Result) WriteMarkdown(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("# Capacity plan\n\n")
	fmt.Fprintf(&b, "From %s, on %s.\n", escape(r.Cost.Name), escape(r.Cost.Machine))
	heading := func(text string) { fmt.Fprintf(&b, "\n## %s\n\n", text) }
	line := func(cells ...string) {
		for i := range cells {
			cells[i] = escape(cells[i])
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	head := func(cells ...string) {
		line(cells...)
		fmt.Fprintf(&b, "|---%s|\n", strings.Repeat("|---:", len(cells)-1))
	}
	var names []string
	for _, t := range r.Tiers {
		names = append(names, t.Name)
	}
	heading("Tiers")
	head(append([]string{""}, names...)...)
	for _, l := range r.rows(r.Tiers) {
		if len(l.cells) == 0 {
			fmt.Fprintf(&b, "| **%s** |%s\n", escape(l.label), strings.Repeat(" |", len(names)))
			continue
		}
		line(append([]string{strings.TrimSpace(l.label)}, l.cells...)...)
	}
	heading("Other replicas")
	fmt.Fprintf(&b, "Replicas, cores in all, new tokens, memory in all in GiB. The routing planned for is %s.\n\n", r.Input.Deployment.Routing)
	head(append([]string{""}, names...)...)
	for _, l := range choices(r.Tiers) {
		line(append([]string{l.label}, l.cells...)...)
	}
	heading("Costs")
	b.WriteString("| Figure | Value | | Source |\n|---|---:|---|---|\n")
	for _, l := range r.Cost.lines() {
		line(l.field, l.value, l.kind, l.source)
	}
	for _, g := range r.Cost.goodness() {
		fmt.Fprintf(&b, "\n%s\n", escape(g))
	}
	r.markdownChecks(heading, head, line)
	heading("What this rests on, besides what was measured")
	for _, a := range r.Assumptions {
		fmt.Fprintf(&b, "- %s\n", escape(a))
	}
	for _, t := range r.Tiers {
		heading("Formulas: " + escape(t.Name))
		b.WriteString("| Symbol | Meaning | Formula | Value | Unit |\n|---|---|---|---:|---|\n")
		for _, s := range t.Steps {
			formula := ""
			if s.Formula != "" {
				formula = pretty(s.Formula + " = " + s.Values)
			}
			line(s.Symbol, s.Meaning, formula, short(s.Value), s.Unit)
		}
	}
	b.WriteByte('\n')
	for _, f := range functions {
		fmt.Fprintf(&b, "- %s\n", escape(pretty(f)))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Result) markdownChecks(heading func(string), head, line func(...string)) {
	rows := func(list []Comparison) {
		for _, c := range list {
			line(c.What+", "+c.Unit, costValue(c.Predicted), costValue(c.Found), c.chance(), c.ErrorText())
		}
	}
	for _, t := range r.Tiers {
		if t.Simulation != nil {
			heading("Checked by simulation: " + escape(t.Name))
			head("", "formula", "simulated", "standard error", "error")
			rows(t.Simulation.Comparisons)
		}
	}
	if len(r.Against) > 0 {
		heading("Checked against measured rates")
		head("", "formula", "measured", "standard error", "error")
		rows(r.Against)
	}
}

// escape keeps text from being read as Markdown.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "\n", " ").Replace(s)
}
