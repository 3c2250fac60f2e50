package report

import (
	stdbytes "bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/compare"
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
		"in 1 comparison, and differ by 3.0% at most": {Plan: &plan.Result{Against: []plan.Comparison{{What: "w", ErrorPercent: -3}}}},
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

// TestPageNeedsNothingElse looks at every element: no script, no address but that of a part of
// the page, no style that its own Content-Security-Policy would refuse.
func TestPageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	_, root := read(t, sample(t))
	policy, style := "", ""
	ids := map[string]int{}
	eachElement(root, func(n *html.Node) {
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				ids[a.Val]++
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s %s>", n.Data, a.Key)
			case slices.Contains([]string{"src", "href", "xlink:href", "srcset", "action", "data"}, a.Key) && !strings.HasPrefix(a.Val, "#"):
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
		switch {
		case slices.Contains([]string{"script", "link", "iframe", "object", "embed", "base", "form", "img"}, n.Data):
			t.Errorf("<%s>", n.Data)
		case n.Data == "meta" && attr(n, "http-equiv") == "Content-Security-Policy":
			policy = attr(n, "content")
		case n.Data == "style":
			style += contents(n)
		}
	})
	hash := sha256.Sum256([]byte(style))
	if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"; !strings.HasPrefix(policy, want) {
		t.Errorf("policy %q, want %q: the browser would refuse the style", policy, want)
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Error("the style loads something")
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements have id %q", n, id)
		}
	}
	eachElement(root, func(n *html.Node) {
		if to := attr(n, "href"); to != "" && ids[strings.TrimPrefix(to, "#")] == 0 {
			t.Errorf("%s leads nowhere", to)
		}
	})
}

// TestEveryPlotIsSaidInWordsToo finds title, description, legend and table of values with each.
func TestEveryPlotIsSaidInWordsToo(t *testing.T) {
	t.Parallel()
	_, root := read(t, sample(t))
	var titles []string
	eachElement(root, func(n *html.Node) {
		if n.Data != "figure" {
			return
		}
		has := map[string]string{}
		eachElement(n, func(d *html.Node) {
			has[d.Data] += contents(d)
			if d.Data == "svg" && attr(d, "role") != "img" && attr(d, "aria-hidden") == "" {
				t.Error("an svg without a role")
			}
		})
		titles = append(titles, has["figcaption"])
		for _, part := range []string{"figcaption", "title", "desc", "text"} {
			if strings.TrimSpace(has[part]) == "" {
				t.Errorf("%q has no <%s>", has["figcaption"], part)
			}
		}
		if !strings.Contains(has["figcaption"], "run by run") && strings.Count(has["details"], "") < 40 {
			t.Errorf("%q has no table of its values", has["figcaption"])
		}
	})
	for _, want := range []string{
		"Latency by percentile", "Latency over time", "Requests a second, asked and answered", "Failed requests a second", "Failed requests by reason",
		"The target's processors over time", "The target's memory over time", "How busy the generator was", "Scaling: the target's processors by rate",
		"Scaling: p99 of latency by rate", "Cores that each load takes", "What each fleet carries", "Processor time a request, RS256", "Latency by percentile, run by run",
	} {
		if !slices.Contains(titles, want) {
			t.Errorf("there is no plot %q", want)
		}
	}
}

// TestStyleKnowsEveryColourOfAPlot guards the dark screen: a colour that the style does not find
// stays as it is on paper.
func TestStyleKnowsEveryColourOfAPlot(t *testing.T) {
	t.Parallel()
	_, root := read(t, sample(t))
	seen := 0
	eachElement(root, func(n *html.Node) {
		for _, name := range []string{"fill", "stroke"} {
			if v := attr(n, name); v != "" && v != "none" {
				seen++
				if !strings.Contains(pageStyle, `svg [`+name+`="`+v+`"]`) {
					t.Errorf("%s %s of <%s> is not in the style", name, v, n.Data)
				}
			}
		}
	})
	if seen < 100 {
		t.Errorf("only %d colours seen", seen)
	}
}

