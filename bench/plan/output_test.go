package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the files of testdata")

// full is a plan with all parts.
func full(t *testing.T) *Result {
	t.Helper()
	cost, err := FitCost(DefaultCost(), "record.json", runs(0.01, 0, 0.2, 0.5, 0.9, 0.1, 0.6))
	if err != nil {
		t.Fatal(err)
	}
	cost.Scaling = FitScaling(cost.Scaling, "record.json", []Throughput{{1, 20_000}, {2, 38_000}, {4, 70_000}})
	in := DefaultInput()
	in.Population.ConnectionsPerUser, in.Population.TLS = 2, true
	in.Deployment.Routing = ByConnection
	in.Population.Surges = append(in.Population.Surges, Surge{"new year", 1e6, 0.25})
	r, err := Make(in, cost)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Simulate(1, 100_000, LeastLoaded); err != nil {
		t.Fatal(err)
	}
	against, err := cost.Predict(Highest{Name: "find-max.json", PerSecond: 19_000, Cores: 1})
	if err != nil {
		t.Fatal(err)
	}
	r.Against = []Comparison{against}
	return r
}

func golden(t *testing.T, name string, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if line := differs(b.String(), string(want)); line > 0 {
		t.Errorf("%s:%d is not what is written now; go test ./bench/plan -update rewrites it, and git diff shows how", path, line)
	}
	return b.String()
}

// differs returns the first line in which two texts differ, from 1; 0 where there is none. Processors that multiply and
// add at once give other last digits to what is fitted and simulated, so that a number may differ by half a thousandth,
// or a tenth of a percent where it is one.
func differs(got, want string) int {
	gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i, line := range gots {
		if i >= len(wants) || line != wants[i] && !alike(strings.Fields(line), strings.Fields(wants[i])) {
			return i + 1
		}
	}
	if len(wants) > len(gots) {
		return len(gots) + 1
	}
	return 0
}

func alike(got, want []string) bool {
	return slices.EqualFunc(got, want, func(g, w string) bool {
		a, errA := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSuffix(g, "%"), ",", ""), 64)
		b, errB := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSuffix(w, "%"), ",", ""), 64)
		percent := strings.HasSuffix(g, "%")
		return g == w || errA == nil && errB == nil && percent == strings.HasSuffix(w, "%") && (math.Abs(a-b) <= 5e-4*math.Abs(b) || percent && math.Abs(a-b) < 0.11)
	})
}

func TestOnlyLastDigitsOfTestdataMayDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		got, want string
		line      int
	}{
		{"a\nb  12,000", "a\nb  12,001", 0},
		{"a\nb  12,000", "a\nb  12,010", 2},
		{"a +0.0%", "a -0.0%", 0},
		{"a 65.4%", "a 65.6%", 1},
		{"a 5", "a 5%", 1},
		{"a b", "a c", 1},
		{"a", "a\nb", 2},
		{"a\nb", "a", 2},
	} {
		if line := differs(c.got, c.want); line != c.line {
			t.Errorf("%q and %q differ in line %d, want %d", c.got, c.want, line, c.line)
		}
	}
}

func TestPlansReadAsTheyDid(t *testing.T) {
	t.Parallel()
	r, err := Make(DefaultInput(), DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Simulate(1, 100_000, Random); err != nil {
		t.Fatal(err)
	}
	complete := full(t)
	surge, err := r.Tier("payout surge")
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(io.Writer) error{
		"default.txt":  r.WriteText,
		"default.md":   r.WriteMarkdown,
		"full.txt":     complete.WriteText,
		"formulas.txt": complete.WriteFormulas,
		"values.yaml":  func(w io.Writer) error { return r.WriteValues(w, surge) },
	} {
		text := golden(t, name, write)
		if filepath.Ext(name) != ".txt" {
			continue
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
				t.Errorf("%s: a line of %d characters: %s", name, n, line)
			}
		}
	}
}

func TestAPlanSurvivesItsJSON(t *testing.T) {
	t.Parallel()
	r := full(t)
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	back := &Result{}
	if err := json.Unmarshal(encoded, back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encoded, again) {
		t.Error("the plan changed on its way")
	}
}

func TestATierThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	r, err := Make(DefaultInput(), DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Tier("tet"); err == nil || !strings.Contains(err.Error(), "national busy hour, payout surge, extreme") {
		t.Errorf("error %v", err)
	}
}

// A name is part of every output, and must not become something else in any of them.
func TestNamesOfTiersAreOnlyNames(t *testing.T) {
	t.Parallel()
	in := DefaultInput()
	in.Population.Surges = []Surge{{Name: `ưu đãi "Tết": #1 & |*x*|`, Accounts: 1e6, Hours: 1}}
	r, err := Make(in, DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	for form, write := range map[string]func(io.Writer) error{
		"text": r.WriteText, "markdown": r.WriteMarkdown, "formulas": r.WriteFormulas,
		"values": func(w io.Writer) error { return r.WriteValues(w, &r.Tiers[1]) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(b.Bytes()) {
			t.Errorf("%s: a character was cut", form)
		}
		if form == "formulas" && !strings.Contains(b.String(), "\nƯu đãi") {
			t.Errorf("no heading of the tier:\n%s", b.String())
		}
	}
	for _, name := range []string{"a\nb: c", "a\x1b[31m", "a\u202eb", "a\xff", "a\u2028b", "a\tb"} {
		in.Population.Surges[0].Name = name
		if _, err := Make(in, DefaultCost()); !errors.Is(err, ErrInput) || strings.Contains(err.Error(), name) {
			t.Errorf("%q: error %v", name, err)
		}
	}
}
