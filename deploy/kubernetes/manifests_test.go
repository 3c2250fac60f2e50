package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// object is one of Kubernetes', as JSON has it.
type object map[string]any

// at returns what lies at a path of names, indexes of lists left out where they
// have one element; nil where there is nothing.
func at(v any, path ...string) any {
	for _, name := range path {
		if list, ok := v.([]any); ok && len(list) == 1 {
			v = list[0]
		}
		switch m := v.(type) {
		case object:
			v = m[name]
		case map[string]any:
			v = m[name]
		default:
			return nil
		}
	}
	return v
}

func (o object) String() string {
	kind, _ := o["kind"].(string)
	name, _ := at(o, "metadata", "name").(string)
	return kind + "/" + name
}

// decode reads the objects of a stream of YAML.
func decode(t *testing.T, name string, data []byte) (all []object) {
	t.Helper()
	d := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v == nil {
			continue
		}
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var o object
		if err := json.Unmarshal(raw, &o); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, o)
	}
}

// sources returns the objects of all files by name, without kustomizations,
// patches, the gateway's configuration and plans.
func sources(t *testing.T) map[string][]object {
	t.Helper()
	all := map[string][]object{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "testdata":
			return fs.SkipDir
		case filepath.Ext(name) != ".yaml" || slices.Contains(notObjects, name) || entry.Name() == "kustomization.yaml":
			return nil
		}
		all[name] = decode(t, name, readFile(t, name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 14 {
		t.Fatalf("%d files", len(all))
	}
	return all
}

// notObjects are files of another form: they are tested by what becomes of them.
var notObjects = []string{"gateway/gateway.yaml", "gateway/plan.yaml", "gateway/replacements.yaml", "bench/target/gateway.yaml"}

// source returns one object of a file.
func source(t *testing.T, name, kind string) object {
	t.Helper()
	for _, o := range decode(t, name, readFile(t, name)) {
		if o["kind"] == kind {
			return o
		}
	}
	t.Fatalf("%s has no %s", name, kind)
	return nil
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// kustomizations are the directories that kubectl apply -k takes.
var kustomizations = []string{"gateway", "testdata/monitored", "bench/corpus", "bench/target", "bench/jobs", "bench/merge", "bench/k6"}

// rendered returns the objects of a kustomization, as the real kustomize makes them:
// that of $KUSTOMIZE or dist/kustomize (make kustomize), which continuous
// integration has, or kubectl's.
func rendered(t *testing.T, dir string) []object {
	t.Helper()
	command := kustomize(t)
	cmd := exec.CommandContext(t.Context(), command[0], append(command[1:], dir)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", strings.Join(command, " "), dir, err, stderr.String())
	}
	return decode(t, dir, out)
}

func kustomize(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts kustomize")
	}
	if program := os.Getenv("KUSTOMIZE"); program != "" {
		return []string{program, "build"}
	}
	dist, err := filepath.Abs("../../dist/kustomize")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dist); err == nil {
		return []string{dist, "build"}
	}
	if kubectl, err := exec.LookPath("kubectl"); err == nil {
		return []string{kubectl, "kustomize"}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no dist/kustomize: make kustomize")
	}
	t.Skip("no dist/kustomize: make kustomize, or name one in KUSTOMIZE")
	return nil
}