// TestHostileNamesStayText puts markup, terminal escapes and what is no text wherever a record
// has a string.
func TestHostileNamesStayText(t *testing.T) {
	t.Parallel()
	const hostile = "</title></svg></style><script>alert(1)</script><img src=x onerror=alert(1)>'\"`|*[x](y)\x1b[2J\x00\u202e\n# h"
	f := sampleFile(t)
	f.Command = append(f.Command, hostile)
	f.Machine.CPU, f.Machine.Commit = hostile, hostile
	f.Runs[0].Name, f.Runs[0].Attack.Target = hostile, hostile
	f.Runs[0].Attack.Failures = map[string]int64{hostile: 5}
	f.Runs[0].Attack.Statuses = map[string]int64{hostile: 5}
	f.Runs[0].Attack.Classes[0].Class = hostile
	f.Runs[0].Checks[1].Name = hostile
	f.Scenarios[0].Title, f.Scenarios[0].Actions[1].Error = hostile, hostile
	f.FindMax.Objective = hostile
	f.Plan.Tiers[0].Name, f.Plan.Assumptions[0] = hostile, hostile
	f.Peers.Proxies[0].Title, f.Peers.Algorithms[0] = hostile, hostile
	for i := range f.Peers.Figures {
		f.Peers.Figures[i].Algorithm = hostile
	}
	f.MergedFrom = []record.Part{{Name: hostile, Machine: f.Machine}}
	r := New(hostile, []*record.File{f, f}, []string{hostile, hostile})
	before, after := map[string]int{}, map[string]int{}
	_, plainRoot := read(t, New("t", []*record.File{sampleFile(t), sampleFile(t)}, []string{"a", "b"}))
	eachElement(plainRoot, func(n *html.Node) { before[n.Data]++ })
	text, root := read(t, r)
	eachElement(root, func(n *html.Node) { after[n.Data]++ })
	for _, name := range []string{"script", "img", "title", "style", "h1"} {
		if after[name] > before[name] && name != "title" || name == "script" && after[name] > 0 {
			t.Errorf("%d elements <%s>, %d without hostile names", after[name], name, before[name])
		}
	}
	if !strings.Contains(text, "&lt;script&gt;alert(1)") {
		t.Error("the names are not on the page at all")
	}
	for name, write := range map[string]func(io.Writer) error{"text": r.WriteText, "Markdown": r.WriteMarkdown} {
		var s strings.Builder
		if err := write(&s); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(s.String(), "\x1b\x00\u202e") || strings.Contains(s.String(), "\n# h") {
			t.Errorf("%s has what steers a terminal, or a line of its own", name)
		}
		if name == "Markdown" && (strings.Contains(s.String(), "<script") || strings.Contains(s.String(), " [x](y)") || strings.Contains(s.String(), "`|")) {
			t.Error("Markdown has markup of a name")
		}
	}
}

// TestOddFiguresDoNotBreakThePage has records that no command writes, and that Read accepts.
func TestOddFiguresDoNotBreakThePage(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"nothing":       `{}`,
		"huge":          `"scale":1e-300,"runs":[{"attack":{"due":9223372036854775807,"failed":9223372036854775807,"failures":{"a":9223372036854775807},"asked_per_second":1e308,"latency":{"count":5,"p99_microseconds":1e308},"series":[{"end_seconds":1e308,"due":9223372036854775807,"p50_microseconds":1e308,"max_microseconds":1e308,"failed":5},{"start_seconds":-1e308,"end_seconds":-1e300}]}}]`,
		"negative":      `"runs":[{"attack":{"due":-1,"failed":-5,"failures":{"a":-5},"asked_per_second":-1,"series":[{"start_seconds":5,"end_seconds":1,"due":-5,"p50_microseconds":-1,"generator_busy_share":-3}]},"target":{"peak_rss_bytes":-1,"cpu_cores":-1,"series":[{"cpu_cores":-1,"rss_bytes":-9223372036854775808}]}}]`,
		"empty parts":   `"find_max":{},"plan":{},"peers":{},"scenarios":[{}],"runs":[{"attack":{}}]`,
		"no histograms": `"runs":[{"attack":{"latency":{"count":3,"hdr_nanoseconds_v2_base64":"HISTFAAAACB42pNpmSzMwMDAAQA"}}}]`,
		"zeros":         `"find_max":{"trials":[{},{}],"rate_per_second":0},"plan":{"tiers":[{},{}]},"peers":{"proxies":[{"name":"a"}],"algorithms":["x"],"figures":[{"proxy":"a","algorithm":"x","load":"warm"}]}`,
	} {
		raw := `{"format":"vneid-bench/1"}`
		if content != "{}" {
			raw = `{"format":"vneid-bench/1",` + content + `}`
		}
		f, err := record.Read(strings.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r := New("t", []*record.File{f}, []string{"n"})
		for _, write := range []func(io.Writer) error{r.WriteHTML, r.WriteText, r.WriteMarkdown} {
			var s strings.Builder
			if err := write(&s); err != nil || strings.Contains(s.String(), "NaN") {
				t.Errorf("%s: %v, or a figure that is no number", name, err)
			}
		}
	}
}

// TestLongRunsStayBounded has a day of intervals and more runs than are shown.
func TestLongRunsStayBounded(t *testing.T) {
	t.Parallel()
	f := sampleFile(t)
	long := f.Runs[0].Attack
	first := long.Series[0]
	long.Series = nil
	for i := range 86_400 {
		first.StartSeconds, first.EndSeconds = float64(i), float64(i+1)
		long.Series = append(long.Series, first)
	}
	for len(f.Runs) < 50 {
		f.Runs = append(f.Runs, f.Runs[1])
	}
	text, root := read(t, New("t", []*record.File{f}, []string{"n"}))
	if len(text) > 1<<20 {
		t.Errorf("the page has %d bytes, of a record with 50 runs", len(text))
	}
	sum := int64(0)
	for _, i := range condense(long.Series, mostPoints) {
		sum += i.Due
	}
	if n := len(condense(long.Series, mostPoints)); n > mostPoints || sum != 86_400*first.Due {
		t.Errorf("%d points with %d requests, want %d at most with all %d", n, sum, mostPoints, 86_400*first.Due)
	}
	detailed := 0
	eachElement(root, func(n *html.Node) {
		if n.Data == "h2" && strings.HasPrefix(contents(n), "Run: ") {
			detailed++
		}
	})
	if detailed != detailedRuns || !strings.Contains(text, "38 more are in this table only") {
		t.Errorf("%d runs with plots, want %d, and the rest told of", detailed, detailedRuns)
	}
}

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
