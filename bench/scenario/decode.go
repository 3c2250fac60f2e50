package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// field is what the tags of a field of the schema say.
type field struct {
	key, initial, choice, bounds string
	required                     bool
	index                        int
}

func fieldsOf(t reflect.Type) []field {
	fields := make([]field, t.NumField())
	for i := range fields {
		tag := t.Field(i).Tag
		fields[i] = field{tag.Get("yaml"), tag.Get("default"), tag.Get("enum"), tag.Get("range"), tag.Get("required") == "yes", i}
	}
	return fields
}

// setDefaults gives fields the values that their tags say.
func setDefaults(v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		switch fv := v.Field(f.index); {
		case fv.Kind() == reflect.Struct:
			setDefaults(fv)
		case f.initial != "":
			if says := setScalar(fv, f.initial, f); says != "" {
				panic("BUG: default of " + f.key + ": " + says)
			}
		}
	}
}

// decode stores a node in v, the field called path.
func decode(n ast.Node, v reflect.Value, path string, f field, r *report) {
	switch {
	case n == nil || n.Type() == ast.NullType:
		r.at(path, "has no value; give one or remove the key")
	case v.Kind() == reflect.Struct:
		decodeStruct(n, v, path, r)
	case v.Kind() == reflect.Slice:
		decodeList(n, v, path, f, r)
	case v.Kind() == reflect.Map:
		decodeShares(n, v, path, r)
	default:
		text, ok := scalarOf(n)
		if !ok {
			r.at(path, "must be a single value, not a list or a mapping")
			return
		}
		if says := setScalar(v, text, f); says != "" {
			r.at(path, "%s", says)
		}
	}
}

func decodeStruct(n ast.Node, v reflect.Value, path string, r *report) {
	fields := fieldsOf(v.Type())
	for key, value := range entries(n, path, r) {
		at := join(path, key)
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		if i < 0 {
			r.at(at, "is no field; allowed here: %s", keysOf(fields))
			continue
		}
		decode(value, v.Field(fields[i].index), at, fields[i], r)
	}
	for _, f := range fields {
		if _, stated := r.stated[join(path, f.key)]; f.required && !stated {
			r.at(join(path, f.key), "is required")
		}
	}
}

func decodeList(n ast.Node, v reflect.Value, path string, f field, r *report) {
	list, ok := n.(*ast.SequenceNode)
	if one, single := scalarOf(n); single && v.Type() == reflect.TypeFor[Codes]() {
		v.Set(reflect.ValueOf(Codes{one}))
		return
	}
	if !ok {
		r.at(path, `must be a list; write [a, b] or one "- a" a line`)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
	for i, item := range list.Values {
		at := path + "[" + strconv.Itoa(i) + "]"
		r.stated[at] = nodePosition(item)
		if v.Index(i).Kind() == reflect.Struct {
			setDefaults(v.Index(i))
		}
		decode(item, v.Index(i), at, f, r)
	}
}

// decodeShares stores a mapping of names to shares.
func decodeShares(n ast.Node, v reflect.Value, path string, r *report) {
	v.Set(reflect.MakeMap(v.Type()))
	for key, value := range entries(n, path, r) {
		share := reflect.New(v.Type().Elem()).Elem()
		decode(value, share, join(path, key), field{bounds: "0..1"}, r)
		v.SetMapIndex(reflect.ValueOf(key), share)
	}
}

// entries goes through a mapping, and notes where its keys are.
func entries(n ast.Node, path string, r *report) func(yield func(string, ast.Node) bool) {
	return func(yield func(string, ast.Node) bool) {
		var values []*ast.MappingValueNode
		switch n := n.(type) {
		case *ast.MappingNode:
			values = n.Values
		case *ast.MappingValueNode:
			values = []*ast.MappingValueNode{n}
		default:
			r.at(path, "must be a mapping (key: value)")
			return
		}
		for _, entry := range values {
			t := entry.Key.GetToken()
			at := join(path, t.Value)
			if before, twice := r.stated[at]; twice {
				r.put(tokenPosition(t), at, "stands here a second time; first in line %d", before.line)
				continue
			}
			r.stated[at] = tokenPosition(t)
			if !yield(t.Value, entry.Value) {
				return
			}
		}
	}
}

// scalarOf returns the text of a single value.
func scalarOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.Join(strings.Fields(n.Value.Value), " "), true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// setScalar stores text in v. It returns "" or what is wrong.
func setScalar(v reflect.Value, text string, f field) string {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return setScalar(v.Elem(), text, f)
	}
	quoted := strconv.Quote(text[:min(len(text), 80)])
	if v.Type() == reflect.TypeFor[time.Duration]() {
		least, most, _ := strings.Cut(f.bounds, "..")
		d, err := time.ParseDuration(text)
		if err != nil {
			return quoted + " is no duration; write one such as 100ms, 30s or 5m"
		}
		if d < mustDuration(least) || d > mustDuration(most) {
			return fmt.Sprintf("%s is not allowed; allowed: %s to %s", text, least, most)
		}
		v.SetInt(int64(d))
		return ""
	}
	var number float64
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		if f.choice != "" && !slices.Contains(strings.Split(f.choice, ", "), text) {
			return quoted + " is not allowed; allowed: " + f.choice
		}
		return ""
	case reflect.Int, reflect.Int64:
		var whole int64
		whole, err = strconv.ParseInt(text, 10, 64)
		number = float64(whole)
		v.SetInt(whole)
	case reflect.Uint64:
		var whole uint64
		whole, err = strconv.ParseUint(text, 10, 64)
		v.SetUint(whole)
	case reflect.Float64:
		number, err = strconv.ParseFloat(text, 64)
		v.SetFloat(number)
	default:
		panic("BUG: no value of the schema: " + v.Type().String())
	}
	if err != nil {
		return quoted + " is no number that is allowed here" + allowed(f.bounds)
	}
	if least, most, bounded := strings.Cut(f.bounds, ".."); bounded && !(number >= mustNumber(least) && number <= mustNumber(most)) {
		return text + " is not allowed" + allowed(f.bounds)
	}
	return ""
}

func allowed(bounds string) string {
	if bounds == "" {
		return "; write decimal digits"
	}
	return "; allowed: " + strings.Replace(bounds, "..", " to ", 1)
}

func mustDuration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic("BUG: bounds: " + text)
	}
	return d
}

func mustNumber(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("BUG: bounds: " + text)
	}
	return n
}

func keysOf(fields []field) string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return strings.Join(keys, ", ")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func nodePosition(n ast.Node) position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return tokenPosition(n.Values[0].Key.GetToken())
		}
		return tokenPosition(n.Start)
	case *ast.MappingValueNode:
		return tokenPosition(n.Key.GetToken())
	}
	return tokenPosition(n.GetToken())
}

func tokenPosition(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{t.Position.Line, t.Position.Column}
}
