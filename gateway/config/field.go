package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// field is what the tags of one schema field say.
type field struct {
	owner    reflect.Type // the struct that declares it
	name     string       // in Go
	key      string       // in YAML
	index    []int        // from the struct asked about, through inlined ones
	typ      reflect.Type
	initial  string // the default, as text
	defaults bool   // whether there is one
	set      string // the closed set, or ""
	least    string // bounds of a number, or ""
	most     string
	items    limits // bounds of a list's or map's length
	required bool
	blank    bool
	restart  bool // a running gateway cannot change it
}

// limits is an inclusive interval; most < 0 is unbounded.
type limits struct{ least, most int }

// fieldsOf lists the fields of the schema struct t, inlined ones included, in
// the order of their declaration. A malformed tag is a bug and panics.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() {
			continue
		}
		key, option, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if option == "inline" {
			for _, f := range fieldsOf(sf.Type) {
				f.index = append([]int{i}, f.index...)
				out = append(out, f)
			}
			continue
		}
		if key == "" {
			panic("BUG: no yaml tag on " + t.Name() + "." + sf.Name)
		}
		f := field{
			owner: t, name: sf.Name, key: key, index: []int{i}, typ: sf.Type,
			set:      sf.Tag.Get("enum"),
			required: sf.Tag.Get("required") == "yes",
			blank:    sf.Tag.Get("blank") == "yes",
			restart:  sf.Tag.Get("restart") == "yes",
			items:    limits{0, -1},
		}
		f.initial, f.defaults = sf.Tag.Lookup("default")
		f.least, f.most, _ = strings.Cut(sf.Tag.Get("range"), "..")
		if text, ok := sf.Tag.Lookup("items"); ok {
			least, most, _ := strings.Cut(text, "..")
			f.items.least = atoi(least)
			if most != "" {
				f.items.most = atoi(most)
			}
		}
		out = append(out, f)
	}
	return out
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("BUG: number in a tag: " + s)
	}
	return n
}

// keysOf lists the YAML keys of fields.
func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

// setDefaults gives every field below the struct v the value that its default
// tag states. Lists of structs stay empty: their elements get their defaults
// when they are decoded.
func setDefaults(v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		fv := v.FieldByIndex(f.index)
		if !f.defaults {
			if isSection(f.typ) {
				setDefaults(fv)
			}
			continue
		}
		switch f.typ.Kind() {
		case reflect.Slice:
			for part := range strings.SplitSeq(f.initial, ",") {
				fv.Set(reflect.Append(fv, reflect.ValueOf(part)))
			}
		case reflect.Map:
			fv.Set(reflect.MakeMap(f.typ))
			for part := range strings.SplitSeq(f.initial, ",") {
				k, text, _ := strings.Cut(part, "=")
				ev := reflect.New(f.typ.Elem()).Elem()
				mustSet(ev, text)
				fv.SetMapIndex(reflect.ValueOf(k), ev)
			}
		default:
			mustSet(fv, f.initial)
		}
	}
}

func mustSet(v reflect.Value, text string) {
	if msg := setScalar(v, scalar{text: text, form: formUntyped}); msg != "" {
		panic("BUG: default tag " + text + ": " + msg)
	}
}

// isSection tells whether t is a struct of the schema, rather than a scalar.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]()
}
