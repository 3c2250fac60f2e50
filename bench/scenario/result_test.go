package scenario

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
	"github.com/vneid-gateway/vneid-gateway/bench/stand"
)

// sample is a result with a bit of everything.
func sample() *Result {
	return &Result{
		Name: "cutover-midnight", Title: "citizens' old logins end at midnight",
		Basis:  "A letter that says when, and a load that was derived from figures which are public; the rest is an assumption, and says so.",
		Scaled: true, Scale: 0.05, Verdict: Failed,
		Differences: []Difference{{"warm tokens", "100,000", "2,000"}, {"class legacy", "20%", "0.5%"}},
		Whole:       Extent{PeakPerSecond: 10_000, DurationSeconds: 60, Connections: 512, NewConnectionsPerSecond: 50, WarmTokens: 100_000, ColdShare: 0.0333},
		Ran:         Extent{PeakPerSecond: 500, DurationSeconds: 1.5, Connections: 26, NewConnectionsPerSecond: 2.5, WarmTokens: 5000, ColdShare: 0.0333},
		Stand:       true, Replicas: 2, WarmUpRequests: 4996, WarmUpFailed: 5, WarmUpFailures: map[string]int64{"wrong_verdict": 2, "timeout": 3}, WarmUpWrongVerdicts: 2, AnswersChecked: "code", Allowed: 12,
		Actions: []ActionResult{
			{Name: "cutover", Do: DoCutover, AtSeconds: 0.75, BeganSeconds: 0.7512345, EndedSeconds: 0.7512345, Done: true},
			{Name: "incident", Do: DoRevokeTokens, AtSeconds: 1, BeganSeconds: 1, EndedSeconds: 1.01, Done: true, Revoked: 500, RefusedRequests: 1234},
			{Name: "outage", Do: DoIssuerFault, AtSeconds: 1.2, Error: "the load ended before"},
		},
		Rules: []RuleResult{{"expect 200 of legacy until cutover: before midnight an old portal's login is as good as any", 61}},
		Checks: []Check{
			{"wrong verdicts", "at most 0", "3", false},
			{"latency p99", "at most 25ms", "12.3ms", true},
			{"action outage", "done", "the load ended before", false},
		},
		Attack: &attack.Result{
			Claimed: false, Bottleneck: []string{"its processor was full, 95% or more, in 2 of 3 intervals"}, Target: "http://127.0.0.1:8080",
			Load:      attack.Load{Loop: "open", DurationSeconds: 1.5, PeakPerSecond: 500, Connections: 26, TimeoutSeconds: 10},
			Generator: attack.Generator{Engine: "epoll", Threads: 1, Processors: 2}, Due: 750, Sent: 750, Answered: 750,
			StartedAt: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), WrongVerdicts: 3,
		},
	}
}

func TestTheTextSaysFirstThatTheLoadWasAScaledOne(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := sample().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(b.String(), "\n"); !strings.HasPrefix(first, "SCALED: 0.05 of the load that is meant: up to 500 of 10,000 requests/s") {
		t.Errorf("it begins with %q", first)
	}
	if !strings.Contains(b.String(), "\ntarget       http://127.0.0.1:8080\n") {
		t.Error("what was measured is missing")
	}
	if lines := strings.Split(b.String(), "\n"); slices.ContainsFunc(lines, func(l string) bool { return utf8.RuneCountInString(l) > 110 }) {
		t.Errorf("a line is too long:\n%s", b.String())
	}
	b.Reset()
	short := sample()
	short.Attack = nil // Its text is bench/attack's.
	if err := short.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "result.golden", b.String())
	whole := sample()
	whole.Scaled = false
	b.Reset()
	if err := whole.WriteText(&b); err != nil || strings.Contains(b.String(), "SCALED") {
		t.Errorf("a whole load is said to be scaled (%v)", err)
	}
}

