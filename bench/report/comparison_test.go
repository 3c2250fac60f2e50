package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vneid-gateway/vneid-gateway/bench/compare"
)

// TestComparisonIsGolden has a metric of every verdict.
func TestComparisonIsGolden(t *testing.T) {
	t.Parallel()
	metric := func(name string, v compare.Verdict, change, low, high, p float64) compare.Metric {
		m := compare.Metric{Name: name, Unit: compare.Microseconds, Base: compare.Sample{Runs: 5, Median: 1000}, New: compare.Sample{Runs: 5, Median: 1000 * (1 + change)}, Verdict: v, ChangeShare: &change}
		if v == compare.TooFew {
			m.Base.Runs, m.New.Runs = 1, 1
			return m
		}
		m.LowShare, m.HighShare, m.P = &low, &high, &p
		return m
	}
	worst := metric("latency p99", compare.Worse, 0.51, 0.4, 0.62, 0.008)
	worst.Regression = true
	failed := metric("failed", compare.Worse, 0, 0, 0, 0.0004)
	failed.Unit, failed.ChangeShare, failed.LowShare, failed.New.Median, failed.Base.Median, failed.Regression = compare.Share, nil, nil, 0.0123, 0, true
	r := &compare.Result{
		Base: "before.json", New: "after.json", Alpha: 0.05, MaxRegression: 0.05, Warnings: []string{"commit differs: abc | def (as it should where that is what is compared)"},
		Loads: []compare.Load{
			{Name: "steady", Metrics: []compare.Metric{
				metric("latency p50", compare.Worse, 0.03, 0.01, 0.05, 0.016), worst, metric("latency p99.9", compare.Unclear, -0.02, -0.31, 0.42, 0.55),
				metric("target's CPU a request", compare.Alike, 0.001, -0.01, 0.012, 0.84), metric("target's memory", compare.Better, -0.2, -0.25, -0.15, 0.008), failed,
			}},
			{Name: "once", Metrics: []compare.Metric{metric("latency p50", compare.TooFew, 9, 0, 0, 0)}},
		},
		Regressions: []string{"steady: latency p99", "steady: failed"},
	}
	c := Compared("Comparison of runs", []*compare.Result{r})
	text := golden(t, "comparison.txt", c.WriteText)
	golden(t, "comparison.md", c.WriteMarkdown)
	for line := range strings.SplitSeq(text, "\n") {
		if utf8.RuneCountInString(line) > textWidth {
			t.Errorf("wider than %d columns: %s", textWidth, line)
		}
	}
	if strings.Contains(text, "no change") {
		t.Error("that nothing changed cannot be known")
	}
}
