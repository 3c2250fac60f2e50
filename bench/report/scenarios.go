package report

import (
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/scenario"
)

// scenarios tells what each run stood for, and what was done to the target meanwhile.
func scenarios(f *record.File) (all []section) {
	for i := range f.Scenarios {
		c := &f.Scenarios[i]
		s := section{Title: "Scenario: " + c.Title}
		switch c.Verdict {
		case scenario.Passed:
			s.Blocks = append(s.Blocks, say(good, "Passed: every check was, and the generator kept up."))
		case scenario.NoResult:
			s.Blocks = append(s.Blocks, say(bad, "No result: "+c.Why+"."))
		default:
			s.Blocks = append(s.Blocks, say(bad, "Not passed."))
		}
		for _, d := range c.Differences {
			s.Blocks = append(s.Blocks, say(warn, fmt.Sprintf("Another corpus: %s is %s, where the scenario has %s.", d.What, d.Sent, d.Scenario)))
		}
		if c.Scaled {
			s.Blocks = append(s.Blocks, say(warn, fmt.Sprintf("Scaled: %s requests a second at most, of %s at the whole of it.", rate(c.Ran.PeakPerSecond), rate(c.Whole.PeakPerSecond))))
		}
		facts := []fact{
			{Name: "name", Value: c.Name, Code: true},
			{Name: "stands for", Value: c.Basis},
			{Name: "answers", Value: "checked by " + c.AnswersChecked},
		}
		if c.Stand {
			facts = append(facts, fact{Name: "target", Value: "started for this, " + plural(c.Replicas, "gateway", "gateways")})
		}
		s.Blocks = append(s.Blocks, block{Facts: facts}, block{Table: extents(c)})
		if len(c.Actions) > 0 {
			s.Blocks = append(s.Blocks, block{Table: actions(c.Actions)})
		}
		all = append(all, s)
	}
	return all
}

func extents(c *scenario.Result) *table {
	row := func(name string, e *scenario.Extent) []string {
		return []string{name, rate(e.PeakPerSecond), seconds(e.DurationSeconds), count(int64(e.Connections)), count(e.WarmTokens), share(e.ColdShare)}
	}
	return tabulate("The load", []string{" load", "at most, /s", "time", "connections", "warm tokens", "cold requests"}, [][]string{row("the whole", &c.Whole), row("as run", &c.Ran)})
}

func actions(all []scenario.ActionResult) *table {
	var rows [][]string
	for _, a := range all {
		outcome := "done"
		if !a.Done {
			outcome = "NOT DONE"
		}
		if a.Error != "" {
			outcome += ": " + a.Error
		}
		rows = append(rows, []string{a.Name, a.Do, digits(a.BeganSeconds) + " s", digits(a.EndedSeconds) + " s", outcome})
	}
	return tabulate("What was done to the target", []string{" action", " what", "began", "ended", " outcome"}, rows)
}

// checksOf are the demands on a run; those of its scenario where it has none of its own.
func checksOf(f *record.File, run int) []record.Check {
	if all := f.Runs[run].Checks; len(all) > 0 || run >= len(f.Scenarios) {
		return all
	}
	var all []record.Check
	for _, c := range f.Scenarios[run].Checks {
		all = append(all, record.Check(c))
	}
	return all
}