// TestJUnitHasTheStructureThatReadersOfItExpect checks what Jenkins, GitLab and others read: the root, the attributes that
// are required, counts that are those of the elements, and a message for each problem.
func TestJUnitHasTheStructureThatReadersOfItExpect(t *testing.T) {
	t.Parallel()
	passed := sample()
	passed.Name, passed.WarmUpWrongVerdicts = "other", 0
	for i := range passed.Checks {
		passed.Checks[i].Passed = true
	}
	passed.Attack.Claimed, passed.Attack.WrongVerdicts = true, 0
	passed.judge()
	late := sample()
	late.Name, late.WarmUpWrongVerdicts, late.Attack.WrongVerdicts = "late", 0, 0
	late.judge()
	var b strings.Builder
	if err := WriteJUnit(&b, []*Result{sample(), passed, late}); err != nil {
		t.Fatal(err)
	}
	golden(t, "junit.golden.xml", b.String())

	type element struct {
		XMLName  xml.Name
		Attrs    []xml.Attr `xml:",any,attr"`
		Children []element  `xml:",any"`
	}
	var root element
	if err := xml.Unmarshal([]byte(b.String()), &root); err != nil {
		t.Fatal(err)
	}
	attrs := func(e element) map[string]string {
		all := map[string]string{}
		for _, a := range e.Attrs {
			all[a.Name.Local] = a.Value
		}
		return all
	}
	required := map[string][]string{
		"testsuites": {"tests", "failures", "errors", "time"},
		"testsuite":  {"name", "tests", "failures", "errors", "skipped", "time"},
		"properties": nil, "property": {"name", "value"},
		"testcase": {"name", "classname", "time"},
		"failure":  {"message", "type"}, "error": {"message", "type"}, "skipped": {"message"},
	}
	children := map[string]string{"testsuites": "testsuite", "testsuite": "properties testcase", "properties": "property", "testcase": "failure error skipped"}
	count := map[string]int{}
	var walk func(e element)
	walk = func(e element) {
		name := e.XMLName.Local
		count[name]++
		names, known := required[name]
		if !known {
			t.Errorf("element %q is not of JUnit", name)
		}
		for _, attr := range names {
			if attrs(e)[attr] == "" {
				t.Errorf("<%s> has no %s", name, attr)
			}
		}
		for _, child := range e.Children {
			if !strings.Contains(" "+children[name]+" ", " "+child.XMLName.Local+" ") {
				t.Errorf("<%s> stands in <%s>", child.XMLName.Local, name)
			}
			walk(child)
		}
	}
	walk(root)
	if root.XMLName.Local != "testsuites" || attrs(root)["tests"] != "12" || count["testcase"] != 12 ||
		attrs(root)["failures"] != "2" || count["failure"] != 2 || attrs(root)["errors"] != "2" || count["error"] != 2 || count["skipped"] != 2 {
		t.Errorf("root %s %v, elements %v", root.XMLName.Local, attrs(root), count)
	}
}

