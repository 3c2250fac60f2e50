package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Reference returns the configuration reference as Markdown: a table for each
// section of the file, with the type, default and meaning of each field.
func Reference() []byte {
	text, err := loadManual()
	if err != nil {
		panic("BUG: embedded comments: " + err.Error())
	}
	var b strings.Builder
	b.WriteString(`# Configuration reference

Written by the program from the types of gateway/config; edit the comments there.

One YAML file states the configuration. Unknown and duplicate keys are faults.
A duration is a number with a unit (100ms, 30s, 5m, 1h30m), a size is a number
of bytes, alone or with KiB, MiB or GiB, and a moment is RFC 3339 with an
explicit offset (2024-07-01T00:00:00+07:00). Relative paths are relative to the
file's directory.

Every single value can be overridden by an environment variable: VNEID_GATEWAY_
and the field's path in upper case, joined by _, with the index for an element
of a list that the file has: VNEID_GATEWAY_ADMIN_ADDRESS,
VNEID_GATEWAY_LISTEN_0_ADDRESS. A flag beats the environment, which beats the
file.
`)
	writeSection(&b, text, reflect.TypeFor[Config](), "")
	return []byte(b.String())
}

// writeSection writes the fields of the struct t, which stands at the path at,
// and then the sections below it.
func writeSection(b *strings.Builder, text manual, t reflect.Type, at string) {
	title := "The file"
	if at != "" {
		title = "`" + at + "`"
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n| Field | Type | Default | Meaning |\n|---|---|---|---|\n", title, text.ofType(t))
	fields := fieldsOf(t)
	for _, f := range fields {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.key, typeText(f), defaultText(f),
			cell(meaning(text, f)))
	}
	for _, f := range fields {
		below := strings.TrimPrefix(at+"."+f.key, ".")
		switch {
		case isSection(f.typ):
			writeSection(b, text, f.typ, below)
		case f.typ.Kind() == reflect.Slice && isSection(f.typ.Elem()):
			writeSection(b, text, f.typ.Elem(), below+"[]")
		}
	}
}

// meaning is what the comment on f says, and whether a reload can change f.
func meaning(text manual, f field) string {
	if f.restart {
		return text.ofField(f.owner, f.name) + " A reload that changes it is refused: restart."
	}
	return text.ofField(f.owner, f.name)
}

// typeText says what is written for f, and the closed set it comes from.
func typeText(f field) string {
	s := wordType(f.typ)
	if f.set != "" {
		s += " of: " + strings.Join(closedSet(f.set), ", ")
	}
	return s
}

func wordType(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[time.Time]():
		return "moment"
	case reflect.TypeFor[Bytes]():
		return "size"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wordType(t.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.Int:
		return "integer"
	case reflect.Slice:
		if isSection(t.Elem()) {
			return "list of sections"
		}
		return "list"
	case reflect.Map:
		return "map"
	case reflect.Struct:
		return "section"
	}
	return "string"
}

// defaultText says what an absent f means; an absent section has the defaults
// of its fields.
func defaultText(f field) string {
	switch {
	case f.required:
		return "required"
	case f.defaults && f.typ.Kind() == reflect.Slice:
		return "`[" + strings.Join(quoteEmpty(strings.Split(f.initial, ",")), ", ") + "]`"
	case f.defaults && f.typ.Kind() == reflect.Map:
		return "`{" + strings.ReplaceAll(strings.ReplaceAll(f.initial, "=", ": "), ",", ", ") + "}`"
	case f.defaults:
		return "`" + f.initial + "`"
	}
	switch wordType(f.typ) {
	case "boolean":
		return "`false`"
	case "duration":
		return "`0s`"
	case "size", "integer":
		return "`0`"
	}
	return ""
}

func quoteEmpty(list []string) []string {
	for i, s := range list {
		if s == "" {
			list[i] = `""`
		}
	}
	return list
}

// cell makes text fit a cell of a Markdown table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(text)
}
