package config

import (
	_ "embed"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
)

// commentsJSON holds the comments of the schema's types ("Site") and fields
// ("Site.Hosts"), for programs that run where the source is not. A test keeps
// it equal to the source; go generate rewrites it.
//
//go:embed comments.json
var commentsJSON []byte

// manual is the text of the configuration manual.
type manual map[string]string

func loadManual() (manual, error) {
	var m manual
	if err := json.Unmarshal(commentsJSON, &m); err != nil {
		return nil, err
	}
	return m, nil
}

// ofType is what the schema struct t is, in one sentence, or "".
func (m manual) ofType(t reflect.Type) string {
	return m.inYAML(m[t.Name()])
}

// ofField is what the field name of the schema struct t means, without the
// "Name is" that the comment begins with.
func (m manual) ofField(t reflect.Type, name string) string {
	text := m[t.Name()+"."+name]
	if rest, ok := strings.CutPrefix(text, name+" "); ok {
		rest = strings.TrimPrefix(rest, "is ")
		text = strings.ToUpper(rest[:1]) + rest[1:]
	}
	return m.inYAML(text)
}

// inYAML joins the lines of a comment, and says fields' names as the file
// does where the comment links to them as [Type.Field].
func (m manual) inYAML(text string) string {
	link := regexp.MustCompile(`\[(\w+)\.(\w+)\]`)
	text = link.ReplaceAllStringFunc(text, func(s string) string {
		parts := link.FindStringSubmatch(s)
		for _, t := range schemaTypes() {
			if t.Name() == parts[1] {
				return "`" + yamlKey(t, parts[2]) + "`"
			}
		}
		return s
	})
	return strings.Join(strings.Fields(text), " ")
}

func yamlKey(t reflect.Type, name string) string {
	for _, f := range fieldsOf(t) {
		if f.name == name {
			return f.key
		}
	}
	panic("BUG: a comment links to the unknown field " + t.Name() + "." + name)
}

// schemaTypes lists every struct of the schema, Config first.
func schemaTypes() []reflect.Type {
	var out []reflect.Type
	seen := make(map[reflect.Type]bool)
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		if t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if !isSection(t) || seen[t] {
			return
		}
		seen[t] = true
		out = append(out, t)
		for _, f := range fieldsOf(t) {
			visit(f.typ)
		}
	}
	visit(reflect.TypeFor[Config]())
	return out
}
