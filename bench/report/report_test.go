package report

import (
	stdbytes "bytes"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/limit"
	"github.com/vneid-gateway/vneid-gateway/bench/peers"
	"github.com/vneid-gateway/vneid-gateway/bench/plan"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

var update = flag.Bool("update", false, "rewrite the files of testdata")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, write func(io.Writer) error) string {
	t.Helper()
	var got stdbytes.Buffer
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	name = "testdata/" + name
	if *update {
		if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !stdbytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is not what is written; run with -update and look at what changes", name)
	}
	return got.String()
}

func read(t *testing.T, r *Report) (text string, root *html.Node) {
	t.Helper()
	var w stdbytes.Buffer
	if err := r.WriteHTML(&w); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(stdbytes.NewReader(w.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return w.String(), root
}

// eachElement calls f for every element.
func eachElement(n *html.Node, f func(*html.Node)) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode {
			f(d)
		}
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func contents(n *html.Node) (s string) {
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			s += d.Data
		}
	}
	return s
}

func TestTextIsGolden(t *testing.T) {
	t.Parallel()
	text := golden(t, "sample.txt", sample(t).WriteText)
	for line := range strings.SplitSeq(text, "\n") {
		if utf8.RuneCountInString(line) > textWidth {
			t.Errorf("wider than %d columns: %s", textWidth, line)
		}
	}
	golden(t, "sample.md", sample(t).WriteMarkdown)
}

// TestPageSaysFirstWhatItIsWorth reads the page from its beginning: whether the figures can be
// claimed, whether checks passed, and how much of the load it was come before any figure.
func TestPageSaysFirstWhatItIsWorth(t *testing.T) {
	t.Parallel()
	f := sampleFile(t)
	f.FindMax = nil
	f.Runs[1].Attack.Claimed, f.Runs[1].Attack.Bottleneck = false, []string{"it was late itself"}
	text, _ := read(t, New("title", []*record.File{f}, []string{"a"}))
	at := 0
	for _, want := range []string{
		"The figures cannot be claimed: the generator was the bottleneck in 1 of 2 runs", "again: it was late itself", "Checks: 2 of 4 checks failed.", "failed requests is 32, wanted none",
		"the load was 10% of the one that is meant", "vneid-bench attack --rate 2000", "Example CPU, 8 processors", "go1.26.0", "0123456789abcdef", "<figure>",
	} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("%q is not on the page, or not after what comes before it", want)
		}
		at += i
	}
}

// TestWorthIsSaidInEveryCase is the table of what a record's beginning can say.
func TestWorthIsSaidInEveryCase(t *testing.T) {
	t.Parallel()
	run := func(change func(*record.Run)) *record.File {
		r := record.Run{Name: "r", Attack: &attack.Result{Claimed: true}, Checks: []record.Check{{Name: "c", Passed: true}}}
		change(&r)
		return &record.File{Scale: 1, Runs: []record.Run{r}}
	}
	for want, f := range map[string]*record.File{
		"[ok] The figures can be claimed":             run(func(*record.Run) {}),
		"[ok] Checks: the check passed":               run(func(*record.Run) {}),
		"Not scaled":                                  run(func(*record.Run) {}),
		"[NO] The figures cannot be claimed":          run(func(r *record.Run) { r.Attack.Claimed = false }),
		"[!] The figures are the target's, but":       run(func(r *record.Run) { r.Attack.Interrupted = true }),
		"[NO] Checks: the check failed":               run(func(r *record.Run) { r.Checks[0].Passed = false }),
		"No check was demanded":                       run(func(r *record.Run) { r.Checks = nil }),
		"[NO] 3 requests got a verdict":               run(func(r *record.Run) { r.Attack.WrongVerdicts, r.Attack.Classes = 3, make([]attack.ClassResult, 1) }),
		"Computed, not measured":                      {Scale: 1},
		"[!] Scaled: the load was 2.00 times":         {Scale: 2, FindMax: &limit.Result{}},
		"[!] Scaled to a machine: the load was 0.10%": {Scale: 0.001, FindMax: &limit.Result{}},
		"[!] The formulas were checked against nothi": {Plan: &plan.Result{}},
		"in 1 comparison, and differ by 3.0% at most": {Plan: &plan.Result{Against: []plan.Comparison{{What: "w", ErrorPercent: new(-3.0)}}}},
		"[!] The rate that was found can be claimed":  {FindMax: &limit.Result{Trials: []limit.Trial{{Outcome: limit.OutcomeUnclaimed}, {}}}},
		"[NO] Checks: not every proxy":                {Peers: &peers.Result{Proxies: []peers.Proxy{{Unfit: map[string][]string{"RS256": {"expired"}}}}}},
		"commit  not recorded by the build":           {},
	} {
		var text strings.Builder
		if err := New("t", []*record.File{f}, []string{"n"}).WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in:\n%s", want, text.String())
		}
	}
}
