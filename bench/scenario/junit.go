package scenario

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The elements of JUnit's XML, as Apache Ant's junitreport and those who read it have them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property,omitempty"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitProblem `xml:"failure"`
		Error   *junitProblem `xml:"error"`
		Skipped *junitSkipped `xml:"skipped"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes results as JUnit XML: a suite for each scenario, a case for each check, and one for the generator,
// whose bottleneck is an error and no failure. Where there is no result, what was not passed is skipped: it may be the
// generator's.
func WriteJUnit(w io.Writer, results []*Result) error {
	all := junitSuites{Name: "vneid-bench scenario"}
	total := 0.0
	for _, r := range results {
		suite := r.junit()
		all.Suites = append(all.Suites, suite)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Errors += suite.Errors
		total += r.Ran.DurationSeconds
	}
	all.Time = junitTime(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r *Result) junit() junitSuite {
	class := "vneid-bench.scenario." + r.Name
	suite := junitSuite{Name: r.Name, Time: junitTime(r.Ran.DurationSeconds), Properties: []junitProperty{
		{"title", r.Title},
		{"verdict", r.Verdict},
		{"scale", decimal(r.Scale)},
		{"peak_per_second", strconv.FormatFloat(r.Ran.PeakPerSecond, 'f', -1, 64)},
		{"whole_peak_per_second", strconv.FormatFloat(r.Whole.PeakPerSecond, 'f', -1, 64)},
	}}
	if r.Scaled {
		suite.Properties = append(suite.Properties, junitProperty{"scaled", r.scaledText()})
	}
	if len(r.Differences) > 0 {
		suite.Properties = append(suite.Properties, junitProperty{"differences", r.differencesText()})
	}
	add := func(c junitCase) {
		c.Class, c.Time = class, suite.Time
		suite.Cases = append(suite.Cases, c)
		suite.Tests++
	}
	for _, c := range r.Checks {
		one := junitCase{Name: c.Name}
		switch {
		case c.Passed:
		case r.Verdict == NoResult:
			suite.Skipped++
			one.Skipped = &junitSkipped{Message: c.Got + ", wanted " + c.Want + "; no result: " + r.Why}
		default:
			suite.Failures++
			one.Failure = &junitProblem{Message: c.Got + ", wanted " + c.Want, Type: "threshold", Text: c.Name + ": " + c.Got + ", wanted " + c.Want}
		}
		add(one)
	}
	generator := junitCase{Name: "generator kept up"}
	if a := r.Attack; a != nil {
		suite.Timestamp = a.StartedAt.UTC().Format("2006-01-02T15:04:05")
		if !a.Claimed {
			suite.Errors++
			says := strings.Join(a.Bottleneck, "; ")
			generator.Error = &junitProblem{Message: fmt.Sprintf("no result: %s", says), Type: "generator", Text: says}
		}
	}
	add(generator)
	return suite
}

func junitTime(seconds float64) string { return strconv.FormatFloat(seconds, 'f', 3, 64) }
