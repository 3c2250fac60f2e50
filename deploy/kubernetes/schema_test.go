package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// documents says where the OpenAPI documents of Kubernetes' API server are: in the
// module of kubectl-validate, of which nothing is built.
func documents(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-modfile=.tools/kubernetes.mod", "-json")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	var module struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &module)
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: %s", err, out)
		}
		t.Skipf("the module of the schemas cannot be had: %v", err)
	}
	return filepath.Join(module.Dir, "pkg/openapiclient/builtins/1.30")
}

// own are schemas of kinds that operators bring.
var own = map[string]string{
	"k6.io/v1alpha1 TestRun":              "testdata/testrun.schema.json",
	"monitoring.coreos.com/v1 PodMonitor": "testdata/podmonitor.schema.json",
}

// schemas are those of objects by apiVersion and kind.
type schemas struct {
	dir      string
	compiler *jsonschema.Compiler
	known    map[string]*jsonschema.Schema
}

func newSchemas(t *testing.T) *schemas {
	return &schemas{dir: documents(t), compiler: jsonschema.NewCompiler(), known: map[string]*jsonschema.Schema{}}
}

// of returns the schema of an object.
func (s *schemas) of(t *testing.T, o object) *jsonschema.Schema {
	t.Helper()
	version, _ := o["apiVersion"].(string)
	kind, _ := o["kind"].(string)
	key := version + " " + kind
	if schema := s.known[key]; schema != nil {
		return schema
	}
	var location string
	if file, ok := own[key]; ok {
		// Those refer to types of these two.
		s.document(t, "v1")
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(readFile(t, file)))
		if err != nil {
			t.Fatal(err)
		}
		location = "mem:///" + filepath.Base(file)
		if err := s.compiler.AddResource(location, doc); err != nil {
			t.Fatal(err)
		}
	} else {
		doc := s.document(t, version)
		for name, schema := range at(doc, "components", "schemas").(map[string]any) {
			list, _ := at(schema, "x-kubernetes-group-version-kind").([]any)
			for _, gvk := range list {
				if at(gvk, "kind") == kind && strings.TrimPrefix(at(gvk, "group").(string)+"/"+at(gvk, "version").(string), "/") == version {
					location = "mem:///" + version + "#/components/schemas/" + name
				}
			}
		}
		if location == "" {
			t.Fatalf("%s is none of Kubernetes'", key)
		}
	}
	schema, err := s.compiler.Compile(location)
	if err != nil {
		t.Fatal(err)
	}
	s.known[key] = schema
	return schema
}

// document reads the OpenAPI document of an apiVersion, made strict.
func (s *schemas) document(t *testing.T, version string) any {
	t.Helper()
	file := filepath.Join(s.dir, "apis", version+".json")
	if !strings.Contains(version, "/") {
		file = filepath.Join(s.dir, "api", version+".json")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(readFile(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	strict(doc)
	if s.known[version] == nil {
		if err := s.compiler.AddResource("mem:///"+version, doc); err != nil && !strings.Contains(err.Error(), "already exists") {
			t.Fatal(err)
		}
	}
	return doc
}

// strict refuses fields that a type does not have, as kubectl does. A type without
// fields of its own, such as a quantity, and one that takes any, stay as they are.
func strict(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			strict(e)
		}
	case map[string]any:
		if _, fields := v["properties"].(map[string]any); fields && v["type"] == "object" {
			if _, open := v["additionalProperties"]; !open {
				v["additionalProperties"] = false
			}
		}
		for _, e := range v {
			strict(e)
		}
	}
}

func (s *schemas) check(t *testing.T, where string, o object) {
	t.Helper()
	if err := s.of(t, o).Validate(map[string]any(o)); err != nil {
		t.Errorf("%s: %s: %v", where, o, err)
	}
}

func TestManifestsAreObjectsOfTheKubernetesAPI(t *testing.T) {
	t.Parallel()
	s := newSchemas(t)
	for name, objects := range sources(t) {
		for _, o := range objects {
			s.check(t, name, o)
		}
	}
}

func TestWhatKustomizeMakesAreObjectsOfTheKubernetesAPI(t *testing.T) {
	t.Parallel()
	kustomize(t)
	s := newSchemas(t)
	for _, dir := range kustomizations {
		objects := rendered(t, dir)
		if len(objects) == 0 {
			t.Errorf("%s: no object", dir)
		}
		for _, o := range objects {
			s.check(t, dir, o)
		}
	}
}

// The check must be able to fail.
func TestManifestsThatKubernetesWouldRefuseAreRefused(t *testing.T) {
	t.Parallel()
	s := newSchemas(t)
	const name = "gateway/deployment.yaml"
	for what, spoil := range map[string]func(o object){
		"an unknown field":       func(o object) { o["spec"].(map[string]any)["replica"] = 3 },
		"a misspelt probe":       func(o object) { container(o)["livenessprobe"] = map[string]any{} },
		"a number for a string":  func(o object) { container(o)["image"] = 3.0 },
		"a missing field":        func(o object) { delete(o["spec"].(map[string]any), "selector") },
		"a string for a boolean": func(o object) { podSpec(o)["enableServiceLinks"] = "no" },
	} {
		o := source(t, name, "Deployment")
		s.check(t, name, o)
		spoil(o)
		if err := s.of(t, o).Validate(map[string]any(o)); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	run := source(t, "bench/k6/testrun.yaml", "TestRun")
	at(run, "spec", "runner").(map[string]any)["image"] = nil
	if err := s.of(t, run).Validate(map[string]any(run)); err == nil {
		t.Error("a TestRun without an image was accepted")
	}
}

// podSpec is the Pod of a Deployment or Job.
func podSpec(o object) map[string]any {
	return at(o, "spec", "template", "spec").(map[string]any)
}

// container is the first one of a Deployment or Job.
func container(o object) map[string]any {
	return podSpec(o)["containers"].([]any)[0].(map[string]any)
}