func TestEachThresholdCanFail(t *testing.T) {
	t.Parallel()
	percent, least, latency, connections := 1.0, 99.0, 10*time.Millisecond, int64(2)
	thresholds := Thresholds{
		FailedPercent: &percent, RefusedPercent: &least, AllowedPercent: &percent, P50: &latency, P90: &latency, P99: &latency, P999: &latency, Max: &latency,
		AnsweredPercent: &least, ConnectionsFailed: &connections,
	}
	at := float64(latency.Microseconds())
	good := attack.Result{
		Due: 1000, Failed: 10, AskedPerSecond: 100, AnsweredPerSecond: 99, ConnectionsFailed: 2,
		Latency: attack.Times{Count: 1000, P50Microseconds: at, P90Microseconds: at, P99Microseconds: at, P999Microseconds: at, MaxMicroseconds: at},
		Classes: []attack.ClassResult{{Class: "valid", Due: 500, AsExpected: 1}, {Class: "forged", Due: 200, AsExpected: 200}, {Class: newKeyClass, Due: 9}},
	}
	failing := func(r attack.Result, allowed int64) (names []string) {
		for _, c := range thresholds.check(&Result{Attack: &r, Allowed: allowed}, allowed/5) {
			if !c.Passed {
				names = append(names, c.Name)
			}
		}
		return names
	}
	if names := failing(good, 10); names != nil {
		t.Errorf("what is just as demanded fails: %v", names)
	}
	for name, spoil := range map[string]func(r *attack.Result, allowed *int64){
		"wrong verdicts":       func(r *attack.Result, _ *int64) { r.WrongVerdicts = 1 },
		"failed requests":      func(r *attack.Result, _ *int64) { r.Failed = 11 },
		"answers only allowed": func(_ *attack.Result, allowed *int64) { *allowed = 11 },
		"latency p50":          func(r *attack.Result, _ *int64) { r.Latency.P50Microseconds++ },
		"latency p90":          func(r *attack.Result, _ *int64) { r.Latency.P90Microseconds++ },
		"latency p99":          func(r *attack.Result, _ *int64) { r.Latency.P99Microseconds++ },
		"latency p99.9":        func(r *attack.Result, _ *int64) { r.Latency.P999Microseconds++ },
		"latency max":          func(r *attack.Result, _ *int64) { r.Latency.MaxMicroseconds++ },
		"refused of what must be": func(r *attack.Result, _ *int64) {
			r.Classes = []attack.ClassResult{{Class: "forged", Due: 200, AsExpected: 199}}
		},
		"rate answered":                   func(r *attack.Result, _ *int64) { r.AnsweredPerSecond = 98 },
		"connections that failed to open": func(r *attack.Result, _ *int64) { r.ConnectionsFailed = 3 },
	} {
		r, allowed := good, int64(10)
		spoil(&r, &allowed)
		if names := failing(r, allowed); len(names) != 1 || names[0] != name {
			t.Errorf("%s: failed are %v", name, names)
		}
	}
	// No latency is none that is low.
	if names := failing(attack.Result{}, 0); len(names) != 7 {
		t.Errorf("of a run without an answer fail %v", names)
	}
}

func TestWrongVerdictsBeforeTheLoadCount(t *testing.T) {
	t.Parallel()
	c := new(Thresholds).check(&Result{Attack: &attack.Result{WrongVerdicts: 3}, WarmUpWrongVerdicts: 2}, 0)[0]
	if c.Name != "wrong verdicts" || c.Passed || c.Got != "5, 2 of them before the load" {
		t.Errorf("%+v", c)
	}
	r := &Result{Attack: &attack.Result{}, WarmUpWrongVerdicts: 1}
	if r.judge(); r.Verdict != Failed {
		t.Errorf("verdict %q of a generator that was late, too", r.Verdict)
	}
}

func TestAnActionThatNobodyFeltFailsTheRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action Action
		result ActionResult
		failed string
	}{
		"not done":                {Action{Do: DoRollingUpdate}, ActionResult{Error: "late"}, "action a"},
		"done":                    {Action{Do: DoRollingUpdate}, ActionResult{Done: true}, ""},
		"no token of a new key":   {Action{Do: DoRotateKey}, ActionResult{Done: true}, "action a: requests under the new key"},
		"some of a new key":       {Action{Do: DoRotateKey}, ActionResult{Done: true, NewKeyRequests: 1}, ""},
		"too few revoked":         {Action{Do: DoRevokeTokens, Tokens: 50}, ActionResult{Done: true, Revoked: 49, RefusedRequests: 9}, "action a: tokens revoked"},
		"none of them came":       {Action{Do: DoRevokeTokens, Tokens: 50}, ActionResult{Done: true, Revoked: 50}, "action a: requests with them refused"},
		"all revoked and refused": {Action{Do: DoRevokeTokens, Tokens: 50}, ActionResult{Done: true, Revoked: 50, RefusedRequests: 1}, ""},
		"a trickle":               {Action{Do: DoRevokeFlood, PerSecond: 100, For: 2 * time.Second}, ActionResult{Done: true, Revoked: 179}, "action a: tokens revoked"},
		"a flood":                 {Action{Do: DoRevokeFlood, PerSecond: 100, For: 2 * time.Second}, ActionResult{Done: true, Revoked: 180}, ""},
	} {
		c.result.Name, c.result.Do = "a", c.action.Do
		failed := ""
		for _, check := range c.result.checks(&c.action) {
			if !check.Passed {
				failed += check.Name
			}
		}
		if failed != c.failed {
			t.Errorf("%s: failed is %q, want %q", name, failed, c.failed)
		}
	}
}

