package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled returns the published schema, as an independent validator reads it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7) // the schema itself must say 2020-12
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.DraftVersion != 2020 {
		t.Errorf("draft %d", s.DraftVersion)
	}
	return s
}

// asJSON is what a JSON Schema validator sees of a YAML file.
func asJSON(t *testing.T, name string) any {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.YAMLToJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestAWorkingFileSatisfiesTheSchema(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	for _, name := range files(t, "working_*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			if err := schema.Validate(asJSON(t, name)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheSchemaRefusesWhatItCanState(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	for _, test := range []struct {
		name string
		edit func(doc map[string]any)
	}{
		{"unknown key", func(doc map[string]any) { doc["admim"] = map[string]any{} }},
		{"unknown key below", func(doc map[string]any) { site(doc)["rulez"] = []any{} }},
		{"missing section", func(doc map[string]any) { delete(doc, "sites") }},
		{"missing field", func(doc map[string]any) { delete(site(doc), "hosts") }},
		{"empty list", func(doc map[string]any) { site(doc)["hosts"] = []any{} }},
		{"outside a closed set", func(doc map[string]any) { site(doc)["mode"] = "enforced" }},
		{"outside a closed set in a list", func(doc map[string]any) { site(doc)["identity_headers"] = []any{"name"} }},
		{"out of range", func(doc map[string]any) { site(doc)["max_upstream_connections"] = json.Number("0") }},
		{"size out of range", func(doc map[string]any) { doc["limits"] = map[string]any{"token_bytes": json.Number("1")} }},
		{"bare number for a duration", func(doc map[string]any) { doc["shutdown"] = map[string]any{"delay": json.Number("5")} }},
		{"size in another unit", func(doc map[string]any) { doc["limits"] = map[string]any{"token_bytes": "8KB"} }},
		{"inlined field out of range", func(doc map[string]any) {
			site(doc)["rules"] = []any{map[string]any{"paths": []any{"/a"}, "account_level": json.Number("3")}}
		}},
		{"optional number out of range", func(doc map[string]any) {
			issuer(doc)["jwks"] = map[string]any{"unknown_key": map[string]any{"burst": json.Number("101")}}
		}},
		{"outside a closed set, two sections down", func(doc map[string]any) {
			issuer(doc)["introspection"] = map[string]any{"auth": "none"}
		}},
		{"key of another section", func(doc map[string]any) {
			issuer(doc)["jwks"] = map[string]any{"timeout": "5s"}
		}},
		{"moment without offset", func(doc map[string]any) {
			doc["cutover"] = []any{map[string]any{"accounts": []any{"citizen"}, "only": []any{"vneid"}, "from": "2024-07-01T00:00:00"}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			doc := asJSON(t, "testdata/working_minimal.yaml").(map[string]any)
			test.edit(doc)
			if schema.Validate(doc) == nil {
				t.Error("accepted")
			}
		})
	}
}

func issuer(doc map[string]any) map[string]any {
	return doc["issuers"].([]any)[0].(map[string]any)
}

func site(doc map[string]any) map[string]any {
	return doc["sites"].([]any)[0].(map[string]any)
}

func TestBustedFilesThatASchemaCanRefuseAreRefused(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	for _, name := range []string{"busted_missing.yaml", "busted_types.yaml", "busted_ranges.yaml", "busted_root.yaml"} {
		if schema.Validate(asJSON(t, filepath.Join("testdata", name))) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestTheSchemaDescribesEveryField(t *testing.T) {
	t.Parallel()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	properties := 0
	var visit func(v any, at string)
	visit = func(v any, at string) {
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		if props, ok := m["properties"].(map[string]any); ok {
			if m["additionalProperties"] != false {
				t.Errorf("%s admits unknown keys", at)
			}
			for key, p := range props {
				properties++
				if text, _ := p.(map[string]any)["description"].(string); !strings.HasSuffix(text, ".") {
					t.Errorf("%s.%s: description %q", at, key, text)
				}
			}
		}
		for key, child := range m {
			visit(child, at+"/"+key)
		}
	}
	visit(doc, "")
	if properties < 100 {
		t.Errorf("only %d properties", properties)
	}
}

func TestTheReferenceHasEverySectionAndField(t *testing.T) {
	t.Parallel()
	text := string(Reference())
	for _, typ := range schemaTypes() {
		for _, f := range fieldsOf(typ) {
			if !strings.Contains(text, "\n| `"+f.key+"` | ") {
				t.Errorf("%s.%s is missing", typ.Name(), f.key)
			}
		}
	}
	for _, heading := range []string{"## The file", "## `sites[].rules[]`", "## `issuers[].claims.account_kind`", "## `issuers[].jwks.unknown_key`"} {
		if !strings.Contains(text, "\n"+heading+"\n") {
			t.Errorf("%s is missing", heading)
		}
	}
}
