package plan

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
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
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s is not what is written now; go test ./bench/plan -update rewrites it, and git diff shows how", path)
	}
	return b.String()
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

func TestValuesAreWhatTheTierNeeds(t *testing.T) {
	t.Parallel()
	r, err := Make(DefaultInput(), DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteValues(&b, &r.Tiers[0]); err != nil {
		t.Fatal(err)
	}
	var v Values
	if err := yaml.UnmarshalWithOptions(b.Bytes(), &v, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if v.ReplicaCount != r.Tiers[0].Replicas || v.Autoscaling.MinReplicas != v.ReplicaCount || v.Autoscaling.MaxReplicas != r.Tiers[2].Replicas {
		t.Errorf("replicas %d, from %d to %d", v.ReplicaCount, v.Autoscaling.MinReplicas, v.Autoscaling.MaxReplicas)
	}
	if v.Env["GOMAXPROCS"] != "4" || v.Resources.Limits != v.Resources.Requests {
		t.Errorf("%+v %+v", v.Env, v.Resources)
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
