package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON Schema (draft 2020-12) of a configuration file, as
// indented JSON that ends in a newline. A file that Parse accepts satisfies
// it; the reverse does not hold, since a schema cannot state what relates one
// field to another.
func Schema() ([]byte, error) {
	text, err := loadManual()
	if err != nil {
		return nil, fmt.Errorf("config: embedded comments: %w", err)
	}
	reflector := jsonschema.Reflector{
		Anonymous:                  true,
		ExpandedStruct:             true,
		RequiredFromJSONSchemaTags: true,
		FieldNameTag:               "yaml",
		Mapper:                     scalarSchema,
		LookupComment: func(t reflect.Type, name string) string {
			if name == "" {
				return text.ofType(t)
			}
			return text.ofField(t, name)
		},
	}
	root := reflector.ReflectFromType(reflect.TypeFor[Config]())
	root.Title = "VNeID Gateway configuration"
	for _, t := range schemaTypes() {
		s := root.Definitions[t.Name()]
		if t == reflect.TypeFor[Config]() {
			s = root
		}
		for _, f := range fieldsOf(t) {
			property, ok := s.Properties.Get(f.key)
			if !ok {
				return nil, fmt.Errorf("config: %s.%s is missing from the schema", t.Name(), f.name)
			}
			refine(property, f)
			if f.required {
				s.Required = append(s.Required, f.key)
			}
		}
	}
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("config: schema: %w", err)
	}
	return append(out, '\n'), nil
}

// scalarSchema is the schema of the scalars that are more than a JSON type, or
// nil for every other type.
func scalarSchema(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{
			Type:    "string",
			Pattern: `^[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`,
		}
	case reflect.TypeFor[Bytes]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Type: "integer"},
			{Type: "string", Pattern: `^[0-9]+( ?(KiB|MiB|GiB))?$`},
		}}
	}
	return nil
}

// refine adds to the schema s of a field what its tags say.
func refine(s *jsonschema.Schema, f field) {
	value := s // of one scalar
	switch f.typ.Kind() {
	case reflect.Slice:
		value = s.Items
		s.MinItems, s.MaxItems = count(f.items.least), count(f.items.most)
		s.UniqueItems = f.typ.Elem().Kind() == reflect.String
	case reflect.Map:
		value = s.AdditionalProperties
		s.MinProperties, s.MaxProperties = count(f.items.least), count(f.items.most)
	}
	if f.set != "" {
		value.Enum = enum(f)
	}
	scalarType := f.typ
	if f.typ.Kind() == reflect.Map || f.typ.Kind() == reflect.Pointer {
		scalarType = f.typ.Elem()
	}
	switch {
	case scalarType == reflect.TypeFor[Bytes]():
		refineNumber(value.AnyOf[0], f, scalarType)
	case scalarType.Kind() == reflect.Int:
		refineNumber(value, f, scalarType)
	}
	if f.defaults {
		s.Default = jsonDefault(f)
	} else if f.typ.Kind() == reflect.Bool {
		s.Default = false
	}
}

// count is n for a keyword that is absent where n bounds nothing.
func count(n int) *uint64 {
	if n <= 0 {
		return nil
	}
	u := uint64(n)
	return &u
}

// enum lists the values that a field, or each of its elements, may have.
func enum(f field) []any {
	var out []any
	for _, v := range closedSet(f.set) {
		out = append(out, v)
	}
	if f.typ.Kind() == reflect.String && !f.defaults {
		out = append(out, "")
	}
	return out
}

func refineNumber(s *jsonschema.Schema, f field, t reflect.Type) {
	least, most := f.bounds(t)
	if f.least != "" {
		s.Minimum = json.Number(strconv.FormatInt(least, 10))
	}
	if f.most != "" {
		s.Maximum = json.Number(strconv.FormatInt(most, 10))
	}
}

// jsonDefault is the default of f as a file would state it.
func jsonDefault(f field) any {
	holder := reflect.New(f.owner).Elem()
	setDefaults(holder)
	v := holder.FieldByName(f.name)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Interface().(type) {
	case time.Duration, Bytes:
		return f.initial
	}
	return v.Interface()
}
