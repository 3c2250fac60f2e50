package peers

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the tables, and below them what they were measured with.
func (r *Result) WriteMarkdown(w io.Writer) error {
	var out bytes.Buffer
	row := func(cells []string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	rule := func(columns int) { fmt.Fprintf(&out, "|%s\n", strings.Repeat("---|", columns)) }

	header := []string{"Proxy: µs of processor time a request", "no token looked at"}
	for _, algorithm := range r.Algorithms {
		header = append(header, algorithm+" warm / cold")
	}
	row(header)
	rule(len(header))
	var notes []string
	for _, p := range r.Proxies {
		cells := []string{p.Title, r.short(p.Name, "", Open)}
		for _, algorithm := range r.Algorithms {
			if why := p.why(algorithm); why != "" {
				cells = append(cells, "–")
				notes = append(notes, fmt.Sprintf("%s, %s: %s.", p.Title, algorithm, why))
				continue
			}
			cells = append(cells, r.short(p.Name, algorithm, Warm)+" / "+r.short(p.Name, algorithm, Cold))
		}
		row(cells)
	}
	fmt.Fprintf(&out, "\nMedians of %s; ± is half of what lies between the least and the most. Warm: %d tokens, over and over; cold: every\n"+
		"token new. Tokens of %d bytes, answers of %d; closed loop over %s; the proxy, with one worker, alone on a\nprocessor, generator and upstream on another.\n",
		counted(r.Rounds, "round"), r.WarmTokens, r.TokenBytes, r.BodyBytes, counted(r.Connections, "connection"))
	for i, note := range notes {
		if i == 0 {
			fmt.Fprintln(&out)
		}
		fmt.Fprintf(&out, "- %s\n", note)
	}

	fmt.Fprintln(&out)
	header = []string{"Token", "must be"}
	for _, p := range r.Proxies {
		header = append(header, p.Title)
	}
	row(header)
	rule(len(header))
	for _, cells := range r.verdictRows() {
		row(cells)
	}
	fmt.Fprintln(&out)
	for _, p := range r.Proxies {
		fmt.Fprintf(&out, "- %s: %s\n", p.Title, strings.Join(p.Versions, ", "))
	}
	_, err := out.WriteTo(w)
	return err
}

// short is a cost and how sure it is.
func (r *Result) short(proxy, algorithm, load string) string {
	f, ok := r.Figure(proxy, algorithm, load)
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.1f ±%.1f", f.CPU.Median, (f.CPU.Most-f.CPU.Least)/2)
}