func TestACorpusThatIsNotTheScenariosIsTold(t *testing.T) {
	t.Parallel()
	s := &Scenario{Load: Load{PerSecond: 10}, Population: Population{Warm: 1000, ZipfExponent: 1, ColdShare: 0.1, Classes: map[string]float64{"forged": 0.25, "expired": 0.001}}}
	same := population.Manifest{
		Pools: population.Pools{Warm: 1000, Cold: 5}, Reuse: population.Reuse{ZipfExponent: 1, ColdShare: 0.1},
		Classes: []population.ClassCount{{Class: population.Valid, RequestShare: 0.748}, {Class: population.Forged, RequestShare: 0.251}, {Class: population.Expired, RequestShare: 0.001}},
	}
	if d := s.differences(&same); d != nil {
		t.Errorf("what is the same differs: %+v", d)
	}
	other := population.Manifest{
		Pools: population.Pools{Warm: 60}, Reuse: population.Reuse{ZipfExponent: 0.5},
		Classes: []population.ClassCount{{Class: population.Valid, RequestShare: 0.95}, {Class: population.Revoked, RequestShare: 0.05}},
	}
	var what []string
	for _, d := range s.differences(&other) {
		what = append(what, d.text())
	}
	want := []string{
		"warm tokens 60 (scenario: 1,000)", "Zipf exponent 0.5 (scenario: 1)", "cold share 0% (scenario: 10%)", "class valid 95% (scenario: 74.9%)",
		"class expired 0% (scenario: 0.1%)", "class forged 0% (scenario: 25%)", "class revoked 5% (scenario: 0%)",
	}
	if !slices.Equal(what, want) {
		t.Errorf("%q", what)
	}
	if e := s.ran(&other); e.WarmTokens != 60 || e.ColdShare != 0 || e.ZipfExponent != 0.5 || e.PeakPerSecond != 10 {
		t.Errorf("%+v", e)
	}
}

func TestWhatATargetCannotBeToldIsSaid(t *testing.T) {
	t.Parallel()
	everything := Hands{
		Issuers: map[string]stand.Control{"vneid": {}}, Admins: func() []stand.Admin { return nil },
		Cutover: time.Now(), Machines: (*stand.Stand)(nil),
	}
	for do, says := range map[string]string{
		DoCutover: "--cutover", DoIssuerFault: "--issuer-control", DoRotateKey: "--issuer-control", DoRevokeTokens: "--admin",
		DoRevokeFlood: "--admin", DoSlowUpstream: "--gateway", DoRollingUpdate: "--gateway",
	} {
		s := &Scenario{Name: "s", Actions: []Action{{Do: do, Name: "a"}}}
		if err := new(Hands).Can(s); !errors.Is(err, ErrHands) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want a word of %s", do, err, says)
		}
		if err := everything.Can(s); err != nil {
			t.Errorf("%s: %v", do, err)
		}
		if _, err := s.Run(t.Context(), Options{}); !errors.Is(err, ErrHands) {
			t.Errorf("%s: it is run all the same (%v)", do, err)
		}
	}
}

func TestAWriterThatFailsIsTold(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(io.Writer) error{
		"text":  sample().WriteText,
		"JUnit": func(w io.Writer) error { return WriteJUnit(w, []*Result{sample()}) },
	} {
		if err := write(broken{}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
