package config

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
)

func TestCommentsOfTheSchemaArePublished(t *testing.T) {
	base := reflect.TypeFor[Config]().PkgPath()
	var source jsonschema.Reflector
	if err := source.AddGoComments(base, "."); err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for _, typ := range schemaTypes() {
		keys := []string{typ.Name()}
		for _, f := range fieldsOf(typ) {
			keys = append(keys, f.owner.Name()+"."+f.name)
		}
		for _, key := range keys {
			want[key] = source.CommentMap[base+"."+key]
			if want[key] == "" {
				t.Errorf("%s has no comment", key)
			}
		}
	}
	got, err := json.MarshalIndent(want, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "comments.json", append(got, '\n'))
}

// unit makes "8 KiB" and "256 B" of a comment what a tag says.
var unit = regexp.MustCompile(` (KiB|MiB|GiB|TiB|B)\b`)

func tagText(s string) string {
	s = strings.TrimSpace(unit.ReplaceAllString(s, "$1"))
	s = strings.Trim(s, `"`)
	if s == "1TiB" {
		return "1024GiB"
	}
	if n, ok := strings.CutSuffix(s, "B"); ok && isDigits(n) {
		return n
	}
	return s
}

const amount = `[0-9]+(?:ms|s|m|h)?(?: (?:KiB|MiB|GiB|TiB|B))?`

// undocumented lists the ranges that a comment words otherwise.
var undocumented = map[string]string{
	"Issuer.MaxLifetime":       "0s..",
	"LevelClaim.Map":           "1..2",
	"Site.MaxBodyBytes":        "0..",
	"Requirement.AccountLevel": "0..2",
	"Requirement.MaxAuthAge":   "0s..",
}

func TestRangesInCommentsAreTheOnesEnforced(t *testing.T) {
	text, err := loadManual()
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`(?:Default ` + amount + `|Required), (` + amount + `) to (` + amount + `)`)
	for _, typ := range schemaTypes() {
		for _, f := range fieldsOf(typ) {
			name := f.owner.Name() + "." + f.name
			enforced := f.least + ".." + f.most
			if f.items.most > 0 {
				enforced = reflect.StructTag(mustField(t, f).Tag).Get("items")
			}
			comment := strings.Join(strings.Fields(text[name]), " ")
			m := said.FindStringSubmatch(comment)
			switch {
			case undocumented[name] != "":
				if enforced != undocumented[name] {
					t.Errorf("%s: enforced %s, want %s", name, enforced, undocumented[name])
				}
			case m == nil && enforced != "..":
				t.Errorf("%s: range %s is not in the comment %q", name, enforced, comment)
			case m != nil && tagText(m[1])+".."+tagText(m[2]) != enforced:
				t.Errorf("%s: the comment says %s to %s, the tag %s", name, m[1], m[2], enforced)
			}
		}
	}
}

func TestDefaultsInCommentsAreTheOnesApplied(t *testing.T) {
	text, err := loadManual()
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`Default ("[^"]*"|\[[^]]*\]|\{[^}]*\}|` + amount + `|true|false)|"?(\w+)"? \(default\b`)
	for _, typ := range schemaTypes() {
		holder := reflect.New(typ).Elem()
		setDefaults(holder)
		for _, f := range fieldsOf(typ) {
			name := f.owner.Name() + "." + f.name
			comment := strings.Join(strings.Fields(text[name]), " ")
			m := said.FindStringSubmatch(comment)
			if m == nil {
				if f.defaults {
					t.Errorf("%s: the default %s is not in the comment %q", name, f.initial, comment)
				}
				continue
			}
			got := holder.FieldByIndex(f.index).Interface()
			want := documented(t, f.typ, m[1]+m[2])
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: the comment says %v, applied is %v", name, want, got)
			}
		}
	}
}

// documented reads a default as comments write it.
func documented(t *testing.T, typ reflect.Type, said string) any {
	v := reflect.New(typ).Elem()
	switch typ.Kind() {
	case reflect.Slice:
		for s := range strings.SplitSeq(strings.Trim(said, "[]"), ", ") {
			v.Set(reflect.Append(v, reflect.ValueOf(strings.Trim(s, `"`))))
		}
	case reflect.Map:
		if err := json.Unmarshal([]byte(said), v.Addr().Interface()); err != nil {
			t.Fatal(err)
		}
	default:
		if msg := setScalar(v, scalar{tagText(said), formUntyped}); msg != "" {
			t.Fatalf("%s: %s", said, msg)
		}
	}
	return v.Interface()
}

func mustField(t *testing.T, f field) reflect.StructField {
	sf, ok := f.owner.FieldByName(f.name)
	if !ok {
		t.Fatalf("no field %s", f.name)
	}
	return sf
}

func TestClosedSetsAreSpelledOutInComments(t *testing.T) {
	text, err := loadManual()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range schemaTypes() {
		for _, f := range fieldsOf(typ) {
			name := f.owner.Name() + "." + f.name
			switch f.set {
			case "", "algorithm":
				continue // the comment's default names the usual ones
			case "account kind":
				name = "KindClaim" // one place for all
				continue
			}
			for _, v := range closedSet(f.set) {
				if !strings.Contains(text[name], v) {
					t.Errorf("%s: %q is not in the comment", name, v)
				}
			}
		}
	}
}
