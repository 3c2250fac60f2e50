package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/compare"
)

// Compared makes a report of comparisons, one chapter for each.
func Compared(title string, results []*compare.Result) *Report {
	r := &Report{title: title}
	for _, c := range results {
		r.chapters = append(r.chapters, chapter{Title: c.Base + " against " + c.New, Sections: comparison(c)})
	}
	return r
}

func comparison(c *compare.Result) []section {
	outcome := section{Title: "Outcome", Blocks: []block{{Facts: []fact{{Name: "base", Value: c.Base}, {Name: "new", Value: c.New}}}, regressions(c)}}
	for _, w := range c.Warnings {
		outcome.Blocks = append(outcome.Blocks, say(warn, w))
	}
	all := []section{outcome}
	counted, few := 0, false
	for _, l := range c.Loads {
		s := section{Title: "Load: " + l.Name}
		var rows [][]string
		for i := range l.Metrics {
			m := &l.Metrics[i]
			counted++
			few = few || m.Verdict == compare.TooFew
			rows = append(rows, []string{
				m.Name, amount(m.Unit, m.Base.Median), amount(m.Unit, m.New.Median), fmt.Sprintf("%d + %d", m.Base.Runs, m.New.Runs),
				change(m), interval(m), probability(m.P), words(c, m),
			})
		}
		level := "interval at " + strings.TrimSuffix(strconv.FormatFloat((1-c.Alpha)*100, 'f', 1, 64), ".0") + "%"
		s.Blocks = append(s.Blocks, block{Table: tabulate("Medians of the runs, and the change", []string{" metric", "base", "new", "runs", "change", level, "p", " verdict"}, rows)})
		all = append(all, s)
	}
	how := section{Title: "How to read this"}
	if few {
		how.Blocks = append(how.Blocks, say(plain, "Nothing can be said where there are too few runs, not even that nothing changed: 4 runs on each side are the least with which a difference can be told from chance at 5%. The requests of one run do not stand for more runs, as they wait for each other."))
	}
	how.Blocks = append(how.Blocks, say(plain, fmt.Sprintf("Changes are Hodges-Lehmann estimates with the interval of the Mann-Whitney U test, which knows no distribution. Unclear is not unchanged: a change as large as the interval may be there. Each of the %s is tested by itself at %s; of those that did not change, about that share looks as if it did.",
		plural(counted, "metric", "metrics"), share(c.Alpha))))
	return append(all, how)
}

func regressions(c *compare.Result) block {
	if n := len(c.Regressions); n > 0 {
		return say(bad, fmt.Sprintf("%s worse by more than %s: %s", plural(n, "metric is", "metrics are"), share(c.MaxRegression), strings.Join(c.Regressions, ", ")))
	}
	unclear, all := 0, 0
	for _, l := range c.Loads {
		for i := range l.Metrics {
			all++
			if v := l.Metrics[i].Verdict; v == compare.Unclear || v == compare.TooFew {
				unclear++
			}
		}
	}
	if unclear > 0 {
		return say(warn, fmt.Sprintf("No metric is shown to be worse by more than %s, but of %s nothing can be said for sure.", share(c.MaxRegression), partOf(unclear, all, "metric", "metrics")))
	}
	return say(good, fmt.Sprintf("No metric is worse by more than %s.", share(c.MaxRegression)))
}

func amount(u compare.Unit, v float64) string {
	switch u {
	case compare.Microseconds:
		return duration(v)
	case compare.PerSecond:
		return rate(v) + "/s"
	case compare.Bytes:
		return bytes(v)
	}
	return share(v)
}

func signed(v float64) string {
	return fmt.Sprintf("%+.1f%%", v*100)
}

func change(m *compare.Metric) string {
	if m.ChangeShare == nil {
		return "from 0"
	}
	return signed(*m.ChangeShare)
}

func interval(m *compare.Metric) string {
	if m.LowShare == nil || m.HighShare == nil {
		return "–"
	}
	return signed(*m.LowShare) + " … " + signed(*m.HighShare)
}

func probability(p *float64) string {
	switch {
	case p == nil:
		return "–"
	case *p < 0.001:
		return "<0.001"
	}
	return strconv.FormatFloat(*p, 'f', 3, 64)
}

// words are a verdict for people.
func words(c *compare.Result, m *compare.Metric) string {
	switch {
	case m.Regression:
		return "WORSE"
	case m.Verdict == compare.Alike:
		return "within ±" + share(c.MaxRegression)
	case m.Verdict == compare.TooFew:
		return "nothing can be said"
	}
	return string(m.Verdict)
}
