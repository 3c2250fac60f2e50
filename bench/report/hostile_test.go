package report

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

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
