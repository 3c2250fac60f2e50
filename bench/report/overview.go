package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/limit"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// overview comes first: what the figures are worth, and where they are from.
func overview(f *record.File) []section {
	s := section{Title: "What this is worth"}
	s.Blocks = append(s.Blocks, claim(f))
	switch measured := len(f.Runs) > 0 || f.FindMax != nil || f.Peers != nil; {
	case measured:
		s.Blocks = append(s.Blocks, verdict(f))
		if n := scaled(f.Scale); n != nil {
			s.Blocks = append(s.Blocks, block{Note: n})
		}
	case f.Plan != nil:
		s.Blocks = append(s.Blocks, trust(f.Plan))
	}
	s.Blocks = append(s.Blocks, block{Facts: origin(f)})
	return []section{s}
}

// claim says whether the figures are the target's.
func claim(f *record.File) block {
	if r := f.FindMax; r != nil {
		unclaimed := 0
		for i := range r.Trials {
			if r.Trials[i].Outcome == limit.OutcomeUnclaimed {
				unclaimed++
			}
		}
		if unclaimed == 0 {
			return say(good, fmt.Sprintf("The figures can be claimed: the generator kept up in %s, so that they are the target's.", allOf(len(r.Trials), "trial", "trials")))
		}
		return say(warn, fmt.Sprintf("The rate that was found can be claimed: it does not count %s, in which the generator was the bottleneck.",
			partOf(unclaimed, len(r.Trials), "trial", "trials")))
	}
	var reasons []string
	interrupted := 0
	for i := range f.Runs {
		r := &f.Runs[i]
		if r.Attack.Interrupted {
			interrupted++
		}
		if !r.Attack.Claimed {
			reasons = append(reasons, r.Name+": "+strings.Join(r.Attack.Bottleneck, "; "))
		}
	}
	switch {
	case len(f.Runs) == 0 && f.Peers != nil:
		return say(plain, "Costs are of the proxies' own processor, which is counted apart from the generator's.")
	case len(f.Runs) == 0:
		return say(plain, "Computed, not measured: nothing was sent for this record.")
	case len(reasons) > 0:
		return say(bad, fmt.Sprintf("The figures cannot be claimed: the generator was the bottleneck in %s, so that they are not the target's. %s",
			partOf(len(reasons), len(f.Runs), "run", "runs"), strings.Join(first(reasons, 5), " · ")))
	case interrupted > 0:
		return say(warn, fmt.Sprintf("The figures are the target's, but %s ended early: they are what came until then.",
			partOf(interrupted, len(f.Runs), "run", "runs")))
	}
	return say(good, fmt.Sprintf("The figures can be claimed: the generator kept up in %s, so that they are the target's.", allOf(len(f.Runs), "run", "runs")))
}

// verdict says whether what was demanded was met.
func verdict(f *record.File) block {
	all, failed := 0, []string(nil)
	for i := range f.Runs {
		for _, c := range checksOf(f, i) {
			if all++; !c.Passed {
				failed = append(failed, fmt.Sprintf("%s: %s is %s, wanted %s", f.Runs[i].Name, c.Name, c.Got, c.Want))
			}
		}
	}
	switch {
	case all == 0 && f.Peers != nil && f.Peers.Fit():
		return say(good, "Checks: every proxy that was measured judged tokens as the job demands.")
	case all == 0 && f.Peers != nil:
		return say(bad, "Checks: not every proxy judged tokens as the job demands; those that did not were not measured.")
	case all == 0 && f.FindMax != nil:
		return say(plain, "Every trial was checked against the objective: "+f.FindMax.Objective)
	case all == 0:
		return say(plain, "No check was demanded: nobody said what would have been too slow or wrong.")
	case len(failed) > 0:
		return say(bad, fmt.Sprintf("Checks: %s failed. %s", partOf(len(failed), all, "check", "checks"), strings.Join(first(failed, 5), " · ")))
	}
	return say(good, fmt.Sprintf("Checks: %s passed.", allOf(all, "check", "checks")))
}

// scaled says how much of the load it was.
func scaled(scale float64) *note {
	switch {
	case scale == 0:
		return nil
	case scale == 1:
		return &note{plain, "Not scaled: this is the whole of the load."}
	case scale < 1:
		return &note{warn, fmt.Sprintf("Scaled to a machine: the load was %s of the one that is meant, 1 of every %s requests. What it would be at the whole of it is not in these figures.",
			share(scale), strconv.FormatFloat(1/scale, 'g', 3, 64))}
	}
	return &note{warn, fmt.Sprintf("Scaled: the load was %s times the one that is meant.", digits(scale))}
}

// origin says where, when and by what the record was made.
func origin(f *record.File) []fact {
	facts := []fact{{Name: "began", Value: f.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC")}}
	if len(f.Command) > 0 {
		facts = append(facts, fact{Name: "command", Value: quoted(f.Command), Code: true})
	}
	if len(f.MergedFrom) == 0 {
		facts = append(facts, machine(&f.Machine)...)
	}
	return facts
}

func machine(m *record.Machine) (facts []fact) {
	processor := m.CPU
	if m.Processors > 0 {
		processor = strings.TrimPrefix(processor+", ", ", ") + plural(m.Processors, "processor", "processors")
	}
	commit := m.Commit
	if commit == "" {
		commit = "not recorded by the build"
	}
	for _, known := range []fact{
		{Name: "machine", Value: processor},
		{Name: "kernel", Value: m.Kernel},
		{Name: "platform", Value: m.Platform},
		{Name: "Go", Value: m.GoVersion},
		{Name: "commit", Value: commit, Code: m.Commit != ""},
	} {
		if known.Value != "" {
			facts = append(facts, known)
		}
	}
	return facts
}

// merged tells of the machines that made one load.
func merged(f *record.File) []section {
	if len(f.MergedFrom) == 0 {
		return nil
	}
	var rows [][]string
	for _, p := range f.MergedFrom {
		claimed := "yes"
		if !p.Claimed {
			claimed = "no"
		}
		rows = append(rows, []string{
			p.Name, p.StartedAt.UTC().Format("15:04:05.0"), digits(p.ElapsedSeconds) + " s", claimed,
			fmt.Sprintf("%d × %s", p.Machine.Processors, p.Machine.CPU), p.Machine.GoVersion,
		})
	}
	return []section{{Title: "Machines that made the load", Blocks: []block{
		say(plain, fmt.Sprintf("The records of %s are added up. Counts and rates are sums, percentiles are those of one histogram that has all the times, without loss. Over time, a percentile is that of the machine that saw the highest one.", plural(len(f.MergedFrom), "machine", "machines"))),
		{Table: tabulate("Each machine's part", []string{" record", " began (UTC)", "took", " claimed", " machine", " Go"}, rows)},
	}}}
}

// quoted writes a command line as it can be typed.
func quoted(args []string) string {
	line := make([]string, len(args))
	for i, a := range args {
		if line[i] = a; a == "" || strings.ContainsAny(a, " \t\n'\"\\$&|;<>()*?#~`!{}[]") {
			line[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(line, " ")
}

// allOf writes "all 3 runs", or "the run".
func allOf(n int, one, many string) string {
	if n == 1 {
		return "the " + one
	}
	return "all " + plural(n, one, many)
}

// partOf writes "2 of 3 runs", or "the run".
func partOf(part, n int, one, many string) string {
	if part == n {
		return allOf(n, one, many)
	}
	return fmt.Sprintf("%d of %s", part, plural(n, one, many))
}

// first returns what there is, up to n, and says how many more there are.
func first(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	return append(lines[:n:n], fmt.Sprintf("and %d more", len(lines)-n))
}
