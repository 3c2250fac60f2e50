package deploy_test

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

const alertsFile = "prometheus/alerts.yaml"

var alertTestFiles = []string{"prometheus/alerts_test.yaml", "prometheus/alerts_revocation_test.yaml", "prometheus/alerts_days_test.yaml", "prometheus/alerts_week_test.yaml"}

type ruleFile struct {
	Groups []struct {
		Rules []rule `yaml:"rules"`
	} `yaml:"groups"`
}

type rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// rules returns the rules of alerts.yaml, recordings and alerts apart.
func rules(t *testing.T) (records, alerts []rule) {
	t.Helper()
	var file ruleFile
	readYAML(t, alertsFile, &file)
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Record != "" {
				records = append(records, r)
			} else {
				alerts = append(alerts, r)
			}
		}
	}
	if len(records) == 0 || len(alerts) == 0 {
		t.Fatalf("%d recordings, %d alerts", len(records), len(alerts))
	}
	return records, alerts
}

// withRecords adds the recorded series: their labels begin their name.
func withRecords(all map[string]series, records []rule) map[string]series {
	all = maps.Clone(all)
	for _, r := range records {
		level, _, _ := strings.Cut(r.Record, ":")
		all[r.Record] = make(series)
		for label := range strings.SplitSeq(level, "_") {
			all[r.Record][label] = nil
			for _, s := range parseQuery(r.Expr).selectors {
				if values := all[s.metric][label]; values != nil {
					all[r.Record][label] = values
				}
			}
		}
	}
	// Prometheus makes these of the scrape and of the alerts themselves.
	all["up"] = series{}
	return all
}

func TestAlertRulesAreAcceptedByPrometheus(t *testing.T) {
	t.Parallel()
	run(t, tool(t, "promtool"), "check", "rules", "--lint=all", "--lint-fatal", alertsFile)
}

func TestAlertRulesFireAsTheirUnitTestsSay(t *testing.T) {
	t.Parallel()
	run(t, tool(t, "promtool"), append([]string{"test", "rules"}, alertTestFiles...)...)
}

func TestAlertRulesNameExportedSeriesOnly(t *testing.T) {
	t.Parallel()
	records, alerts := rules(t)
	known := withRecords(exported(t), records)
	for _, r := range append(records, alerts...) {
		q := parseQuery(r.Expr)
		if len(q.selectors) == 0 {
			t.Errorf("%s%s: names no series", r.Record, r.Alert)
		}
		for _, fault := range q.faults(known) {
			t.Errorf("%s%s: %s", r.Record, r.Alert, fault)
		}
	}
	for _, r := range records {
		level, _, _ := strings.Cut(r.Record, ":")
		for label := range strings.SplitSeq(level, "_") {
			if !slices.Contains(parseQuery(r.Expr).grouped, label) {
				t.Errorf("%s: the name says %s, the expression does not group by it", r.Record, label)
			}
		}
	}
}

// A message with a label that the alert does not have would read as a gap.
func TestAlertMessagesNameLabelsThatTheAlertHas(t *testing.T) {
	t.Parallel()
	records, alerts := rules(t)
	known := withRecords(exported(t), records)
	label := regexp.MustCompile(`\$labels\.([a-z_]+)`)
	for _, a := range alerts {
		q := parseQuery(a.Expr)
		has := set(q.grouped...)
		if len(has) == 0 {
			has = set(targetLabels...)
			for _, s := range q.selectors {
				maps.Copy(has, set(slices.Collect(maps.Keys(known[s.metric]))...))
				if strings.Contains(s.metric, ":") {
					delete(has, "instance")
				}
			}
		}
		for _, text := range a.Annotations {
			for _, m := range label.FindAllStringSubmatch(text, -1) {
				if !has[m[1]] {
					t.Errorf("%s: no label %s in the result", a.Alert, m[1])
				}
			}
		}
	}
}

type unitTests struct {
	Tests []struct {
		Name        string `yaml:"name"`
		InputSeries []struct {
			Series string `yaml:"series"`
		} `yaml:"input_series"`
		Expr []struct {
			Expr    string `yaml:"expr"`
			Samples []any  `yaml:"exp_samples"`
		} `yaml:"promql_expr_test"`
	} `yaml:"tests"`
}

