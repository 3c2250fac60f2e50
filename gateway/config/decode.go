package config

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decode stores the node n, which is the field p, in v, and adds what cannot
// be stored to r. It goes no deeper than the Go types do.
func decode(n ast.Node, v reflect.Value, p *path, r *report) {
	switch n.(type) {
	case *ast.NullNode:
		r.decode(r.position(n.GetToken()), p, "has no value; give one or remove the key")
		return
	case nil:
		r.decode(r.places.find(p), p, "has no value; give one or remove the key")
		return
	}
	switch {
	case isSection(v.Type()):
		decodeSection(n, v, p, r)
	case v.Kind() == reflect.Slice:
		decodeList(n, v, p, r)
	case v.Kind() == reflect.Map:
		decodeMap(n, v, p, r)
	default:
		s, ok := scalarOf(n)
		if !ok {
			r.decode(r.nodePlace(n), p, "must be a single value, not %s", describe(n))
			return
		}
		if msg := setScalar(v, s); msg != "" {
			r.decode(r.nodePlace(n), p, "%s", msg)
		}
	}
}

func decodeSection(n ast.Node, v reflect.Value, p *path, r *report) {
	fields := fieldsOf(v.Type())
	eachEntry(n, p, r, func(key string, at place, value ast.Node) *path {
		for _, f := range fields {
			if f.key == key {
				q := p.key(key)
				if r.places.has(q) {
					return q
				}
				where := at
				if _, single := scalarOf(value); single {
					where = r.nodePlace(value)
				}
				r.places.set(q, where)
				decode(value, v.FieldByIndex(f.index), q, r)
				return nil
			}
		}
		q := p.entry(clip(key))
		if isToken(key) {
			q = p.key(clip(key))
		}
		r.put(at, q, "unknown key%s", unknownHint(key, keysOf(fields)))
		return nil
	})
}

// unknownHint suggests the known key nearest to key, or lists the known ones.
func unknownHint(key string, known []string) string {
	if hint := didYouMean(strings.ToLower(key), known); hint != "" {
		return hint
	}
	return "; known here: " + strings.Join(known, ", ")
}

func decodeMap(n ast.Node, v reflect.Value, p *path, r *report) {
	fresh := reflect.MakeMap(v.Type())
	eachEntry(n, p, r, func(key string, at place, value ast.Node) *path {
		q := p.entry(key)
		if r.places.has(q) {
			return q
		}
		r.places.set(q, r.valuePlace(value, at))
		ev := reflect.New(v.Type().Elem()).Elem()
		decode(value, ev, q, r)
		if !r.incomplete(q) {
			fresh.SetMapIndex(reflect.ValueOf(key), ev)
		}
		return nil
	})
	if !r.broken[p.String()] {
		v.Set(fresh)
	}
}

// eachEntry calls fn for each entry of the mapping n, in order. fn returns the
// field that the key repeats, or nil.
func eachEntry(n ast.Node, p *path, r *report, fn func(key string, at place, value ast.Node) *path) {
	var entries []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		r.decode(r.nodePlace(n), p, "must be a mapping (key: value), not %s", describe(n))
		return
	}
	for _, e := range entries {
		t := e.Key.GetToken()
		at := r.position(t)
		if again := fn(t.Value, at, e.Value); again != nil {
			r.put(at, again, "duplicate key; first set in line %d", r.places.find(again).line)
		}
	}
}

func decodeList(n ast.Node, v reflect.Value, p *path, r *report) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		r.decode(r.nodePlace(n), p, "must be a list, not %s; write [a, b] or one \"- a\" a line", describe(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, item := range seq.Values {
		q := p.index(i)
		r.places.set(q, r.valuePlace(item, r.places.find(p)))
		ev := list.Index(i)
		if isSection(ev.Type()) {
			setDefaults(ev)
		}
		decode(item, ev, q, r)
	}
	v.Set(list)
}

// scalarOf returns the scalar that n is, if it is one.
func scalarOf(n ast.Node) (scalar, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return scalar{n.Value, formString}, true
	case *ast.LiteralNode:
		return scalar{n.Value.Value, formString}, true
	case *ast.BoolNode:
		return scalar{n.Token.Value, formBool}, true
	case *ast.IntegerNode:
		return scalar{n.Token.Value, formInteger}, true
	case *ast.FloatNode:
		return scalar{n.Token.Value, formFloat}, true
	case *ast.InfinityNode:
		return scalar{n.Token.Value, formFloat}, true
	case *ast.NanNode:
		return scalar{n.Token.Value, formFloat}, true
	}
	return scalar{}, false
}

// describe names the sort of node for a message.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.StringNode:
		return "the string " + quote(n.Value)
	}
	if s, ok := scalarOf(n); ok {
		return "the value " + strconv.Quote(clip(s.text))
	}
	return "this"
}

// nodePlace is where n begins.
func (r *report) nodePlace(n ast.Node) place {
	return r.position(firstToken(n))
}

// valuePlace is where the value n of a key or list begins, or fallback where
// it is absent.
func (r *report) valuePlace(n ast.Node, fallback place) place {
	if n == nil {
		return fallback
	}
	if _, ok := n.(*ast.NullNode); ok {
		return fallback
	}
	return r.nodePlace(n)
}

func firstToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
		return n.Start
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	case *ast.SequenceNode:
		return n.Start
	}
	return n.GetToken()
}
