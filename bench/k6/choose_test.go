package k6_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

var update = flag.Bool("update", false, "rewrite testdata/choices.json")

const choicesFile = "testdata/choices.json"

// choices are what the chooser of a corpus chooses: Go wrote them, and both
// languages must repeat them.
type choices struct {
	Seed         uint32  `json:"seed"`
	ColdShare    float64 `json:"cold_share"`
	ZipfExponent float64 `json:"zipf_exponent"`
	Warm         int64   `json:"warm"`
	Requests     []int64 `json:"requests"`
	chosen
}

// chosen is the line of each request, and how many cold ones those before it need.
type chosen struct {
	Lines      []int64 `json:"lines"`
	ColdNeeded []int64 `json:"cold_needed"`
}

// inGo chooses as the Go side does.
func (c *choices) inGo(t *testing.T) chosen {
	t.Helper()
	picker, err := population.NewPicker(c.Seed, population.Reuse{ZipfExponent: c.ZipfExponent, ColdShare: c.ColdShare}, population.Pools{Warm: c.Warm})
	if err != nil {
		t.Fatal(err)
	}
	var got chosen
	for _, n := range c.Requests {
		line, cold := picker.Pick(n)
		if cold {
			line += c.Warm
		}
		got.Lines = append(got.Lines, line)
		got.ColdNeeded = append(got.ColdNeeded, picker.Cold(n))
	}
	return got
}

// requestsToChoose are the first of a load, and those where a number outgrows 32
// bits, the products 53, or a block of 1,000 ends.
func requestsToChoose() []int64 {
	var all []int64
	for n := range int64(40) {
		all = append(all, n)
	}
	for _, n := range []int64{1000, 12_345, 999_999, 1_000_000, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, 123_456_789_012, 1<<41 + 7, 1<<42 - 1} {
		all = append(all, n-1, n)
	}
	return all
}

func readChoices(t *testing.T) []choices {
	t.Helper()
	raw, err := os.ReadFile(choicesFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []choices
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 5 {
		t.Fatalf("%d cases", len(all))
	}
	return all
}

func TestNthRequestOfGoIsThatOfTheVectors(t *testing.T) {
	if *update {
		all := []choices{
			{Seed: 0, ColdShare: 0.1, ZipfExponent: 1, Warm: 1000},
			{Seed: 1, ColdShare: 0, ZipfExponent: 0, Warm: 1},
			{Seed: 42, ColdShare: 0.333333, ZipfExponent: 0.8, Warm: 4096},
			{Seed: 1<<32 - 1, ColdShare: 0.000001, ZipfExponent: 1.2, Warm: 777},
			{Seed: 1 << 31, ColdShare: 0.9995, ZipfExponent: 3, Warm: 10},
			{Seed: 7, ColdShare: 1, ZipfExponent: 1, Warm: 0},
		}
		for i := range all {
			all[i].Requests = requestsToChoose()
			all[i].chosen = all[i].inGo(t)
		}
		raw, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(choicesFile, append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range readChoices(t) {
		if got := c.inGo(t); !reflect.DeepEqual(got, c.chosen) {
			t.Errorf("case %d: %v, want %v", i, got, c.chosen)
		}
	}
}

// What the script imports runs in any engine: node is at hand where k6 is not.
func TestNthRequestOfJavaScriptIsThatOfTheVectors(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]func(t *testing.T) *exec.Cmd{
		"node": func(t *testing.T) *exec.Cmd {
			node, err := exec.LookPath("node")
			if err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			return exec.CommandContext(t.Context(), node, "testdata/choices_node.mjs")
		},
		"k6": func(t *testing.T) *exec.Cmd {
			return exec.CommandContext(t.Context(), binary(t), "run", "--quiet", "--no-usage-report", "testdata/choices_k6.js")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t)
			cmd.Stderr = os.Stderr
			raw, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var got []chosen
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatalf("%v: %s", err, raw)
			}
			for i, c := range readChoices(t) {
				if i >= len(got) || !reflect.DeepEqual(got[i], c.chosen) {
					t.Errorf("case %d: %v, want %v", i, got[min(i, len(got)-1)], c.chosen)
				}
			}
		})
	}
}

func TestEveryVariableIsDocumented(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("settings.js")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, match := range regexp.MustCompile(`env\.([A-Z_0-9]+)|env, '([A-Z_0-9]+)'`).FindAllSubmatch(script, -1) {
		names[string(match[1])+string(match[2])] = true
	}
	if len(names) < 15 {
		t.Fatalf("%d variables", len(names))
	}
	for name := range names {
		if !bytes.Contains(readme, []byte("`"+name+"`")) {
			t.Errorf("%s is not in README.md", name)
		}
	}
}
