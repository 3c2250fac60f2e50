package peers

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// mostListed bounds a list of what a proxy does wrong.
const mostListed = 4

// WriteText writes the result for a terminal of 100 columns.
func (r *Result) WriteText(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "Processor time of the proxy, in µs a request: medians of %s (least to most of them).\n", counted(r.Rounds, "round"))
	fmt.Fprintf(&out, "Cold: every token new. Warm: %d tokens, over and over. Tokens of %d bytes, answers of %d.\n", r.WarmTokens, r.TokenBytes, r.BodyBytes)
	fmt.Fprintf(&out, "Closed loop over %s; proxy alone on processor %d, generator and upstream on %d.\n",
		counted(r.Connections, "connection"), r.ProxyProcessor, r.LoadProcessor)
	fmt.Fprint(&out, "Busy: how full the proxy's processor was.\n\n")
	if err := r.writeFigures(&out); err != nil {
		return err
	}
	fmt.Fprint(&out, "\nWhat each accepts and refuses (in capitals: what it must not):\n\n")
	if err := r.writeVerdicts(&out); err != nil {
		return err
	}
	fmt.Fprintln(&out)
	for _, p := range r.Proxies {
		fmt.Fprintf(&out, "%s: %s\n", p.Title, strings.Join(p.Versions, ", "))
	}
	fmt.Fprintf(&out, "\nTook %.0f s, %.0f s of it to mint tokens.\n", r.ElapsedSeconds, r.MintSeconds)
	// Cells that are empty at the end of a line are spaces.
	for line := range strings.Lines(out.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func (r *Result) writeFigures(w *bytes.Buffer) error {
	rows := [][]string{{"TOKENS", "PROXY", "WARM", "", "BUSY", "COLD", "", "BUSY"}}
	for _, algorithm := range append([]string{""}, r.Algorithms...) {
		for _, p := range r.Proxies {
			tokens, warm, cold := algorithm, Warm, Cold
			if algorithm == "" {
				tokens, warm, cold = "not looked at", Open, ""
			}
			row := []string{tokens, p.Title}
			if p.why(algorithm) != "" {
				row = append(row, "–", "", "", "–", "", "")
			} else {
				row = append(append(row, r.cells(p.Name, algorithm, warm)...), r.cells(p.Name, algorithm, cold)...)
			}
			rows = append(rows, row)
		}
	}
	if err := align(w, rows); err != nil {
		return err
	}
	for _, p := range r.Proxies {
		for _, algorithm := range r.Algorithms {
			if why := p.why(algorithm); why != "" {
				fmt.Fprintf(w, "– %s, %s: %s.\n", p.Title, algorithm, why)
			}
		}
	}
	return nil
}

// align writes rows with their columns under each other.
func align(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(t, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

// cells are those of one load: cost, spread, busy share.
func (r *Result) cells(proxy, algorithm, load string) []string {
	f, ok := r.Figure(proxy, algorithm, load)
	if !ok {
		return []string{"", "", ""}
	}
	return []string{
		fmt.Sprintf("%.1f", f.CPU.Median), fmt.Sprintf("(%.1f–%.1f)", f.CPU.Least, f.CPU.Most), fmt.Sprintf("%.0f%%", 100*f.BusyShare.Median),
	}
}

// why says why something was not measured; empty where it was.
func (p *Proxy) why(algorithm string) string {
	if why := p.Unsupported[algorithm]; why != "" {
		return "not supported: " + why
	}
	if unfit := p.Unfit[algorithm]; len(unfit) > 0 {
		listed := strings.Join(unfit[:min(len(unfit), mostListed)], "; ")
		if more := len(unfit) - mostListed; more > 0 {
			listed += fmt.Sprintf("; and %d more", more)
		}
		return "not measured, as it judged wrongly: " + listed
	}
	return ""
}

func (r *Result) writeVerdicts(w io.Writer) error {
	header := []string{"TOKEN", "MUST BE"}
	for _, p := range r.Proxies {
		header = append(header, strings.ToUpper(p.Name))
	}
	return align(w, append([][]string{header}, r.verdictRows()...))
}

// verdictRows are the table of verdicts: a kind of token, what must become of it, and what did with each proxy.
func (r *Result) verdictRows() (rows [][]string) {
	var kinds []string
	for _, v := range r.Verdicts {
		if !slices.Contains(kinds, v.Token) {
			kinds = append(kinds, v.Token)
		}
	}
	for _, kind := range kinds {
		row := []string{kind, ""}
		for _, p := range r.Proxies {
			var did []string
			for _, v := range r.Verdicts {
				if v.Token != kind {
					continue
				}
				row[1] = v.Want
				if what := v.did(); v.Proxy == p.Name && !slices.Contains(did, what) {
					did = append(did, what)
				}
			}
			if len(did) == 0 {
				did = []string{"–"}
			}
			row = append(row, strings.Join(did, ", "))
		}
		rows = append(rows, row)
	}
	// What the job demands comes first.
	slices.SortStableFunc(rows, func(a, b []string) int { return order(a[1] == "") - order(b[1] == "") })
	return rows
}

// did says what became of a token; in capitals where it must not have.
func (v *Verdict) did() (what string) {
	switch {
	case accepted.judge(v.Status, v.Reached):
		what = "accepted"
	case refused.judge(v.Status, v.Reached):
		what = "refused"
	default:
		what = fmt.Sprintf("status %d", v.Status)
	}
	if !v.Passed {
		return strings.ToUpper(what)
	}
	return what
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
