package deploy_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// query is what a PromQL expression names. Whether the expression is one,
// promtool says: this only finds the names.
type query struct {
	selectors []selector
	// grouped lists the labels of by, without, on, ignoring, group_left and
	// group_right.
	grouped []string
}

type selector struct {
	metric   string
	matchers []matcher
}

type matcher struct{ label, op, value string }

var (
	promqlToken   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][a-zA-Z0-9_:]*|[0-9][0-9a-zA-Z.]*|[!=]~|!=|==|<=|>=|\S`)
	promqlKeyword = regexp.MustCompile(`^(?i:and|or|unless|bool|offset|inf|nan)$`)
	promqlGroup   = regexp.MustCompile(`^(?i:by|without|on|ignoring|group_left|group_right)$`)
	promqlName    = regexp.MustCompile(`^[a-zA-Z_:]`)
)

func parseQuery(expr string) query {
	var q query
	tokens := promqlToken.FindAllString(expr, -1)
	at := func(i int) string {
		if i < len(tokens) {
			return tokens[i]
		}
		return ""
	}
	for i := 0; i < len(tokens); i++ {
		token := tokens[i]
		switch {
		case !promqlName.MatchString(token), promqlKeyword.MatchString(token):
		case promqlGroup.MatchString(token) && at(i+1) == "(":
			for i += 2; i < len(tokens) && tokens[i] != ")"; i++ {
				if tokens[i] != "," {
					q.grouped = append(q.grouped, tokens[i])
				}
			}
		case at(i+1) == "(", promqlGroup.MatchString(at(i + 1)): // A function or an aggregation.
		default:
			s := selector{metric: token}
			if at(i+1) == "{" {
				for i += 2; i < len(tokens) && tokens[i] != "}"; i++ {
					if promqlName.MatchString(tokens[i]) {
						s.matchers = append(s.matchers, matcher{tokens[i], at(i + 1), strings.Trim(at(i+2), `"`)})
						i += 2
					}
				}
			}
			q.selectors = append(q.selectors, s)
		}
	}
	return q
}

// faults lists what the expression names that known does not have.
func (q query) faults(known map[string]series) []string {
	var faults []string
	labels := set(targetLabels...)
	for _, s := range q.selectors {
		has, ok := known[s.metric]
		if !ok {
			faults = append(faults, "no metric "+s.metric)
			continue
		}
		for l := range has {
			labels[l] = true
		}
		for _, m := range s.matchers {
			values, ok := has[m.label]
			switch {
			case slices.Contains(targetLabels, m.label):
			case !ok:
				faults = append(faults, fmt.Sprintf("%s has no label %s", s.metric, m.label))
			case values != nil:
				faults = append(faults, m.faults(s.metric, values)...)
			}
		}
	}
	for _, l := range q.grouped {
		if !labels[l] {
			faults = append(faults, "grouped by "+l+", which nothing here has")
		}
	}
	return faults
}

// faults lists the alternatives of the matcher that no value fits.
func (m matcher) faults(metric string, values map[string]bool) []string {
	if strings.HasPrefix(m.value, "$") {
		return nil
	}
	alternatives := []string{regexp.QuoteMeta(m.value)}
	if strings.HasSuffix(m.op, "~") {
		alternatives = strings.Split(m.value, "|")
	}
	var faults []string
	for _, a := range alternatives {
		pattern := regexp.MustCompile("^(?:" + a + ")$")
		fits := false
		for v := range values {
			fits = fits || pattern.MatchString(v)
		}
		if !fits {
			faults = append(faults, fmt.Sprintf("%s never has %s=%q", metric, m.label, a))
		}
	}
	return faults
}

func TestNamesInQueriesAreFound(t *testing.T) {
	t.Parallel()
	known := map[string]series{
		"a_total":  {"site": nil, "reason": set("x_one", "x_two")},
		"b_bucket": {"le": nil, "site": nil},
	}
	tests := []struct {
		name, expr string
		faults     []string
	}{
		{"all known", `sum by (site) (rate(a_total{reason="x_one", job="j"}[5m])) / on (site) group_left () sum by (site) (a_total offset 1d) > 1e3`, nil},
		{"a quantile", `histogram_quantile(0.99, sum by (le) (rate(b_bucket{site=~"$site"}[$__rate_interval]))) > bool 5`, nil},
		{"an alternative with a pattern", `a_total{reason=~"x_.+|x_two"}`, nil},
		{"a variable", `a_total{reason=~"$reason"}`, nil},
		{"an unknown metric", `a_total unless c_total`, []string{"no metric c_total"}},
		{"a metric named like a label", `a_total and site`, []string{"no metric site"}},
		{"an unknown label", `a_total{kid="1"}`, []string{"a_total has no label kid"}},
		{"an unknown value", `a_total{reason!="x"}`, []string{`a_total never has reason="x"`}},
		{"an unknown alternative", `a_total{reason=~"x_one|y"}`, []string{`a_total never has reason="y"`}},
		{"an unknown group", `sum by (site, kid) (a_total)`, []string{"grouped by kid, which nothing here has"}},
		{"a bucket's label elsewhere", `sum by (le) (a_total)`, []string{"grouped by le, which nothing here has"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := parseQuery(tt.expr).faults(known); !slices.Equal(got, tt.faults) {
				t.Errorf("got %q, want %q", got, tt.faults)
			}
		})
	}
}
