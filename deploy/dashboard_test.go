package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/goccy/go-yaml"

	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
)

const dashboardFile = "grafana/vneid-gateway.json"

type dashboard struct {
	SchemaVersion int     `json:"schemaVersion"`
	Panels        []panel `json:"panels"`
	Templating    struct {
		List []struct {
			Name       string     `json:"name"`
			Type       string     `json:"type"`
			Definition string     `json:"definition"`
			Datasource datasource `json:"datasource"`
		} `json:"list"`
	} `json:"templating"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Datasource  datasource `json:"datasource"`
	Panels      []panel    `json:"panels"`
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []struct {
		RefID      string     `json:"refId"`
		Expr       string     `json:"expr"`
		Datasource datasource `json:"datasource"`
	} `json:"targets"`
}

// readDashboard returns the dashboard and its panels, rows apart.
func readDashboard(t *testing.T) (d dashboard, panels, rows []panel) {
	t.Helper()
	data, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &d, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	var walk func([]panel)
	walk = func(list []panel) {
		for _, p := range list {
			if p.Type == "row" {
				rows = append(rows, p)
				walk(p.Panels)
				continue
			}
			panels = append(panels, p)
		}
	}
	walk(d.Panels)
	if len(panels) == 0 || len(rows) == 0 {
		t.Fatalf("%d panels, %d rows", len(panels), len(rows))
	}
	return d, panels, rows
}

func TestDashboardBeginsWithWhatCitizensSee(t *testing.T) {
	t.Parallel()
	d, _, _ := readDashboard(t)
	if first := d.Panels[0]; first.Type != "row" || first.Title != "What citizens see" {
		t.Errorf("the first panel is %s %q", first.Type, first.Title)
	}
}

func TestDashboardPanelsExplainThemselves(t *testing.T) {
	t.Parallel()
	d, panels, rows := readDashboard(t)
	if d.SchemaVersion < 38 {
		t.Errorf("schema version %d is older than Grafana 10", d.SchemaVersion)
	}
	ids, titles := make(map[int]bool), make(map[string]bool)
	for _, p := range slices.Concat(panels, rows) {
		if p.Title == "" || titles[p.Title] {
			t.Errorf("panel %d: title %q is empty or there twice", p.ID, p.Title)
		}
		if p.ID == 0 || ids[p.ID] {
			t.Errorf("%s: id %d is none or there twice", p.Title, p.ID)
		}
		ids[p.ID], titles[p.Title] = true, true
	}
	for _, p := range panels {
		if !strings.HasSuffix(p.Description, ".") {
			t.Errorf("%s: description %q is no sentence", p.Title, p.Description)
		}
		if p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("%s: no unit", p.Title)
		}
		if len(p.Targets) == 0 {
			t.Errorf("%s: no query", p.Title)
		}
	}
}

func TestDashboardPanelsDoNotOverlap(t *testing.T) {
	t.Parallel()
	_, panels, rows := readDashboard(t)
	taken := make(map[[2]int]string)
	for _, p := range slices.Concat(panels, rows) {
		if p.GridPos.W <= 0 || p.GridPos.H <= 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s: placed at %+v", p.Title, p.GridPos)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other, is := taken[at]; is {
					t.Fatalf("%s covers %s", p.Title, other)
				}
				taken[at] = p.Title
			}
		}
	}
}

func TestDashboardWorksWithAnyDataSource(t *testing.T) {
	t.Parallel()
	want := datasource{"prometheus", "${datasource}"}
	d, panels, _ := readDashboard(t)
	variables := make(map[string]bool)
	for _, v := range d.Templating.List {
		variables[v.Name] = true
		if v.Type == "query" && v.Datasource != want {
			t.Errorf("variable %s: data source %+v", v.Name, v.Datasource)
		}
	}
	for _, name := range []string{"datasource", "site", "issuer", "instance"} {
		if !variables[name] {
			t.Errorf("no variable %s", name)
		}
	}
	data, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	// Grafana's own source of annotations, and the dashboard itself.
	fixed := []string{want.UID, "-- Grafana --", "vneid-gateway"}
	for _, m := range regexp.MustCompile(`"uid":\s*"([^"]*)"`).FindAllStringSubmatch(string(data), -1) {
		if !slices.Contains(fixed, m[1]) {
			t.Errorf("uid %q is one installation's", m[1])
		}
	}
	variable := regexp.MustCompile(`\$\{?([a-z_]+)`)
	for _, p := range panels {
		if p.Datasource != want {
			t.Errorf("%s: data source %+v", p.Title, p.Datasource)
		}
		for _, target := range p.Targets {
			if target.Datasource != want {
				t.Errorf("%s %s: data source %+v", p.Title, target.RefID, target.Datasource)
			}
			for _, m := range variable.FindAllStringSubmatch(target.Expr, -1) {
				if !variables[m[1]] && m[1] != "__rate_interval" {
					t.Errorf("%s %s: no variable %s", p.Title, target.RefID, m[1])
				}
			}
		}
	}
}

func TestDashboardQueriesNameExportedSeriesOnly(t *testing.T) {
	t.Parallel()
	known := withRecords(exported(t), nil)
	d, panels, _ := readDashboard(t)
	for _, p := range panels {
		for _, target := range p.Targets {
			for _, fault := range parseQuery(target.Expr).faults(known) {
				t.Errorf("%s %s: %s", p.Title, target.RefID, fault)
			}
		}
	}
	values := regexp.MustCompile(`^label_values\(([a-z_]+), ([a-z]+)\)$`)
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		m := values.FindStringSubmatch(v.Definition)
		if m == nil {
			t.Errorf("variable %s: %q", v.Name, v.Definition)
			continue
		}
		labels, ok := known[m[1]]
		if _, has := labels[m[2]]; !ok || !has && !slices.Contains(targetLabels, m[2]) {
			t.Errorf("variable %s: no %s of %s", v.Name, m[2], m[1])
		}
	}
}

// Grafana tells of a faulty query when somebody needs it. Prometheus parses
// each as the expression of a rule.
func TestDashboardQueriesAreAcceptedByPrometheus(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	_, panels, _ := readDashboard(t)
	var recordings []map[string]string
	for _, p := range panels {
		for _, target := range p.Targets {
			recordings = append(recordings, map[string]string{
				"record": "panel:" + strconv.Itoa(p.ID) + ":" + target.RefID,
				"expr":   strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"),
			})
		}
	}
	data, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": recordings}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dashboard.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, promtool, "check", "rules", file)
}

// A metric that nobody looks at is either missing here or should not be there.
func TestEveryMetricOfTheGatewayIsOnTheDashboard(t *testing.T) {
	t.Parallel()
	shown := make(map[string]bool)
	_, panels, _ := readDashboard(t)
	for _, p := range panels {
		for _, target := range p.Targets {
			for _, s := range parseQuery(target.Expr).selectors {
				shown[family(s.metric)] = true
			}
		}
	}
	for name := range exported(t) {
		if strings.HasPrefix(name, metrics.Namespace) && !shown[family(name)] {
			t.Errorf("%s is on no panel", family(name))
		}
	}
}