func TestEveryAlertIsShownToFireAndToStayQuiet(t *testing.T) {
	t.Parallel()
	fires, quiet := make(map[string]bool), make(map[string]bool)
	for _, name := range alertTestFiles {
		var file unitTests
		readYAML(t, name, &file)
		for _, test := range file.Tests {
			for _, e := range test.Expr {
				for _, s := range parseQuery(e.Expr).selectors {
					for _, m := range s.matchers {
						if s.metric != "ALERTS" || m.label != "alertname" {
							continue
						}
						if len(e.Samples) > 0 {
							fires[m.value] = true
						} else {
							quiet[m.value] = true
						}
					}
				}
			}
		}
	}
	_, alerts := rules(t)
	for _, a := range alerts {
		if !fires[a.Alert] {
			t.Errorf("%s is never shown to fire", a.Alert)
		}
		if !quiet[a.Alert] {
			t.Errorf("%s is never shown to stay quiet", a.Alert)
		}
	}
}

// A rule that is tested on invented labels is not tested.
func TestUnitTestsOfAlertsFeedTheGatewaysOwnSeries(t *testing.T) {
	t.Parallel()
	known := withRecords(exported(t), nil)
	for _, name := range alertTestFiles {
		var file unitTests
		readYAML(t, name, &file)
		for _, test := range file.Tests {
			for _, in := range test.InputSeries {
				q := parseQuery(in.Series)
				for _, fault := range q.faults(known) {
					t.Errorf("%s: %s: %s", test.Name, in.Series, fault)
				}
				given := make(map[string]bool)
				for _, m := range q.selectors[0].matchers {
					given[m.label] = true
				}
				want := set(append(targetLabels, slices.Collect(maps.Keys(known[q.selectors[0].metric]))...)...)
				if !maps.Equal(given, want) {
					t.Errorf("%s: %s has not the labels of the real series", test.Name, in.Series)
				}
			}
		}
	}
}

func TestEveryAlertSaysHowUrgentItIsAndWhereToRead(t *testing.T) {
	t.Parallel()
	sections := runbookAnchors(t)
	_, alerts := rules(t)
	seen := make(map[string]bool)
	for _, a := range alerts {
		if seen[a.Alert] {
			t.Errorf("%s is there twice", a.Alert)
		}
		seen[a.Alert] = true
		if s := a.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", a.Alert, s)
		}
		for _, name := range []string{"summary", "description"} {
			if !strings.HasSuffix(a.Annotations[name], ".") {
				t.Errorf("%s: %s is no sentence: %q", a.Alert, name, a.Annotations[name])
			}
		}
		anchor, ok := strings.CutPrefix(a.Annotations["runbook_url"], "deploy/RUNBOOK.md#")
		if !ok || anchor != strings.ToLower(a.Alert) || !sections[anchor] {
			t.Errorf("%s: runbook_url %q leads nowhere", a.Alert, a.Annotations["runbook_url"])
		}
	}
}

// The status codes of some faults of clients are 5xx: they must not burn the
// budget, or whoever sends HTTP/2.0 wakes the operator.
func TestErrorBudgetLeavesOutWhatClientsAreToBlameFor(t *testing.T) {
	t.Parallel()
	var theirs []string
	for _, c := range reject.Codes() {
		if c.Status() >= 500 && c.Class() == reject.ClassInvalid {
			theirs = append(theirs, c.String())
		}
	}
	slices.Sort(theirs)
	records, _ := rules(t)
	checked := 0
	for _, r := range records {
		for _, s := range parseQuery(r.Expr).selectors {
			if !slices.Contains(s.matchers, matcher{"outcome", "=", metrics.Failed.String()}) {
				continue
			}
			checked++
			if want := (matcher{"reason", "!~", strings.Join(theirs, "|")}); !slices.Contains(s.matchers, want) {
				t.Errorf("%s: failures without %v", r.Record, want)
			}
		}
	}
	if checked == 0 {
		t.Error("no recording counts failures")
	}
}

// tool finds a program that checks what is shipped. Without it the test is
// skipped, but not on CI.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

// run fails the test with the program's output where it does not exit with 0.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
